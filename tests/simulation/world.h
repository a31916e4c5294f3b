#pragma once
// One simulated run: real cores, a simulated network, clocks and disks, clients, and liars. Everything comes from one
// seed; the same plan gives the same trace, bit for bit.

#include <string>

#include "tests/simulation/journal.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/witness.h"

namespace zell::simulation {

struct Outcome {
  Hash trace;  ///< of every input and effect of every node, in order
  std::uint64_t steps = 0, messages = 0;
  std::uint64_t view_changes = 0;  ///< highest view reached
  std::uint64_t final_requests = 0;
  Seen seen;
  std::string violation;  ///< empty if none
};

/// Runs one plan. `journal` (may be null) is told what happens.
[[nodiscard]] Outcome run(const Plan& plan, Journal* journal = nullptr);

}  // namespace zell::simulation
