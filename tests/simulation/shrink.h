#pragma once
// Makes a failing plan smaller, as long as it still fails in the same way.

#include <functional>
#include <string>

#include "tests/simulation/plan.h"

namespace zell::simulation {

/// A violation without its numbers: two that read alike are taken for the same failure.
[[nodiscard]] std::string kind_of(const std::string& violation);

struct Shrunk {
  Plan plan;
  std::string violation;
  std::uint64_t tried = 0;
};
/// Fewer nodes, liars, behaviours, faults and requests, and less time. Whatever is left out changes what is drawn
/// afterwards, so each smaller plan is tried with a few seeds. REQUIRES: the plan fails. At most `most_runs` runs;
/// `progress` (may be empty) is told of each plan that still fails.
[[nodiscard]] Shrunk shrink(const Plan& plan, std::uint64_t most_runs,
                            const std::function<void(const Plan&)>& progress = {});

}  // namespace zell::simulation
