// zell challenge: chosen nodes sign a real challenge against their leader. What counts is counted by the nodes.

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/node_choice.h"
#include "cluster/control_channel.h"
#include "cluster/operate.h"
#include "cluster/probe.h"

namespace zell::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds node_timeout{5}, patience{2};

struct ChallengeOptions {
  std::string by;
  bool no_wait = false;
  std::uint64_t timeout_ms = 30'000;
};

struct Refusal {
  std::string node;
  Error error;
};

/// Whether the node is still in that view: one that has moved on must not challenge the next leader.
bool is_in(const ProcessReport& process, std::uint64_t view) {
  const auto status = ask_node(process.control_socket, "status", node_timeout);
  const auto json = status ? Json::parse(*status, nullptr, false) : Json();
  return json.is_object() && json.contains("view") && json["view"] == view;
}

/// Under load a node is behind a certificate now and then, for as long as it takes to check what that is of, and can't
/// challenge meanwhile.
Status challenge_by(const ProcessReport& process, std::uint64_t view) {
  const auto give_up_at = Clock::now() + patience;
  while (true) {
    auto answer = ask_node(process.control_socket, "challenge", node_timeout);
    if (answer) return Ok{};
    const bool may_pass = answer.error().code == "cannot-challenge" && Clock::now() < give_up_at;
    if (!may_pass || !is_in(process, view)) return answer.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it tells nobody when it has caught up
  }
}

/// How much of what is needed challenges the view.
struct Count {
  MemberSet challengers;
  std::size_t have = 0, needed = 0;
  std::string unit;  ///< "challenges", or "stake" where stakes differ
  bool enough = false;
};

Count count_challenges(const Genesis& genesis, const MemberSet& challengers) {
  Count out{challengers, 0, 0, "", genesis.is_challenge_quorum(challengers)};
  const auto first_stake = genesis.members.front().stake;
  const bool equal = std::all_of(genesis.members.begin(), genesis.members.end(),
                                 [&](const Member& member) { return member.stake == first_stake; });
  out.unit = equal ? "challenges" : "stake";
  out.have = equal ? challengers.count() : genesis.stake_of(challengers);
  // The least that is more than a third.
  out.needed = (equal ? genesis.size() : genesis.total_stake()) / 3 + 1;
  return out;
}

std::string leader_of(const ClusterView& view) {
  const auto name = view.leader_name();
  return name.empty() ? "–" : name;
}

Json leader_json(const ClusterView& view) {
  const auto name = view.leader_name();
  return name.empty() ? Json() : Json(name);
}

Json json_of(const ChosenNodes& chosen, const Count& count, const std::vector<Refusal>& refusals) {
  Json refused = Json::array();
  for (const auto& refusal : refusals) {
    refused.push_back({{"node", refusal.node}, {"code", refusal.error.code}, {"reason", refusal.error.what}});
  }
  return {{"by", chosen.names()},
          {"challenges", count.have},
          {"needed", count.needed},
          {"unit", count.unit},
          {"enough", count.enough},
          {"refused", refused},
          {"leader_before", leader_json(chosen.view)},
          {"view_before", chosen.view.view()}};
}

int not_enough(const ChosenNodes& chosen, const Count& count, Json document) {
  if (output_mode().json) {
    document["changed"] = false;
    print_json(std::move(document));
  } else {
    print(fmt::format("{} {} of {} needed {}; leader {} stays", cross_mark(), count.have, count.needed, count.unit,
                      leader_of(chosen.view)));
  }
  return negative;
}

int changed(const ChosenNodes& chosen, const ClusterView& after, std::chrono::microseconds took, Json document,
            const ChallengeOptions& options) {
  std::vector<ClusterNode> voting;
  for (const auto& node : after.nodes) {
    if (node.votes()) voting.push_back(node.node);
  }
  auto probe =
      probe_cluster(chosen.cluster, voting, std::chrono::milliseconds(options.timeout_ms), [] { return Status(Ok{}); });
  if (!probe) return fail(probe.error());
  if (output_mode().json) {
    document["changed"] = true;
    document["leader"] = leader_json(after);
    document["view"] = after.view();
    document["after_ms"] = took.count() / 1000;
    document["first_finalised"] = probe->index.value;
    print_json(std::move(document));
  } else {
    print(fmt::format("{} leader {} → {}, view {} → {}, {}; first finalised after it #{}", check_mark(),
                      leader_of(chosen.view), leader_of(after), chosen.view.view(), after.view(), to_text(took),
                      probe->index.value));
  }
  return done;
}

int challenge(const Globals& globals, const ChallengeOptions& options) {
  if (options.by.empty()) return fail({"usage", "who challenges? Give --by", "zell challenge --by f+1"});
  auto chosen = choose_nodes(globals, options.by, [](const NodeView& node) { return node.votes(); });
  if (!chosen) return fail(chosen.error());
  const auto begin = Clock::now();
  MemberSet challengers;
  std::vector<Refusal> refusals;
  for (const auto k : chosen->positions) {
    const auto& node = chosen->view.nodes[k];
    auto asked =
        node.process.state == ProcessState::running
            ? challenge_by(node.process, chosen->view.view())
            : Status(Error{"not-running", node.node.name + " is " + node.state(), "zell node start " + node.node.name});
    challengers[k] = asked.ok();
    if (!asked) refusals.push_back({node.node.name, asked.error()});
  }
  auto now = view_cluster(chosen->cluster, node_timeout);
  if (!now) return fail(now.error());
  const auto before = chosen->view.view();
  const bool moved = now->view() > before;
  for (std::size_t k = 0; k < now->nodes.size(); ++k) {
    // A node may have challenged this view before: then its challenge counts, too.
    const auto& says = now->nodes[k].says;
    if (says && says->challenging && says->view == before) challengers[k] = true;
  }
  for (const auto& refusal : refusals) {
    if (!globals.json && !moved) talk(fmt::format("{} did not challenge: {}", refusal.node, refusal.error.what));
  }
  auto count = count_challenges(chosen->view.genesis, challengers);
  // The nodes count, not this command: they may have moved on before the last one was asked, which then refuses.
  count.enough = count.enough || moved;
  auto document = json_of(*chosen, count, refusals);
  if (!count.enough) return not_enough(*chosen, count, std::move(document));
  if (options.no_wait) {
    if (globals.json) {
      print_json(std::move(document));
    } else {
      print(fmt::format("{} of {} needed {}", count.have, count.needed, count.unit));
    }
    return done;
  }
  auto after = look_until(chosen->cluster, std::chrono::milliseconds(options.timeout_ms),
                          [&](const ClusterView& later) { return later.view() > before && later.serving(); });
  if (!after) return fail(after.error());
  if (!*after) {
    return fail({"timeout",
                 fmt::format("enough nodes challenge leader {}, but no other leads yet", leader_of(chosen->view)),
                 "zell status"});
  }
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  return changed(*chosen, **after, took, std::move(document), options);
}

}  // namespace

void add_challenge_command(Command root, const Globals& globals) {
  auto options = std::make_shared<ChallengeOptions>();
  auto command = root.add("challenge", "Make nodes challenge their leader; more than a third of the stake replaces it");
  command.option("--by", options->by, "NODES", "Who: n3,n4 or f+1 or followers:2 ...")
      .flag("--no-wait", options->no_wait, "Don't wait for the next leader")
      .duration("--timeout", options->timeout_ms, "How long to wait; 30s if not given")
      .examples({"zell challenge --by f+1", "zell challenge --by n3,n4", "zell challenge --by random:1 --json"})
      .run([&globals, options] { return challenge(globals, *options); });
}

}  // namespace zell::cli
