#pragma once
// Two sides of bench results: whether one is faster, or whether that can't be told from so few runs.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/result.h"

namespace zell {

enum class Verdict : std::uint8_t { faster, slower, same, inconclusive };
[[nodiscard]] std::string_view to_string(Verdict verdict);

/// Of a new run's figure over a base run's.
struct RatioEstimate {
  double ratio = 1;  ///< the median of all ratios of one of each side (Hodges and Lehmann)
  /// The interval that the rank-sum test (Wilcoxon, Mann and Whitney) yields, exact for any distribution that differs
  /// by a factor only; none if the runs are too few for the confidence asked for.
  std::optional<std::pair<double, double>> interval;
  double confidence = 0;  ///< what that interval has, at least what was asked for; 0 without one
};
/// REQUIRES: at least one value a side, all above 0, at most max_compared_runs each; 0 < confidence < 1.
[[nodiscard]] RatioEstimate estimate_ratio(std::vector<double> base, std::vector<double> fresh, double confidence);
inline constexpr std::size_t max_compared_runs = 100;

struct CompareOptions {
  double confidence = 0.95;  ///< for each figure by itself
  double within = 0.02;      ///< ratios so near to 1 are the same
  bool force = false;        ///< compare also what was run in different configurations
};

struct ComparedFigure {
  std::string name, unit;
  bool higher_is_better = false;
  double base_median = 0, new_median = 0;
  RatioEstimate estimate;
  Verdict verdict = Verdict::inconclusive;
};

struct Comparison {
  std::vector<ComparedFigure> figures;
  /// Figures that not all documents have, or that are zero somewhere.
  std::vector<std::string> left_out;
  /// "rate (null, 500)": what differs in the configurations, and in the machines.
  std::vector<std::string> different_config, different_machine;
  /// Slower if any figure is; else faster if any is; the same if all are; else inconclusive.
  Verdict verdict = Verdict::inconclusive;
};

/// The interval's ends on one side of 1, and the ratio farther off than `within`: faster or slower. The whole interval
/// within: the same. Anything else: inconclusive.
[[nodiscard]] Verdict judge(const RatioEstimate& estimate, bool higher_is_better, double within);

/// Codes: "different-configs" (unless forced), "too-many".
[[nodiscard]] Result<Comparison> compare_results(const std::vector<nlohmann::json>& base,
                                                 const std::vector<nlohmann::json>& fresh,
                                                 const CompareOptions& options);

}  // namespace zell
