#pragma once

#include <optional>
#include <string>

#include "cli/commands.h"

namespace zell::cli {

struct LogsOptions {
  std::string selector = "all";
  std::optional<std::uint64_t> tail;
  bool follow = false;
  std::string grep, since, level;  ///< empty: not asked for
};

/// The logs of nodes as one stream, a coloured prefix for each.
[[nodiscard]] int node_logs(const Globals& globals, const LogsOptions& options);

/// Tells running nodes what to log from now on, until they are started again.
[[nodiscard]] int set_log_level(const Globals& globals, const std::string& level, const std::string& selector);

}  // namespace zell::cli
