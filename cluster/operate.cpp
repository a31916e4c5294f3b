#include "cluster/operate.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "cluster/launch.h"
#include "cluster/log_tail.h"
#include "cluster/make.h"

namespace zell {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look_interval{20};
constexpr std::chrono::milliseconds look_timeout{500};
constexpr std::chrono::milliseconds supervisor_timeout{1'000};

}  // namespace

Result<FoundCluster> make_new_cluster(const Environment& environment, const std::string& name,
                                      std::filesystem::path root, const ClusterWishes& wishes) {
  std::vector<std::uint16_t> taken;
  for (const auto& cluster : list_clusters(environment).clusters) taken.push_back(cluster.file.base_port);
  auto plan = plan_cluster(name, std::move(root), wishes, taken);
  if (!plan) return plan.error();
  std::vector<NodePorts> ports;
  for (const auto& node : plan->file.nodes) ports.push_back(node.ports);
  // Before a cluster is made that could not start.
  const auto other = plan->file.base_port < 65'000 ? plan->file.base_port + port_block : 7'200;
  auto free = check_ports_free(ports, "zell up --base-port " + std::to_string(other));
  if (!free) return free.error();
  if (plan->file.ephemeral) {
    if (auto made = ensure_private_folder(environment.ephemeral_clusters().parent_path()); !made) return made.error();
  }
  if (auto made = make_cluster(*plan, environment); !made) return made.error();
  return open_cluster(plan->root);
}

Result<SupervisorAnswer> start_cluster(const FoundCluster& cluster, const UniqueFd* owner) {
  const auto& file = cluster.file;
  if (cluster.lock.state == RunState::running || cluster.lock.state == RunState::starting) {
    return Error{"running", "cluster " + file.name + " runs already", "zell status " + file.name};
  }
  std::vector<NodePorts> ports;
  for (const auto& node : file.nodes) ports.push_back(node.ports);
  // A cluster keeps its ports: another base port would be another cluster.
  auto free = check_ports_free(ports, "stop that, then zell up " + file.name);
  if (!free) return free.error();
  return launch_supervisor({own_program().string(), "cluster", "supervise", "--dir", cluster.paths.root.string()},
                           cluster.paths.supervisor_log(), owner);
}

std::string last_words(const FoundCluster& cluster, const std::string& node) {
  constexpr std::size_t looked_at = 20;
  constexpr std::string_view mark = "error: ";
  const auto lines = LogTail({{node, cluster.paths.node_log(node)}}).read_last(looked_at);
  const auto last =
      std::find_if(lines.rbegin(), lines.rend(), [&](const LogLine& line) { return line.text.starts_with(mark); });
  return last == lines.rend() ? std::string() : last->text.substr(mark.size());
}

Error ended_at_start(const FoundCluster& cluster, const ProcessReport& node) {
  const auto why = last_words(cluster, node.name);
  return {"spawn-failed",
          node.name + " ended with code " + std::to_string(node.exit_code.value_or(0)) + " while starting" +
              (why.empty() ? "" : ": " + why),
          "zell node logs " + node.name};
}

Status check_nodes_run(const FoundCluster& cluster) {
  auto answer = ask_supervisor(cluster.lock.info->control_socket, {}, supervisor_timeout);
  if (!answer) return answer.error();
  for (const auto& node : answer->nodes) {
    if (node.state == ProcessState::exited) return ended_at_start(cluster, node);
  }
  return Ok{};
}

UniqueFd watch_process(std::int64_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
}

bool wait_for_end(const UniqueFd& process, std::chrono::milliseconds timeout) {
  if (!process.valid()) return true;
  const auto deadline = Clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{process.get(), POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(0, left)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

Result<SupervisorAnswer> bring_down(const FoundCluster& cluster, std::chrono::milliseconds timeout) {
  const auto process = watch_process(cluster.lock.info->pid);
  auto answer = ask_supervisor(cluster.lock.info->control_socket, {SupervisorCommand::down, {}}, timeout);
  if (!answer) return answer;
  if (wait_for_end(process, timeout)) return answer;
  return Error{"timeout", "the nodes are down, but the supervisor has not ended", "zell cluster ls"};
}

Result<std::optional<ClusterView>> look_until(const FoundCluster& cluster, std::chrono::milliseconds timeout,
                                              const std::function<bool(const ClusterView&)>& enough) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    const auto begin = Clock::now();
    auto view = view_cluster(cluster, look_timeout);
    if (!view) return view.error();
    if (enough(*view)) return std::optional(std::move(*view));
    if (Clock::now() >= deadline) return std::optional<ClusterView>();
    // Looking must not take the cores that the nodes need for what is waited for.
    std::this_thread::sleep_for(std::max<Clock::duration>(look_interval, Clock::now() - begin));
  }
}

}  // namespace zell
