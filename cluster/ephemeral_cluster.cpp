#include "cluster/ephemeral_cluster.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "cluster/operate.h"
#include "cluster/ports.h"
#include "cluster/probe.h"
#include "node/base/coding.h"
#include "node/crypto/keys.h"

namespace zell {

namespace {

constexpr std::chrono::seconds stop_timeout{20};

std::uint32_t random_number() {
  std::array<std::uint8_t, 4> bytes{};
  random_bytes(bytes);
  return Reader(bytes).u32();
}

/// Somewhere among the blocks, so that two clusters that are made at the same moment don't choose the same.
Result<std::uint16_t> random_base_port() {
  constexpr std::uint32_t first = 10'000, blocks = 200;
  return find_base_port(max_cluster_nodes, {},
                        static_cast<std::uint16_t>(first + port_block * (random_number() % blocks)));
}

}  // namespace

Result<EphemeralCluster> EphemeralCluster::start(const Environment& environment, const std::string& name,
                                                 ClusterWishes wishes, std::chrono::milliseconds timeout,
                                                 const std::function<Status()>& check) {
  wishes.ephemeral = true;
  auto base_port = random_base_port();
  if (!base_port) return base_port.error();
  wishes.base_port = *base_port;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{"io", "no pipe: " + std::generic_category().message(errno), ""};
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  const auto full_name = name + "-" + std::to_string(random_number());
  auto made = make_new_cluster(environment, full_name, root_of(environment, full_name, true), wishes);
  if (!made) return made.error();
  EphemeralCluster out;
  out.owner_ = std::move(write_end);
  out.cluster_ = std::move(*made);
  auto started = start_cluster(out.cluster_, &read_end);
  if (!started) return started.error();
  out.supervisor_ = watch_process(started->pid);
  for (const auto& node : started->nodes) out.sockets_.push_back(node.control_socket);
  auto running = open_cluster(out.cluster_.paths.root);
  if (!running) return running.error();
  out.cluster_ = std::move(*running);
  if (out.cluster_.lock.info) out.sockets_.push_back(out.cluster_.lock.info->control_socket);
  auto probed = probe_cluster(out.cluster_, out.cluster_.file.nodes, timeout, [&] {
    auto good = check();
    return good ? check_nodes_run(out.cluster_) : good;
  });
  if (!probed) return probed.error();
  return out;
}

Status EphemeralCluster::stop() {
  if (!owner_.valid()) return Ok{};
  owner_.reset();
  const bool ended = wait_for_end(supervisor_, stop_timeout);
  supervisor_.reset();
  std::error_code error;
  // There still if it never started, or was killed.
  if (ended) {
    for (const auto& socket : sockets_) std::filesystem::remove(socket, error);
    std::filesystem::remove_all(cluster_.paths.root, error);
  }
  if (ended && !error) return Ok{};
  return Error{"timeout", "the cluster " + cluster_.file.name + " has not ended, or its data is still there",
               "zell cluster rm " + cluster_.file.name + " --force"};
}

EphemeralCluster::~EphemeralCluster() {
  (void)stop();
}

}  // namespace zell
