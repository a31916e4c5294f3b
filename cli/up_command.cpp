// zell up.

#include "cli/up_command.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cluster/make.h"
#include "cluster/operate.h"
#include "cluster/probe.h"

namespace zell::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view default_cluster = "dev";
constexpr std::chrono::milliseconds view_timeout{1'000};

/// "✓ keys  ✓ n1 n2", written as it happens, and on a terminal what is being done now after it.
class Steps {
 public:
  void doing(std::string_view text) {
    if (!output_mode().progress) return;
    clear_doing();
    std::fputs(ink_err(Ink::dim, fmt::format("{}{} …", width_ == 0 ? "" : "  ", text)).c_str(), stderr);
    std::fflush(stderr);
    doing_ = true;
  }
  void step(std::string_view text) {
    if (output_mode().json) return;
    clear_doing();
    const auto part = fmt::format("{}✓ {}", width_ == 0 ? "" : "  ", text);
    width_ += width_of(part);
    write(fmt::format("{}{} {}", part.starts_with(' ') ? "  " : "", check_mark(), text));
  }
  void end(std::chrono::microseconds took) {
    if (output_mode().json) return;
    clear_doing();
    constexpr std::size_t time_column = 76;
    const auto time = to_text(took);
    const auto space = std::max<std::size_t>(2, time_column - std::min(time_column, width_ + width_of(time)));
    print(std::string(space, ' ') + time);
    line_.clear();
    width_ = 0;
  }
  /// Before anything else is printed on an unfinished line.
  void interrupt() {
    clear_doing();
    if (width_ > 0) print("");
    line_.clear();
    width_ = 0;
  }

 private:
  void write(const std::string& text) {
    line_ += text;
    print_part(text);
  }
  /// Both streams may be the same terminal's line: what is to stay is written again.
  void clear_doing() {
    if (!doing_) return;
    doing_ = false;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
    if (output_mode().terminal_out) print_part(line_);
  }

  std::string line_;
  std::size_t width_ = 0;
  bool doing_ = false;
};

/// "n1 n2 n3 n4", or "n1..n31" where that would fill the line.
std::string names_of(const std::vector<ClusterNode>& nodes) {
  constexpr std::size_t max_named = 8;
  if (nodes.size() > max_named) return fmt::format("{}..{}", nodes.front().name, nodes.back().name);
  std::string out;
  for (const auto& node : nodes) out += (out.empty() ? "" : " ") + node.name;
  return out;
}

Result<ClusterWishes> wishes_of(const UpOptions& options) {
  ClusterWishes wishes;
  if (options.nodes) wishes.nodes = static_cast<std::size_t>(*options.nodes);
  wishes.seed = options.seed;
  if (options.base_port) {
    if (auto good = check_base_port(*options.base_port); !good) return good.error();
    wishes.base_port = static_cast<std::uint16_t>(*options.base_port);
  }
  if (options.ephemeral) wishes.ephemeral = true;
  if (options.stakes) {
    auto stakes = parse_stakes(*options.stakes);
    if (!stakes) return stakes.error();
    wishes.stakes = std::move(*stakes);
  }
  return wishes;
}

/// The cluster of that name or folder, if there is one already.
Result<std::optional<FoundCluster>> find_existing(const Environment& environment, const std::string& name,
                                                  const std::filesystem::path& folder) {
  for (const auto& root : folder.empty()
                              ? std::vector{root_of(environment, name, false), root_of(environment, name, true)}
                              : std::vector{folder}) {
    auto found = open_cluster(root);
    if (found) return std::optional(std::move(*found));
    if (found.error().code != "no-cluster") return found.error();
  }
  return std::optional<FoundCluster>();
}

Error differs(const FoundCluster& cluster, const std::vector<std::string>& differences) {
  return {"differs",
          fmt::format("cluster {} exists, and is not what you ask for: {}", cluster.file.name,
                      fmt::join(differences, "; ")),
          fmt::format("zell up OTHER-NAME, or zell cluster rm {} (its data goes)", cluster.file.name)};
}

struct Started {
  FoundCluster cluster;
  bool made = false, was_running = false;
  std::int64_t supervisor_pid = 0;
  ProbeResult probe;
};

int report(const Started& started, std::chrono::microseconds took) {
  const auto& file = started.cluster.file;
  auto view = view_cluster(started.cluster, view_timeout);
  if (!view) return fail(view.error());
  const auto leader = view->leader_name();
  const auto faults = view->further_faults();
  if (output_mode().json) {
    Json nodes = Json::array();
    for (const auto& node : view->nodes) {
      nodes.push_back({{"name", node.node.name},
                       {"api", node.node.api_url()},
                       {"peer_port", node.node.ports.peer},
                       {"stake", node.node.stake},
                       {"pid", node.process.pid}});
    }
    Json document{{"cluster", file.name},
                  {"folder", started.cluster.paths.root.string()},
                  {"created", started.made},
                  {"was_running", started.was_running},
                  {"leader", leader.empty() ? Json() : Json(leader)},
                  {"tolerates", faults},
                  {"supervisor_pid", view->supervisor_pid},
                  {"probe", {{"index", started.probe.index.value}, {"finalised_on", started.probe.nodes}}},
                  {"ms", took.count() / 1000},
                  {"keys", dev_users},
                  {"nodes", nodes}};
    print_json(std::move(document));
    return done;
  }
  print(fmt::format("{}  {}  leader {}  tolerates {} faulty node{}", ink(Ink::bold, file.name),
                    file.nodes.front().api_url(), leader.empty() ? "–" : leader, faults, faults == 1 ? "" : "s"));
  print(fmt::format("dev keys {} (default {})", fmt::join(dev_users, ", "), dev_users[0]));
  hint("try", "zell submit hello · zell log -f · zell node kill leader · zell down");
  return done;
}

Result<ProbeResult> probe(const Started& started, const UpOptions& options) {
  std::vector<ClusterNode> running;
  auto answer = ask_supervisor(started.cluster.lock.info->control_socket, {}, view_timeout);
  if (!answer) return answer.error();
  for (std::size_t k = 0; k < answer->nodes.size(); ++k) {
    if (answer->nodes[k].state == ProcessState::running) running.push_back(started.cluster.file.nodes[k]);
  }
  const std::function<Status()> check = started.was_running
                                            ? std::function<Status()>([] { return Status(Ok{}); })
                                            : [&cluster = started.cluster] { return check_nodes_run(cluster); };
  return probe_cluster(started.cluster, running, std::chrono::milliseconds(options.timeout_ms), check);
}

/// Makes and starts what is not there yet.
Result<Started> bring_up(const Environment& environment, const Globals& globals, const UpOptions& options,
                         const UniqueFd* owner, Steps& steps) {
  auto wishes = wishes_of(options);
  if (!wishes) return wishes.error();
  const auto choice = globals.choice(options.name);
  const auto name = choice.name.empty() ? std::string(default_cluster) : choice.name;
  if (auto good = check_cluster_name(name); !good) return good.error();
  std::error_code error;
  const auto folder = choice.folder.empty() ? choice.folder : std::filesystem::absolute(choice.folder, error);
  auto existing = find_existing(environment, name, folder);
  if (!existing) return existing.error();
  Started out;
  if (*existing) {
    out.cluster = **existing;
    const auto different = differences(out.cluster.file, *wishes);
    if (!different.empty()) return differs(out.cluster, different);
    if (out.cluster.lock.state == RunState::starting) return check_running(out.cluster).error();
  } else {
    steps.doing("making keys");
    auto made = make_new_cluster(environment, name,
                                 folder.empty() ? root_of(environment, name, options.ephemeral) : folder, *wishes);
    if (!made) return made.error();
    out.cluster = std::move(*made);
    out.made = true;
    steps.step("keys");
  }
  if (out.cluster.running()) {
    out.was_running = true;
    out.supervisor_pid = out.cluster.lock.info->pid;
    return out;
  }
  if (out.cluster.lock.state == RunState::died)
    talk("its supervisor had been killed; starting again with the same data");
  steps.doing("starting " + names_of(out.cluster.file.nodes));
  auto answer = start_cluster(out.cluster, owner);
  if (!answer) {
    // What was made for nothing goes again.
    if (out.made) std::filesystem::remove_all(out.cluster.paths.root, error);
    return answer.error();
  }
  out.supervisor_pid = answer->pid;
  auto running = open_cluster(out.cluster.paths.root);
  if (!running) return running.error();
  out.cluster = std::move(*running);
  steps.step(names_of(out.cluster.file.nodes));
  return out;
}

}  // namespace

