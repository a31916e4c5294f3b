#include "cli/status_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.h"
#include "cluster/since.h"
#include "node/base/log_line.h"

namespace zell::cli {
namespace {

constexpr std::string_view unknown = "–";
constexpr std::chrono::milliseconds slow_answer{250};  // on loopback it takes about one

Ink color_of(const NodeView& node) {
  const auto state = node.state();
  if (state == "up") return Ink::plain;
  return state == "stopped" || state == "paused" || state == "starting" ? Ink::yellow : Ink::red;
}

Table table_of(const ClusterView& view) {
  const auto highest = view.highest_final();
  std::vector<Table::Column> columns{{"NODE"}, {"ROLE"}, {"STATE"}};
  const bool tells_stake = !view.equal_stakes();
  if (tells_stake) columns.push_back({"STAKE"});
  for (const auto* title : {"VIEW", "SEQUENCED", "LOCKED", "FINALISED", "BEHIND"}) columns.push_back({title});
  const auto width = columns.size();
  Table table(std::move(columns));
  for (std::size_t k = 0; k < view.nodes.size(); ++k) {
    const auto& node = view.nodes[k];
    std::vector<std::string> cells{node.node.name, role_of(view, k), node.state()};
    if (tells_stake) cells.push_back(std::to_string(node.node.stake));
    if (node.says) {
      const auto& says = *node.says;
      for (const auto number : {says.view, says.sequenced, says.locked, says.finalised, behind(node, highest)}) {
        cells.push_back(std::to_string(number));
      }
    } else {
      cells.resize(width, std::string(unknown));
    }
    table.add(std::move(cells), color_of(node));
  }
  return table;
}

/// "12 s", "3 min", "2 h", "5 days".
std::string rough_age(std::int64_t milliseconds) {
  const auto seconds = std::max<std::int64_t>(0, milliseconds) / 1'000;
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7'200) return fmt::format("{} min", seconds / 60);
  return seconds < 172'800 ? fmt::format("{} h", seconds / 3'600) : fmt::format("{} days", seconds / 86'400);
}

/// "14:03:11Z (12 s)", with the day if it is not today. UTC, as the logs have it.
std::string since(std::int64_t unix_ms) {
  const auto now = wall_clock_ms();
  const auto time = format_log_time(unix_ms), today = format_log_time(now);
  const bool same_day = time.substr(0, 10) == today.substr(0, 10);
  return fmt::format("{}{}Z ({})", same_day ? "" : time.substr(0, 10) + " ", time.substr(11, 8),
                     rough_age(now - unix_ms));
}

std::string misdeed(const std::string& reason) {
  if (reason == "unresponsive") return "was unresponsive";
  if (reason == "stalled") return "finalised nothing";
  if (reason == "censored") return "left out requests";
  if (reason == "equivocation") return "told nodes different orders";
  if (reason == "invalid-proposal") return "proposed what is invalid";
  if (reason == "manual") return "was challenged by hand";
  return "was challenged: " + reason;
}

/// "after n2 was unresponsive (n1, n3)", and with several reasons who said which.
std::string after(const Leadership& leads) {
  if (leads.because.empty()) return fmt::format("after {}; why, no node remembers", leads.before);
  std::string out;
  std::vector<std::string> told;
  for (const auto& complaint : leads.because) {
    if (std::find(told.begin(), told.end(), complaint.reason) != told.end()) continue;
    told.push_back(complaint.reason);
    std::string who;
    for (const auto& other : leads.because) {
      if (other.reason == complaint.reason) who += (who.empty() ? "" : ", ") + other.node;
    }
    out += fmt::format("{} {} ({})", out.empty() ? "" : " and", misdeed(complaint.reason), who);
  }
  return "after " + leads.before + out;
}

std::string leader_line(const ClusterView& view, const Leadership& leads) {
  auto out = fmt::format("{} leads view {} since {}", view.nodes[leads.leader].node.name, leads.view,
                         since(leads.since_unix_ms));
  if (!leads.before.empty()) out += ", " + after(leads);
  return out;
}

std::optional<std::string> note_on(const ClusterView& view, std::size_t position) {
  const auto& node = view.nodes[position];
  const auto& name = node.node.name;
  if (node.state() == "no answer") return fmt::format("{} runs and does not answer: {}", name, node.no_answer);
  if (!node.says) return std::nullopt;
  const auto& says = *node.says;
  if (!says.stopped_code.empty()) {
    return fmt::format("{} takes no part: {} ({})", name, says.stopped_why, says.stopped_code);
  }
  if (node.votes() && !view.connected(position)) {
    return says.connected.empty() ? fmt::format("{} is connected to no other node", name)
                                  : fmt::format("{} is connected to {} only, too little stake to take part", name,
                                                fmt::join(says.connected, ", "));
  }
  if (node.answered_after >= slow_answer) {
    return fmt::format("{} answers slowly: after {}", name, to_text(node.answered_after));
  }
  return std::nullopt;
}

}  // namespace

std::string role_of(const ClusterView& view, std::size_t position) {
  if (!view.nodes[position].votes()) return std::string(unknown);
  return view.leader() == position ? "leader" : "follower";
}

std::uint64_t behind(const NodeView& node, std::uint64_t highest) {
  return std::max(node.says->behind, highest - std::min(highest, node.says->finalised));
}

std::string_view health_word(const ClusterView& view) {
  if (!view.serving()) return "down";
  return view.voting() == view.nodes.size() ? "healthy" : "degraded";
}

std::string health_line(const ClusterView& view) {
  if (view.serving()) {
    const auto faults = view.further_faults();
    const bool whole = view.voting() == view.nodes.size();
    auto out = fmt::format("{}: serving, tolerates {} {}fault{}", whole ? "healthy" : "degraded", faults,
                           whole ? "" : "further ", faults == 1 ? "" : "s");
    if (!view.equal_stakes()) {
      out += fmt::format(", counting the heaviest nodes first; {} of {} stake takes part, {} needed",
                         view.voting_stake(), view.genesis.total_stake(), view.needed_stake());
    }
    return out;
  }
  if (view.voting() == 0) return "down: no node takes part";
  if (view.voting_stake() >= view.needed_stake()) return "down: no leader now, the view is being changed";
  return fmt::format("down: {} of {} nodes take part with {} of {} stake; more than 2/3 is needed", view.voting(),
                     view.nodes.size(), view.voting_stake(), view.genesis.total_stake());
}

std::vector<std::string> status_lines(const ClusterView& view) {
  auto out = table_of(view).lines();
  const auto word = health_word(view);
  out.push_back(ink(word == "healthy" ? Ink::green : word == "degraded" ? Ink::yellow : Ink::red, health_line(view)));
  if (const auto leads = view.leadership()) out.push_back(leader_line(view, *leads));
  for (std::size_t k = 0; k < view.nodes.size(); ++k) {
    if (const auto note = note_on(view, k)) out.push_back(ink(color_of(view.nodes[k]), harmless(*note)));
  }
  return out;
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

}  // namespace zell::cli
