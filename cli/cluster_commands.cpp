// zell cluster ..., and its short forms zell up, down and status.

#include <fmt/format.h>

#include "cli/cluster_run_commands.h"
#include "cli/commands.h"
#include "cli/dump_command.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/status_command.h"
#include "cli/up_command.h"
#include "cluster/launch.h"
#include "cluster/operate.h"
#include "cluster/probe.h"
#include "cluster/supervisor.h"

namespace zell::cli {
namespace {

constexpr std::chrono::seconds down_timeout{20};

int down(const Globals& globals, const std::string& name) {
  auto cluster = choose_cluster(Environment::of_process(), globals.choice(name), false);
  if (!cluster) return fail(cluster.error());
  auto stopped = bring_down(*cluster, down_timeout);
  if (!stopped) return fail(stopped.error());
  const auto count = stopped->nodes.size();
  const bool kept = !cluster->file.ephemeral;
  if (globals.json) {
    print_json({{"cluster", cluster->file.name}, {"stopped", count}, {"data_kept", kept}});
    return done;
  }
  print(fmt::format(
      "stopped {} node{}; {}", count, count == 1 ? "" : "s",
      kept ? fmt::format("data kept (zell cluster rm {})", cluster->file.name) : "its data is gone (ephemeral)"));
  return done;
}

std::string_view word_for(RunState state) {
  switch (state) {
    case RunState::running:
      return "running";
    case RunState::starting:
      return "starting";
    case RunState::died:
      return "dead";
    case RunState::stopped:
      break;
  }
  return "stopped";
}

int list(const Globals& globals) {
  const auto [clusters, damaged] = list_clusters(Environment::of_process());
  const int code = damaged.empty() ? done : negative;
  if (globals.json) {
    Json all = Json::array();
    for (const auto& cluster : clusters) {
      all.push_back({{"name", cluster.file.name},
                     {"state", word_for(cluster.lock.state)},
                     {"nodes", cluster.file.nodes.size()},
                     {"base_port", cluster.file.base_port},
                     {"api", cluster.file.nodes.front().api_url()},
                     {"ephemeral", cluster.file.ephemeral},
                     {"folder", cluster.paths.root.string()}});
    }
    Json broken = Json::array();
    for (const auto& cluster : damaged) {
      broken.push_back({{"name", cluster.name},
                        {"folder", cluster.paths.root.string()},
                        {"reason", cluster.error.what},
                        {"hint", cluster.error.hint}});
    }
    print_json({{"clusters", all}, {"damaged", broken}});
    return code;
  }
  Table table({{"NAME"}, {"STATE"}, {"NODES", Table::Align::right}, {"API"}, {"FOLDER"}});
  for (const auto& cluster : clusters) {
    table.add({cluster.file.name, std::string(word_for(cluster.lock.state)), std::to_string(cluster.file.nodes.size()),
               cluster.file.nodes.front().api_url(), cluster.paths.root.string()},
              cluster.running() ? Ink::plain : Ink::dim);
  }
  for (const auto& cluster : damaged) {
    table.add({cluster.name, "damaged", "–", "–", cluster.paths.root.string()}, Ink::red);
  }
  table.print();
  for (const auto& cluster : damaged) talk(error_line(cluster.error));
  if (clusters.empty() && damaged.empty()) hint("try", "zell up");
  return code;
}

/// The cluster to remove: one that is damaged, too, if it is named. Its folder is then one of ours: with --dir it need
/// not be.
Result<FoundCluster> choose_to_remove(const Environment& environment, const ClusterChoice& choice) {
  if (choice.folder.empty()) {
    for (auto& cluster : list_clusters(environment).damaged) {
      if (cluster.name != choice.name) continue;
      FoundCluster out{{}, cluster.paths, cluster.lock};
      out.file.name = cluster.name;
      return out;
    }
  }
  return choose_cluster(environment, choice, true);
}

int remove(const Globals& globals, const std::string& name, bool force) {
  const auto environment = Environment::of_process();
  const auto choice = globals.choice(name);
  // A person says it each time: a file or a variable that picks the cluster is for everything else.
  const bool said = !name.empty() || globals.cluster_is_typed || !globals.folder.empty();
  if (!said) {
    return fail({"usage", "say which cluster to remove", "zell cluster ls"});
  }
  auto cluster = choose_to_remove(environment, choice);
  if (!cluster) return fail(cluster.error());
  if (cluster->lock.state == RunState::running || cluster->lock.state == RunState::starting) {
    if (!force || !cluster->running()) {
      return fail({"running", "cluster " + cluster->file.name + " runs", "zell down " + cluster->file.name});
    }
    if (auto stopped = bring_down(*cluster, down_timeout); !stopped) return fail(stopped.error());
  }
  std::error_code error;
  std::filesystem::remove_all(cluster->paths.root, error);
  if (error) return fail({"io", "cannot remove " + cluster->paths.root.string() + ": " + error.message(), ""});
  if (globals.json) {
    print_json({{"removed", cluster->file.name}, {"folder", cluster->paths.root.string()}});
  } else {
    print(fmt::format("removed {}", cluster->file.name));
  }
  return done;
}

int wait(const Globals& globals, const std::string& name, std::uint64_t timeout_ms) {
  auto cluster = choose_cluster(Environment::of_process(), globals.choice(name), false);
  if (!cluster) return fail(cluster.error());
  auto probed =
      probe_cluster(*cluster, cluster->file.nodes, std::chrono::milliseconds(timeout_ms), [] { return Status(Ok{}); });
  if (!probed) return fail(probed.error());
  if (globals.json) {
    print_json({{"cluster", cluster->file.name},
                {"probe", {{"index", probed->index.value}, {"finalised_on", probed->nodes}}},
                {"ms", probed->took.count() / 1000}});
  } else {
    print(fmt::format("{} probe #{} finalised on {} of {}  {}", check_mark(), probed->index.value, probed->nodes,
                      cluster->file.nodes.size(), to_text(probed->took)));
  }
  return done;
}

void add_up(Command command, const Globals& globals, const std::string& path) {
  auto options = std::make_shared<UpOptions>();
  command.positional("NAME", options->name, "The cluster's name; dev if not given", false)
      .option("-n,--nodes", options->nodes, "N", "How many nodes, 1 to 31; 4 if not given", 1, max_cluster_nodes)
      .option("--stake", options->stakes, "S,S,...", "One stake a node, e.g. 3,1,1,1")
      .option("--base-port", options->base_port, "PORT",
              "Node 1 answers at PORT+1; the first free block from 7100 if not given")
      .option("--seed", options->seed, "N", "Make the dev keys from this number, the same every time")
      .flag("--ephemeral", options->ephemeral, "Remove the cluster when it goes down")
      .flag("--foreground", options->foreground, "Stay, show the logs, and go down with Ctrl-C")
      .duration("--timeout", options->timeout_ms, "How long to wait for the probe; 30s if not given")
      .examples({path, path + " demo -n 7 --seed 1", path + " heavy --stake 3,1,1,1 --ephemeral"})
      .preset_not_with("--stake", {"--nodes"})
      .preset_not_with("--nodes", {"--stake"})
      .run([&globals, options] { return up(globals, *options); });
}

void add_down(Command command, const Globals& globals, const std::string& path) {
  auto name = std::make_shared<std::string>();
  command.positional("NAME", *name, "The cluster's name; not needed when only one runs", false)
      .examples({path, path + " demo"})
      .run([&globals, name] { return down(globals, *name); });
}

void add_status(Command command, const Globals& globals, const std::string& path) {
  auto name = std::make_shared<std::string>();
  auto watch = std::make_shared<bool>(false);
  command.positional("NAME", *name, "The cluster's name; not needed when only one runs", false)
      .flag("-w,--watch", *watch, "Go on: redrawn each second; off a terminal or with --json a document a change")
      .examples({path, path + " --json", path + " --watch"})
      .run([&globals, name, watch] { return *watch ? watch_status(globals, *name) : status(globals, *name); });
}

/// What `zell up` leaves running; not for people.
void add_supervise(Command cluster, const Globals& globals) {
  struct Options {
    std::optional<std::uint64_t> ready_fd, owner_fd;
  };
  auto options = std::make_shared<Options>();
  auto command = cluster.add("supervise", "Run a cluster's nodes (zell up starts this)");
  command.hidden()
      .configured(Configured::not_at_all)
      .option("--ready-fd", options->ready_fd, "FD", "Where to say that all is started")
      .option("--owner-fd", options->owner_fd, "FD", "Goes down when this ends")
      .run([&globals, options] {
        // What it and its nodes print goes to files.
        ::unsetenv("FORCE_COLOR");
        SupervisorOptions supervisor;
        supervisor.root = globals.folder;
        supervisor.node_command = {own_program().string(), "node", "run"};
        if (options->ready_fd) supervisor.ready_fd = static_cast<int>(*options->ready_fd);
        if (options->owner_fd) supervisor.owner_fd = static_cast<int>(*options->owner_fd);
        auto ended = run_supervisor(supervisor, Environment::of_process());
        return ended ? static_cast<int>(done) : static_cast<int>(exit_code_of(ended.error()));
      });
}

}  // namespace

void add_cluster_commands(Command root, const Globals& globals) {
  add_up(root.add("up", "Make and start a local cluster (= zell cluster up)"), globals, "zell up");
  add_down(root.add("down", "Stop a cluster; its data is kept (= zell cluster down)"), globals, "zell down");
  add_status(root.add("status", "Each node, and how many more may fail (= zell cluster status)"), globals,
             "zell status");

  auto cluster = root.add("cluster", "Clusters on this machine");
  cluster.examples({"zell cluster ls", "zell cluster up demo -n 7", "zell cluster rm demo --force"});
  add_up(cluster.add("up", "Make and start a local cluster"), globals, "zell cluster up");
  add_down(cluster.add("down", "Stop a cluster; its data is kept"), globals, "zell cluster down");
  add_status(cluster.add("status", "Each node, and how many more may fail"), globals, "zell cluster status");
  cluster.add("ls", "List the clusters").examples({"zell cluster ls", "zell cluster ls --json"}).run([&globals] {
    return list(globals);
  });

  auto name = std::make_shared<std::string>();
  auto force = std::make_shared<bool>(false);
  auto remove_command = cluster.add("rm", "Remove a cluster and all its data");
  remove_command.positional("NAME", *name, "The cluster's name", false)
      .flag("--force", *force, "Stop it first if it runs")
      .examples({"zell cluster rm demo", "zell cluster rm demo --force"})
      .run([&globals, name, force] { return remove(globals, *name, *force); });

  auto timeout = std::make_shared<std::uint64_t>(30'000);
  auto wait_command = cluster.add("wait", "Wait until a probe is final on every node");
  wait_command.positional("NAME", *name, "The cluster's name; not needed when only one runs", false)
      .duration("--timeout", *timeout, "How long; 30s if not given")
      .examples({"zell cluster wait", "zell cluster wait demo --timeout 60s"})
      .run([&globals, name, timeout] { return wait(globals, *name, *timeout); });
  add_env(cluster, globals);
  add_run(cluster, globals);
  add_dump(cluster, globals);
  add_supervise(cluster, globals);
}

}  // namespace zell::cli
