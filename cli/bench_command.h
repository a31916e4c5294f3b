#pragma once
// zell bench: an open-loop load on a cluster, and what it did to it.

#include <optional>
#include <string>

#include "cli/commands.h"
#include "cluster/load/result.h"

namespace zell::cli {

struct BenchOptions {
  std::optional<std::uint64_t> nodes, rate, clients, size, bundle, in_flight;
  std::uint64_t duration_ms = 10'000, warmup_ms = 2'000, timeout_ms = 30'000;
  std::string sign = "ahead", wait = "finalised", to = "all";
  bool retry = false, limits = false;
  std::string csv, hdr, html;
  std::optional<std::string> expectations;
};

/// Puts on the load and says what it found, without printing it. Ctrl-C: code "interrupted".
[[nodiscard]] Result<BenchResult> measure_bench(const Globals& globals, const BenchOptions& options);
[[nodiscard]] int bench(const Globals& globals, const BenchOptions& options);

}  // namespace zell::cli
