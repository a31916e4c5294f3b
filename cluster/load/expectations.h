#pragma once
// What a bench must show: "p99<50ms,rate>9000".

#include <string>
#include <string_view>
#include <vector>

#include "cluster/load/result.h"

namespace zell {

/// One comparison with a figure of the result.
struct Expectation {
  std::string text;       ///< as it was written
  std::string_view name;  ///< of the figure
  std::string_view sign;  ///< "<", "<=", ">", ">=" or "="
  double bound = 0;
  double unit = 1;        ///< how much of the figure's own unit one of the expression's is
  std::string unit_word;  ///< as it was written; may be empty
};

/// Comparisons with commas between them. Figures: p50 p90 p99 p99.9 max mean min (a time, with us, ms or s), rate
/// (requests a second), ops (operations a second), finalised refused failed unknown (requests), rss (of the node that
/// takes most; bytes, or with KiB, MiB or GiB), disk (bytes written over payload, of the node that writes most).
/// Code "usage".
[[nodiscard]] Result<std::vector<Expectation>> parse_expectations(std::string_view text);

/// Nothing can be said of what was not measured (no latencies, a node that was away): that does not hold.
[[nodiscard]] Asserted check(const Expectation& expectation, const BenchResult& result);

}  // namespace zell