int up(const Globals& globals, const UpOptions& options) {
  const auto begin = Clock::now();
  const auto environment = Environment::of_process();
  UniqueFd owner_read, owner_write;
  if (options.foreground) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail({"io", "no pipe: " + std::generic_category().message(errno), ""});
    owner_read.reset(ends[0]);
    owner_write.reset(ends[1]);
  }
  Steps steps;
  auto started = bring_up(environment, globals, options, options.foreground ? &owner_read : nullptr, steps);
  if (!started) {
    steps.interrupt();
    return fail(started.error());
  }
  owner_read.reset();
  steps.doing("waiting until a probe is final on every node");
  auto probed = probe(*started, options);
  if (!probed) {
    steps.interrupt();
    return fail(probed.error());
  }
  started->probe = *probed;
  steps.step(fmt::format("probe finalised on {} of {}", probed->nodes, started->cluster.file.nodes.size()));
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  steps.end(took);
  if (started->was_running && !globals.json) print(fmt::format("{} was up already", started->cluster.file.name));
  const int code = report(*started, took);
  if (!options.foreground || code != done) return code;
  if (started->was_running) {
    return fail({"running", "cluster " + started->cluster.file.name + " runs in the background already",
                 "zell node logs -f, or zell down first"});
  }
  return stay_in_foreground(started->cluster, started->supervisor_pid, std::move(owner_write));
}

}  // namespace zell::cli
