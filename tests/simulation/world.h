#pragma once
// One simulated run: real cores, a simulated network, clock and disk, clients, and at most one faulty node. Everything
// comes from one seed; the same seed gives the same trace, bit for bit.

#include <functional>
#include <map>
#include <string>

#include "node/types/ids.h"
#include "tests/simulation/plan.h"

namespace zell::simulation {

/// How often a run went through a named situation.
using Seen = std::map<std::string, std::uint64_t>;

struct Outcome {
  Hash trace;  ///< of every input and effect of every node, in order
  std::uint64_t steps = 0, messages = 0;
  std::uint64_t view_changes = 0;  ///< highest view reached
  std::uint64_t final_requests = 0;
  Seen seen;
  std::string violation;  ///< empty if none
};

/// Runs one plan. `log` (may be empty) gets a line for each noteworthy step.
[[nodiscard]] Outcome run(const Plan& plan, const std::function<void(const std::string&)>& log = {});

}  // namespace zell::simulation
