#include <catch2/catch.hpp>
#include <set>

#include "tests/simulation/diagram.h"
#include "tests/simulation/plan_text.h"
#include "tests/simulation/shrink.h"
#include "tests/simulation/world.h"

using namespace zell;
using namespace zell::simulation;

namespace {

/// The first seed at or after `from` with a liar that does this.
Plan plan_with(Behaviour behaviour, std::uint64_t from) {
  for (std::uint64_t seed = from;; ++seed) {
    auto plan = Plan::from(seed);
    for (const auto& liar : plan.liars) {
      if (liar.behaviours[static_cast<std::size_t>(behaviour)]) return plan;
    }
  }
}

}  // namespace

TEST_CASE("the same seed gives the same run, bit for bit") {
  std::set<Hash> traces;
  for (std::size_t behaviour = 0; behaviour < behaviour_count; ++behaviour) {
    auto plan = plan_with(static_cast<Behaviour>(behaviour), 1'000 + 100 * behaviour);
    INFO(text_of(plan));
    auto first = run(plan), second = run(plan);
    CHECK(first.violation.empty());
    CHECK(first.trace == second.trace);
    CHECK(first.steps == second.steps);
    CHECK(first.messages == second.messages);
    CHECK(first.seen == second.seen);
    traces.insert(first.trace);
  }
  CHECK(traces.size() == behaviour_count);  // and another seed gives another
}

TEST_CASE("a plan written as text is the plan that it was written from") {
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    auto plan = Plan::from(seed);
    auto text = differences(plan, Plan{});
    INFO(text);
    Plan copy;
    copy.seed = seed;
    std::string why;
    REQUIRE(change_plan(copy, text, why));
    CHECK(differences(copy, plan).empty());
  }
}

TEST_CASE("a plan refuses text that no run could follow") {
  for (const auto* text : {"loss", "loss=", "loss=a", "lost=1", "chaos=5", "liars=n2", "liars=n2:fly", "wiped=2",
                           "nodes=0", "wiped=n9", "liars=n1:mute/n2:mute", "delay-min=9ms"}) {
    INFO(text);
    Plan plan;
    plan.stakes.assign(plan.nodes, 1);
    std::string why;
    CHECK_FALSE(change_plan(plan, text, why));
    CHECK_FALSE(why.empty());
  }
}

TEST_CASE("every plan drawn keeps the faulty under a third of the stake, and often reaches it") {
  std::size_t full = 0;
  for (std::uint64_t seed = 1; seed < 2'000; ++seed) {
    auto plan = Plan::from(seed);
    CHECK(plan.is_tolerable());
    full += plan.nodes >= 7 && plan.liars.size() == (plan.nodes - 1) / 3;
  }
  CHECK(full > 100);
}

TEST_CASE("where nothing goes wrong, no view changes, no one is challenged, nothing is refused or accused") {
  for (std::size_t nodes : {1u, 4u, 7u, 10u}) {
    Plan plan;
    plan.seed = 4'000 + nodes;
    plan.nodes = nodes;
    plan.stakes.assign(nodes, 1);
    plan.calm = true;
    INFO(text_of(plan));
    auto outcome = run(plan);
    CHECK(outcome.violation.empty());
    CHECK(outcome.final_requests == plan.requests);
    CHECK(outcome.view_changes == 0);
    for (const auto& [what, n] : outcome.seen) {
      INFO(what);
      CHECK((n == 0 || what.starts_with("runs: ") || what.starts_with("most: ")));
    }
  }
}

TEST_CASE("with a member silent for good, the rest finalise everything and do not accuse it") {
  Plan plan;
  plan.seed = 5'000;
  plan.stakes.assign(plan.nodes, 1);
  plan.liars = {{{0}, Behaviours{}.set(static_cast<std::size_t>(Behaviour::mute))}};
  INFO(text_of(plan));
  auto outcome = run(plan);
  CHECK(outcome.violation.empty());
  CHECK(outcome.view_changes >= 1);
  for (const auto& [what, n] : outcome.seen) {
    INFO(what);
    CHECK((n == 0 || !what.starts_with("evidence")));
  }
}

TEST_CASE("shrinking leaves nothing that the failure does not need") {
  Plan plan = Plan::from(12);
  plan.heal_limit = Duration(1);  // nobody can be done by then
  auto before = run(plan).violation;
  REQUIRE(before.starts_with("no progress after healing"));
  auto shrunk = shrink(plan, 1'000);
  INFO(text_of(shrunk.plan));
  CHECK(kind_of(shrunk.violation) == kind_of(before));
  CHECK(run(shrunk.plan).violation == shrunk.violation);
  CHECK(shrunk.plan.requests == 1);
  CHECK(shrunk.plan.nodes == 1);
  CHECK(shrunk.plan.liars.empty());
  CHECK(shrunk.plan.loss + shrunk.plan.duplicate + shrunk.plan.spike == 0);
  CHECK(shrunk.plan.crash_every.count() == 0);
}

TEST_CASE("a diagram has a column for each node and an arrow for each message") {
  Recorder steps(2);
  steps.say({900}, "forgotten: only the newest are kept");
  steps.arrived({1'000}, {2'000}, {0}, {2}, Vote{Phase::lock, {3}, {{7}, {}}, {0}, {}});
  steps.say({2'500}, "n3 moves to view 4");
  CHECK(steps.as_text(3) ==
        "            n1      n2      n3      \n"
        "2.0ms       o-------------->|       Vote LOCK 3:7\n"
        "2.5ms       |       |       |       ** n3 moves to view 4\n");
  auto drawing = steps.as_svg(3);
  CHECK(drawing.find("marker-end") != std::string::npos);
  CHECK(drawing.find("Vote LOCK 3:7") != std::string::npos);
  CHECK(drawing.find("forgotten") == std::string::npos);
}
