#include "tests/simulation/shrink.h"

#include <algorithm>
#include <vector>

#include "tests/simulation/plan_text.h"
#include "tests/simulation/world.h"

namespace zell::simulation {
namespace {

constexpr std::uint64_t seeds_each = 12;

using Plans = std::vector<Plan>;

/// The plan with one field as in a plan without faults.
void drop_fields(const Plan& plan, Plans& out) {
  static const std::vector<std::string> kept = {"nodes", "stakes",     "liars",        "requests",
                                                "chaos", "heal-limit", "verify-honest"};
  Plan plain;
  for (const auto& field : plan_fields()) {
    if (std::find(kept.begin(), kept.end(), field) != kept.end()) continue;
    Plan smaller = plan;
    std::string why;
    auto value = value_of(plain, field);
    if (value != value_of(plan, field) && change_plan(smaller, field + "=" + value, why)) out.push_back(smaller);
  }
}

void drop_liars(const Plan& plan, Plans& out) {
  for (std::size_t i = 0; i < plan.liars.size(); ++i) {
    Plan smaller = plan;
    smaller.liars.erase(smaller.liars.begin() + static_cast<std::ptrdiff_t>(i));
    out.push_back(smaller);
  }
  for (std::size_t i = 0; i < plan.liars.size(); ++i) {
    for (std::size_t behaviour = 0; behaviour < behaviour_count; ++behaviour) {
      if (!plan.liars[i].behaviours[behaviour] || plan.liars[i].behaviours.count() == 1) continue;
      Plan smaller = plan;
      smaller.liars[i].behaviours.reset(behaviour);
      out.push_back(smaller);
    }
  }
}

/// One node less: the last one that is not faulty, with those after it moved down.
void drop_node(const Plan& plan, Plans& out) {
  auto moved = [](NodeId node, std::uint16_t gone) {
    return NodeId{static_cast<std::uint16_t>(node.value > gone ? node.value - 1 : node.value)};
  };
  for (auto gone = static_cast<std::uint16_t>(plan.nodes); gone-- > 0;) {
    if (!plan.honest({gone}) || plan.is_forgetful({gone})) continue;
    Plan smaller = plan;
    --smaller.nodes;
    smaller.stakes.erase(smaller.stakes.begin() + gone);
    for (auto& liar : smaller.liars) liar.node = moved(liar.node, gone);
    for (auto* forgetful : {&smaller.wiped, &smaller.restored, &smaller.rotted}) {
      if (*forgetful) *forgetful = moved(**forgetful, gone);
    }
    if (smaller.nodes > 0 && smaller.is_tolerable()) out.push_back(smaller);
    return;
  }
}

void shorten(const Plan& plan, Plans& out) {
  for (auto requests : {plan.requests / 2, plan.requests - 1}) {
    if (requests == 0 || requests >= plan.requests) continue;
    out.push_back(plan);
    out.back().requests = requests;
  }
  for (auto part : {2, 4}) {
    auto chaos = plan.chaos - plan.chaos / part;
    if (chaos < std::chrono::milliseconds(50)) continue;
    out.push_back(plan);
    out.back().chaos = chaos;
  }
}

Plans smaller_plans(const Plan& plan) {
  Plans out;
  drop_liars(plan, out);
  drop_fields(plan, out);
  drop_node(plan, out);
  shorten(plan, out);
  return out;
}

}  // namespace

std::string kind_of(const std::string& violation) {
  std::string out;
  for (char c : violation.substr(0, violation.find(';'))) {
    if (c < '0' || c > '9') out += c;
  }
  return out;
}

Shrunk shrink(const Plan& plan, std::uint64_t most_runs, const std::function<void(const Plan&)>& progress) {
  Shrunk out{plan, run(plan).violation, 1};
  auto kind = kind_of(out.violation);
  auto fails = [&](Plan smaller) {
    for (std::uint64_t i = 0; i < seeds_each && out.tried < most_runs; ++i, ++smaller.seed) {
      ++out.tried;
      auto violation = run(smaller).violation;
      if (violation.empty() || kind_of(violation) != kind) continue;
      out.plan = smaller;
      out.violation = violation;
      if (progress) progress(smaller);
      return true;
    }
    return false;
  };
  for (bool again = true; again && out.tried < most_runs;) {
    again = false;
    for (const auto& smaller : smaller_plans(out.plan)) {
      if ((again = fails(smaller))) break;
    }
  }
  return out;
}

}  // namespace zell::simulation
