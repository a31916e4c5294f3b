#include <catch2/catch.hpp>
#include <set>

#include "tests/simulation/world.h"

using namespace zell;
using namespace zell::simulation;

namespace {

/// The first seed at or after `from` whose plan has this fault.
Plan plan_with(Fault fault, std::uint64_t from) {
  for (std::uint64_t seed = from;; ++seed) {
    auto plan = Plan::from(seed);
    if (plan.fault == fault && !plan.calm) return plan;
  }
}

}  // namespace

TEST_CASE("the same seed gives the same run, bit for bit") {
  std::set<Hash> traces;
  std::size_t runs = 0;
  for (std::size_t fault = 0; fault < fault_count; ++fault) {
    auto plan = plan_with(static_cast<Fault>(fault), 1'000 + 50 * fault);
    INFO(plan.text());
    auto first = run(plan), second = run(plan);
    CHECK(first.violation.empty());
    CHECK(first.trace == second.trace);
    CHECK(first.steps == second.steps);
    CHECK(first.messages == second.messages);
    CHECK(first.seen == second.seen);
    traces.insert(first.trace);
    ++runs;
  }
  CHECK(traces.size() == runs);  // and another seed gives another
}

TEST_CASE("where nothing goes wrong, no view changes, no one is challenged, nothing is refused or accused") {
  for (std::size_t nodes : {1u, 4u, 7u, 10u}) {
    Plan plan;
    plan.seed = 4'000 + nodes;
    plan.nodes = nodes;
    plan.stakes.assign(nodes, 1);
    plan.calm = true;
    INFO(plan.text());
    auto outcome = run(plan);
    CHECK(outcome.violation.empty());
    CHECK(outcome.final_requests == plan.requests);
    CHECK(outcome.view_changes == 0);
    for (const auto& [what, n] : outcome.seen) {
      INFO(what);
      CHECK((n == 0 || what.starts_with("runs: ")));
    }
  }
}

TEST_CASE("with a member silent for good, the rest finalise everything and do not accuse it") {
  Plan plan;
  plan.seed = 5'000;
  plan.stakes.assign(plan.nodes, 1);
  plan.fault = Fault::mute;
  plan.faulty = {0};
  INFO(plan.text());
  auto outcome = run(plan);
  CHECK(outcome.violation.empty());
  CHECK(outcome.view_changes >= 1);
  for (const auto& [what, n] : outcome.seen) {
    INFO(what);
    CHECK((n == 0 || !what.starts_with("evidence")));
  }
}
