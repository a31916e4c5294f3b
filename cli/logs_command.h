#pragma once

#include <string>

#include "cli/commands.h"

namespace zell::cli {

struct LogsOptions {
  std::string selector = "all";
  std::uint64_t tail = 50;
  bool follow = false;
  std::string grep;
};

/// The logs of nodes as one stream, a coloured prefix for each.
[[nodiscard]] int node_logs(const Globals& globals, const LogsOptions& options);

}  // namespace zell::cli
