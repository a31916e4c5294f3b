// zell status.

#include "cli/status_command.h"

#include <fmt/format.h>

#include "cli/exit_codes.h"
#include "cli/json.h"

namespace zell::cli {
namespace {

constexpr std::chrono::milliseconds node_timeout{1'000};
constexpr std::string_view unknown = "–";

std::string role_of(const ClusterView& view, std::size_t position) {
  if (!view.nodes[position].votes()) return std::string(unknown);
  return view.leader() == position ? "leader" : "follower";
}

/// Behind the highest that any node says is final, not only behind what it knows itself.
std::uint64_t behind(const NodeView& node, std::uint64_t highest) {
  return std::max(node.says->behind, highest - std::min(highest, node.says->finalised));
}

Ink color_of(const NodeView& node) {
  const auto state = node.state();
  if (state == "up") return Ink::plain;
  return state == "stopped" || state == "paused" || state == "starting" ? Ink::yellow : Ink::red;
}

std::string_view health_word(const ClusterView& view) {
  if (!view.serving()) return "down";
  return view.voting() == view.nodes.size() ? "healthy" : "degraded";
}

Json json_of(const ClusterView& view, std::size_t position, std::uint64_t highest) {
  const auto& node = view.nodes[position];
  Json out{{"name", node.node.name},
           {"stake", node.node.stake},
           {"state", node.state()},
           {"role", role_of(view, position) == unknown ? Json() : Json(role_of(view, position))},
           {"api", node.node.api_url()},
           {"pid", node.process.pid == 0 ? Json() : Json(node.process.pid)}};
  if (node.process.exit_code) out["exit_code"] = *node.process.exit_code;
  if (node.process.signal) out["signal"] = *node.process.signal;
  if (!node.says) return out;
  out["view"] = node.says->view;
  out["active"] = node.says->active;
  out["standing"] = node.says->standing;
  if (node.state() == "learner") {
    out["rejoins_above"] = node.says->rejoins_above ? Json(*node.says->rejoins_above) : Json();
  }
  out["sequenced"] = node.says->sequenced;
  out["locked"] = node.says->locked;
  out["finalised"] = node.says->finalised;
  out["behind"] = behind(node, highest);
  out["evidence"] = node.says->evidence;
  if (!node.says->stopped_code.empty()) {
    out["failed"] = {{"code", node.says->stopped_code}, {"reason", node.says->stopped_why}};
  }
  return out;
}

void print_table(const ClusterView& view) {
  const auto highest = view.highest_final();
  using Align = Table::Align;
  Table table(
      {{"NODE"}, {"ROLE"}, {"STATE"}, {"VIEW"}, {"SEQUENCED"}, {"LOCKED"}, {"FINALISED"}, {"BEHIND", Align::left}});
  for (std::size_t k = 0; k < view.nodes.size(); ++k) {
    const auto& node = view.nodes[k];
    std::vector<std::string> cells{node.node.name, role_of(view, k), node.state()};
    if (node.says) {
      const auto& says = *node.says;
      for (const auto number : {says.view, says.sequenced, says.locked, says.finalised, behind(node, highest)}) {
        cells.push_back(std::to_string(number));
      }
    } else {
      cells.resize(8, std::string(unknown));
    }
    table.add(std::move(cells), color_of(node));
  }
  table.print();
  for (const auto& node : view.nodes) {
    if (!node.says || node.says->stopped_code.empty()) continue;
    print(ink(Ink::red, fmt::format("{} takes no part: {} ({})", node.node.name, node.says->stopped_why,
                                    node.says->stopped_code)));
  }
}

bool forked(const ClusterView& view) {
  for (const auto& node : view.nodes) {
    if (node.says && node.says->stopped_code == "safety-violation") return true;
  }
  return false;
}

}  // namespace

std::string health_line(const ClusterView& view) {
  if (view.serving()) {
    const auto faults = view.further_faults();
    const bool whole = view.voting() == view.nodes.size();
    return fmt::format("{}: serving, tolerates {} {}fault{}", whole ? "healthy" : "degraded", faults,
                       whole ? "" : "further ", faults == 1 ? "" : "s");
  }
  if (view.voting() == 0) return "down: no node takes part";
  MemberSet set;
  for (std::size_t k = 0; k < view.nodes.size(); ++k) set[k] = view.nodes[k].votes();
  if (view.genesis.is_quorum(set)) return "down: no leader now, the view is being changed";
  return fmt::format("down: {} of {} nodes take part with {} of {} stake; more than 2/3 is needed", view.voting(),
                     view.nodes.size(), view.genesis.stake_of(set), view.genesis.total_stake());
}

void hint_learners(const ClusterView& view) {
  std::string names;
  bool ready = true;
  for (const auto& node : view.nodes) {
    if (node.state() != "learner") continue;
    names += (names.empty() ? "" : ", ") + node.node.name;
    ready = ready && node.says->rejoins_above.has_value();
  }
  if (names.empty()) return;
  if (ready)
    return hint(names + " lost its vote state, and votes again from a later view on", "zell challenge --by f+1");
  hint(names + " lost its vote state, and asks the others which views they signed in", "zell status");
}

int status(const Globals& globals, const std::string& name) {
  auto cluster = choose_cluster(Environment::of_process(), globals.choice(name), false);
  if (!cluster) return fail(cluster.error());
  auto view = view_cluster(*cluster, node_timeout);
  if (!view) return fail(view.error());
  const int code = forked(*view) ? violation : view->serving() ? done : negative;
  if (globals.json) {
    Json nodes = Json::array();
    const auto highest = view->highest_final();
    for (std::size_t k = 0; k < view->nodes.size(); ++k) nodes.push_back(json_of(*view, k, highest));
    const auto leader = view->leader();
    print_json({{"cluster", view->cluster},
                {"health", health_word(*view)},
                {"serving", view->serving()},
                {"tolerates", view->further_faults()},
                {"view", view->view()},
                {"leader", leader ? Json(view->nodes[*leader].node.name) : Json()},
                {"supervisor_pid", view->supervisor_pid},
                {"folder", cluster->paths.root.string()},
                {"nodes", nodes}});
    return code;
  }
  print_table(*view);
  const auto word = health_word(*view);
  print(ink(word == "healthy" ? Ink::green : word == "degraded" ? Ink::yellow : Ink::red, health_line(*view)));
  hint_learners(*view);
  return code;
}

}  // namespace zell::cli
