#pragma once
// The resident process of a cluster: starts its nodes, hears of their deaths, and answers on a control socket.

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "cluster/paths.h"
#include "node/base/result.h"

namespace zell {

struct SupervisorOptions {
  std::filesystem::path root;  ///< of the cluster, absolute
  /// The program of a node and its first arguments; what follows is
  /// `--config FILE --control-socket PATH --lifeline 3 --parent PID`.
  std::vector<std::string> node_command;
  int ready_fd = -1;  ///< gets one line when all nodes are started, an answer as in supervisor_protocol.h; then closed
  int owner_fd = -1;  ///< when this reaches its end, the cluster goes down (--foreground)
  std::chrono::milliseconds stop_grace{5'000};  ///< from SIGTERM to SIGKILL
};

/// Runs until `down`, SIGTERM or SIGINT; all nodes are gone when it returns. Blocks; uses the calling thread, which
/// must be the process's main thread (the nodes' parent-death signal is tied to it). Codes: "locked", "no-cluster",
/// "io", and those of the cluster's files and of sockets.
[[nodiscard]] Status run_supervisor(const SupervisorOptions& options, const Environment& environment);

}  // namespace zell
