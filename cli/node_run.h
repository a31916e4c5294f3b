#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace zell::cli {

struct NodeRunOptions {
  std::string config;
  std::string control_socket;
  std::optional<std::uint64_t> lifeline, parent;
};

/// Runs until SIGTERM, SIGINT or `stop` on its control socket.
[[nodiscard]] int run_one_node(const NodeRunOptions& options);

}  // namespace zell::cli
