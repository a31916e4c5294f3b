#pragma once
// What this machine can do at most: each kind of work that a node is made of, measured alone.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/load/machine.h"
#include "node/base/result.h"

namespace zell {

/// One figure: the median of short rounds, between which all other work was measured in turn.
struct Limit {
  std::string name;         ///< as in LIMITS.md, e.g. "ecdsa-verify"
  std::string unit;         ///< "us" an operation, or "rows/s", "bytes/s", "frames/s", "checks/s"
  double value = 0;         ///< in that unit
  double per_s = 0;         ///< operations a second; a rate's own value
  double min = 0, max = 0;  ///< of the rounds, in that unit
  std::uint64_t rounds = 0;
  std::uint64_t bytes = 0;  ///< that one operation works on; 0: does not apply
};

struct Limits {
  Machine machine;
  std::vector<Limit> measured;

  /// Null if it was not measured.
  [[nodiscard]] const Limit* find(std::string_view name) const;
};

struct LimitsOptions {
  std::filesystem::path folder;  ///< on the filesystem to measure; exists; a folder is made in it and removed
  std::uint64_t rounds = 5;
  /// After each step: (done, total). False stops: code "interrupted".
  std::function<bool(std::size_t, std::size_t)> progress = [](std::size_t, std::size_t) { return true; };
};

/// Takes about 2 s a round. Codes: "io", "interrupted".
[[nodiscard]] Result<Limits> measure_limits(const LimitsOptions& options);

/// The limits document (LIMITS.md).
[[nodiscard]] nlohmann::ordered_json to_json(const Limits& limits);
/// Reads one. Code "bad-document".
[[nodiscard]] Result<Limits> parse_limits(const nlohmann::json& document);

}  // namespace zell
