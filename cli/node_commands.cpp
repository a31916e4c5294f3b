// zell node ...: one node as a process, and what is done to nodes of a cluster.

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/logs_command.h"
#include "cli/node_choice.h"
#include "cli/node_run.h"
#include "cli/status_text.h"
#include "cluster/operate.h"

namespace zell::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds act_timeout{20'000};

struct ActOptions {
  std::string selector;
  bool no_wait = false;
  std::uint64_t timeout_ms = 30'000;
};

/// What a command is called, and what it leaves behind.
struct Act {
  SupervisorCommand command;
  std::string_view past;  ///< "killed (SIGKILL)"
  std::string_view undo;  ///< the command that undoes it; empty: none
  std::string_view summary;
  bool takes_away;  ///< nodes go; else they come
  std::string_view example;
};

constexpr Act acts[] = {
    {SupervisorCommand::kill, "killed (SIGKILL)", "start", "Kill nodes with SIGKILL, as a crash would", true, "leader"},
    {SupervisorCommand::stop, "stopped", "start", "Stop nodes in good order", true, "n2"},
    {SupervisorCommand::start, "started", "", "Start nodes that are down", false, "n1"},
    {SupervisorCommand::restart, "restarted", "", "Stop nodes and start them again", false, "followers:1"},
    {SupervisorCommand::pause, "paused (SIGSTOP)", "resume",
     "Freeze nodes: they keep their connections and say nothing", true, "random:1"},
    {SupervisorCommand::resume, "resumed", "", "Let paused nodes go on", false, "all"},
};

bool could_do(const Act& act, const NodeView& node) {
  switch (act.command) {
    case SupervisorCommand::start:
      return !node.process.alive();
    case SupervisorCommand::resume:
      return node.process.state == ProcessState::paused;
    case SupervisorCommand::pause:
      return node.process.state == ProcessState::running;
    default:
      return node.process.alive();
  }
}

/// The chosen nodes take part again, in the cluster's view where it has one, and have all that was final when they were
/// asked for.
bool all_back(const ClusterView& view, const std::vector<std::size_t>& positions, std::uint64_t final_before) {
  const bool led = view.serving();
  for (const auto k : positions) {
    const auto& node = view.nodes[k];
    // One that ended again won't come back by waiting; what it says then is printed.
    if (!node.process.alive()) continue;
    if (!node.says || node.says->finalised < final_before) return false;
    // One that has just started may still be in the view that it crashed in, or have too few connections to do
    // anything.
    const bool takes_part = node.says->active && node.says->view >= view.view() && view.connected(k);
    if (led && node.votes() && !takes_part) return false;
  }
  return true;
}

/// What the cluster is like after the act.
struct Outcome {
  std::optional<ClusterView> view;  ///< none: it was not waited for, or in vain
  std::chrono::microseconds took{};
  bool pointless = false;  ///< too little stake is left: nothing to wait for
};

/// `begin`: when the supervisor was asked. A killed leader is missed from then on, whenever this first looks.
Result<Outcome> wait_for_outcome(const ChosenNodes& chosen, const Act& act, const ActOptions& options,
                                 Clock::time_point begin) {
  const auto final_before = chosen.view.highest_final();
  bool pointless = false;
  auto view = look_until(chosen.cluster, std::chrono::milliseconds(options.timeout_ms), [&](const ClusterView& now) {
    MemberSet running;
    for (std::size_t k = 0; k < now.nodes.size(); ++k) running[k] = now.nodes[k].process.state == ProcessState::running;
    pointless = !now.genesis.is_quorum(running);
    if (act.takes_away) return pointless || now.serving();
    return all_back(now, chosen.positions, final_before) && (pointless || now.serving());
  });
  if (!view) return view.error();
  return Outcome{std::move(*view), std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin),
                 pointless};
}

/// "; n2 leads after 240 ms".
std::string consequence(const ChosenNodes& chosen, const Act& act, const ActOptions& options, const Outcome& outcome) {
  if (options.no_wait) return "";
  if (!outcome.view) return fmt::format("; not served again after {}", to_text(outcome.took));
  if (outcome.pointless) return "; too few nodes are left to serve";
  const auto before = chosen.view.leader_name(), now = outcome.view->leader_name();
  if (act.takes_away) {
    return before == now ? fmt::format("; {} still leads", now)
                         : fmt::format("; {} leads after {}", now, to_text(outcome.took));
  }
  for (const auto k : chosen.positions) {
    const auto& node = outcome.view->nodes[k];
    if (!node.process.alive()) return fmt::format("; {} {} again", node.node.name, node.state());
  }
  return fmt::format(", up and caught up after {}", to_text(outcome.took));
}

/// Nodes that were to start, and are gone again.
std::vector<Error> ended_again(const ChosenNodes& chosen, const Act& act, const Outcome& outcome) {
  std::vector<Error> out;
  if (act.takes_away || !outcome.view) return out;
  for (const auto k : chosen.positions) {
    const auto& process = outcome.view->nodes[k].process;
    if (process.state == ProcessState::exited) out.push_back(ended_at_start(chosen.cluster, process));
  }
  return out;
}

