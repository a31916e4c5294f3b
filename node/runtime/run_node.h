#pragma once
// A node as a process: its loop, its signals, its log.

#include <string>

#include "node/config/node_config.h"

namespace zell {

struct RunOptions {
  std::string version;  ///< of the program
  int ready_fd = -1;    ///< "ready\n" is written there, and it is closed, once the node listens; -1: nobody asks
};

/// Runs until SIGTERM, SIGINT or the control socket's "stop"; then writes what was decided, and returns Ok. Prints
/// nothing: what happens goes to the log. Codes: Node::start's, the log's ("io", "bad-value"). REQUIRES: the only
/// thread of the process; nothing else handles those signals.
[[nodiscard]] Status run_node(const NodeConfig& config, const GenesisFile& genesis, const SecretKey& secret,
                              const RunOptions& options);

}  // namespace zell
