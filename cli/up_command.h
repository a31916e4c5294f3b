#pragma once

#include <optional>
#include <string>

#include "cli/commands.h"
#include "cluster/registry.h"
#include "cluster/unique_fd.h"

namespace zell::cli {

struct UpOptions {
  std::string name;
  std::optional<std::uint64_t> nodes, seed, base_port;
  std::optional<std::string> stakes;
  bool ephemeral = false;
  bool foreground = false;
  std::uint64_t timeout_ms = 30'000;
};

/// Makes the cluster if there is none of that name, starts it, and waits until a probe is final on every node.
[[nodiscard]] int up(const Globals& globals, const UpOptions& options);

/// `zell up --foreground`, once it is up: shows the logs until Ctrl-C (down; a second one kills) or until the cluster
/// goes down. `owner` is what keeps it up.
[[nodiscard]] int stay_in_foreground(const FoundCluster& cluster, std::int64_t supervisor_pid, UniqueFd owner);

}  // namespace zell::cli