int report(const ChosenNodes& chosen, const Act& act, const ActOptions& options,
           const std::vector<std::string>& changed, const Outcome& outcome) {
  const bool in_vain = !options.no_wait && !changed.empty() && !outcome.view;
  const auto ended = ended_again(chosen, act, outcome);
  const int code = in_vain ? timed_out : ended.empty() ? done : negative;
  if (output_mode().json) {
    Json document{{"command", to_string(act.command)}, {"nodes", chosen.names()}, {"changed", changed}};
    if (outcome.view) {
      const auto leader = outcome.view->leader_name();
      document["leader"] = leader.empty() ? Json() : Json(leader);
      document["serving"] = outcome.view->serving();
      document["after_ms"] = outcome.took.count() / 1000;
    }
    for (const auto& error : ended) document["ended"].push_back({{"reason", error.what}, {"hint", error.hint}});
    print_json(std::move(document));
    return code;
  }
  if (changed.empty()) {
    print(fmt::format("nothing to do: {} {}", fmt::join(chosen.names(), ", "),
                      act.command == SupervisorCommand::start ? "run already" : "can't be " + std::string(act.past)));
    return code;
  }
  const auto line =
      fmt::format("{} {}{}", fmt::join(changed, ", "), act.past, consequence(chosen, act, options, outcome));
  if (act.undo.empty()) {
    print(line);
  } else {
    print_with_undo(line, fmt::format("zell node {} {}", act.undo, fmt::join(changed, ",")));
  }
  for (const auto& error : ended) talk(error_line(error));
  if (!act.takes_away && outcome.view) hint_learners(*outcome.view);
  return code;
}

int do_act(const Globals& globals, const Act& act, const ActOptions& options) {
  auto chosen = choose_nodes(globals, options.selector, [&act](const NodeView& node) { return could_do(act, node); });
  if (!chosen) return fail(chosen.error());
  const auto begin = Clock::now();
  auto answer = ask_supervisor(chosen->cluster.lock.info->control_socket, {act.command, chosen->names()}, act_timeout);
  if (!answer) return fail(answer.error());
  Outcome outcome;
  if (!options.no_wait && !answer->changed.empty()) {
    auto waited = wait_for_outcome(*chosen, act, options, begin);
    if (!waited) return fail(waited.error());
    outcome = std::move(*waited);
  }
  return report(*chosen, act, options, answer->changed, outcome);
}

void add_act(Command node, const Globals& globals, const Act& act) {
  auto options = std::make_shared<ActOptions>();
  const auto name = std::string(to_string(act.command));
  auto command = node.add(name, std::string(act.summary));
  command
      .positional("NODES", options->selector, "n1, leader, followers, followers:2, random:1, f, f+1, all, or a list",
                  true)
      .flag("--no-wait", options->no_wait,
            act.takes_away ? "Don't wait until the rest is led again" : "Don't wait until they are up")
      .duration("--timeout", options->timeout_ms, "How long to wait; 30s if not given")
      .examples({fmt::format("zell node {} {}", name, act.example), fmt::format("zell node {} n2,n3 --no-wait", name)})
      .run([&globals, &act, options] { return do_act(globals, act, *options); });
}

}  // namespace

void add_node_commands(Command root, const Globals& globals) {
  auto node = root.add("node", "Kill, stop, start, pause nodes; read their logs");
  node.examples({"zell node kill leader", "zell node pause random:1", "zell node logs -f"});
  for (const auto& act : acts) add_act(node, globals, act);

  auto logs = std::make_shared<LogsOptions>();
  auto logs_command = node.add("logs", "Print nodes' logs as one stream");
  const std::vector<std::string> levels{"debug", "info", "warn", "error"};
  logs_command.positional("NODES", logs->selector, "Whose; all if not given", false)
      .option("--tail", logs->tail, "N", "The last N lines; 50 if neither this nor --since is given")
      .flag("-f,--follow", logs->follow, "Go on with what is written from now on")
      .option("--grep", logs->grep, "PATTERN", "Only lines that match this extended regular expression")
      .option("--since", logs->since, "TIME", "From then on: 5m, 2h, 19:24 or 2026-11-22T19:24:04 (UTC, as printed)")
      .choice("--level", logs->level, levels,
              "Only lines of this level and above; what crashing nodes print is an error")
      .examples({"zell node logs", "zell node logs leader -f --level warn",
                 "zell node logs --since 5m --grep 'view [a-z]+ed'"})
      .run([&globals, logs] { return node_logs(globals, *logs); });

  struct LevelOptions {
    std::string level, selector = "all";
  };
  auto level = std::make_shared<LevelOptions>();
  auto level_command = node.add("log-level", "What nodes log from now on");
  level_command.positional("LEVEL", level->level, "debug, info, warn or error", true)
      .positional("NODES", level->selector, "Whose; all if not given", false)
      .examples({"zell node log-level debug", "zell node log-level info n1,n2"})
      .closing_words("Until a node is started again: its node.toml has the level that it starts with, level in [log].")
      .run([&globals, level] { return set_log_level(globals, level->level, level->selector); });

  auto run = std::make_shared<NodeRunOptions>();
  auto run_command = node.add("run", "Run one node in the foreground, from its node.toml");
  run_command.configured(Configured::not_at_all)
      .option("--config", run->config, "FILE", "Its node.toml")
      .option("--control-socket", run->control_socket, "PATH", "Instead of the one in node.toml")
      .option("--lifeline", run->lifeline, "FD", "End at once when this ends")
      .option("--parent", run->parent, "PID", "End at once when this process does")
      .examples({"zell node run --config node.toml", "zell node run --config n1/node.toml"})
      .run([run] { return run_one_node(*run); });
}

}  // namespace zell::cli
