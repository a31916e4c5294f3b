#include "tests/simulation/plan.h"

#include <algorithm>
#include <numeric>

#include "node/base/prng.h"

namespace zell::simulation {

std::string_view to_string(Behaviour behaviour) {
  static constexpr std::string_view names[behaviour_count] = {
      "equivocate",       "bad-bodies",   "invalid-proposal", "oversize",  "mute",         "slow",
      "starve",           "unfed",        "ignore",           "show-one",  "censor",       "lie-height",
      "double-lock",      "double-final", "early-final",      "hide-lock", "bad-new-view", "false-challenge",
      "hoard-challenges", "forge",        "foreign",          "malleate",  "replay",       "flood",
      "far-future",       "bad-chunks",   "withhold",         "mutate",    "twins"};
  return names[static_cast<std::size_t>(behaviour)];
}

namespace {

using std::chrono::milliseconds;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool chance(std::uint32_t percent) { return random_.chance(percent * 10'000); }
  Duration ms(std::uint64_t low, std::uint64_t high) { return milliseconds(low + below(high - low + 1)); }
  /// A mean gap, in that many percent of the runs.
  Duration sometimes(std::uint32_t percent, std::uint64_t low, std::uint64_t high) {
    auto gap = ms(low, high);
    return chance(percent) ? gap : Duration{0};
  }
  std::uint32_t rate(std::uint32_t percent, std::uint32_t most) {
    auto per_million = static_cast<std::uint32_t>(below(most));
    return chance(percent) ? per_million : 0;
  }

 private:
  Prng random_;
};

void draw_members(Plan& plan, Draw& draw) {
  static constexpr std::size_t sizes[] = {4, 4, 4, 4, 5, 7, 7, 10, 6, 1};
  plan.nodes = sizes[draw.below(10)];
  plan.stakes.assign(plan.nodes, 1);
  if (plan.nodes == 5) plan.stakes = {2, 1, 1, 1, 1};
  if (plan.nodes == 6) plan.stakes = {3, 1, 2, 1, 2, 1};
}

void draw_network(Plan& plan, Draw& draw) {
  plan.ordered = draw.chance(50);
  plan.loss = draw.rate(40, 80'000);
  plan.duplicate = draw.rate(30, 100'000);
  plan.spike = draw.rate(30, 20'000);
  if (draw.chance(30)) plan.delay_max = draw.ms(5, 60);
  plan.partition_every = draw.sometimes(30, 300, 1'500);
  plan.one_way_every = draw.sometimes(25, 300, 1'500);
  plan.clog_every = draw.sometimes(25, 200, 1'000);
  plan.reset_every = draw.sometimes(30, 50, 600);
}

void draw_machines(Plan& plan, Draw& draw) {
  if (draw.chance(30)) plan.disk_max = draw.ms(5, 80);
  plan.slow_disk_every = draw.sometimes(20, 300, 1'500);
  plan.disk_error_every = draw.sometimes(20, 300, 1'500);
  plan.crash_every = draw.sometimes(40, 150, 1'500);
  plan.cut_short_every = draw.sometimes(40, 100, 1'000);
  plan.pause_every = draw.sometimes(25, 300, 1'500);
  plan.clock_jump_every = draw.sometimes(20, 300, 1'500);
  plan.drift = draw.rate(30, 50'000);
  plan.manual_every = draw.sometimes(40, 100, 1'000);
}

Behaviours draw_behaviours(Draw& draw) {
  Behaviours out;
  auto count = 1 + draw.below(4);
  while (out.count() < count) out.set(draw.below(behaviour_count));
  return out;
}

/// Any set of nodes whose stake stays under a third. Most often each lies; now and then one forgets instead.
void draw_faulty(Plan& plan, Draw& draw) {
  bool liars = draw.chance(70), forgetful = draw.chance(30);
  plan.collude = draw.chance(60);
  std::vector<std::uint16_t> order(plan.nodes);
  std::iota(order.begin(), order.end(), std::uint16_t{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[draw.below(i)]);
  for (auto node : order) {
    auto before = plan;
    if (forgetful && !plan.wiped && !plan.restored) {
      (draw.chance(50) ? plan.wiped : plan.restored) = NodeId{node};
    } else if (liars) {
      plan.liars.push_back({{node}, draw_behaviours(draw)});
    }
    if (!plan.is_tolerable()) plan = before;
  }
  std::sort(plan.liars.begin(), plan.liars.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
}

void draw_disks(Plan& plan, Draw& draw) {
  plan.real_disks = true;
  plan.power_cut_every = draw.sometimes(70, 100, 1'000);
  if (!draw.chance(60)) return;
  plan.wiped.reset();
  plan.restored.reset();
  plan.rotted = NodeId{static_cast<std::uint16_t>(draw.below(plan.nodes))};
  if (!plan.is_tolerable()) plan.liars.clear();
  if (!plan.is_tolerable()) plan.rotted.reset();
}

/// The same cluster where nothing goes wrong, but that connections are cut and made again at once.
Plan calm_plan(const Plan& plan, Draw& draw) {
  Plan calm;
  calm.seed = plan.seed;
  calm.nodes = plan.nodes;
  calm.stakes = plan.stakes;
  calm.real_signatures = plan.real_signatures;
  calm.requests = plan.requests;
  calm.delay_max = draw.ms(1, 15);
  calm.disk_max = draw.ms(1, 15);
  calm.reset_every = draw.sometimes(60, 250, 1'000);
  calm.calm = true;
  return calm;
}

}  // namespace

Plan Plan::from(std::uint64_t seed) {
  Draw draw(seed);
  Plan plan;
  plan.seed = seed;
  draw_members(plan, draw);
  draw_network(plan, draw);
  draw_machines(plan, draw);
  draw_faulty(plan, draw);
  plan.requests = 8 + draw.below(25);
  plan.chaos = draw.ms(500, 4'000);
  plan.real_signatures = seed % 100 == 99;
  plan.verify_honest = seed % 4 == 3;  // a third of a run's time
  plan.watch_patience = seed % 16 == 3;
  plan.steady = seed % 8 == 2;
  if (plan.steady) plan.heal_limit = milliseconds(40'000);
  if (seed % 32 == 9) draw_disks(plan, draw);
  if (seed % 16 == 7) plan = calm_plan(plan, draw);
  return plan;
}

bool Plan::is_timely() const {
  // Forward, Proposal, LOCK, LC, FINAL and FC, with a commit before each of the votes and the proposal.
  return 6 * delay_max + 3 * disk_max < milliseconds(300);
}

bool Plan::is_tolerable() const {
  auto total = std::accumulate(stakes.begin(), stakes.end(), std::uint64_t{0});
  std::uint64_t faulty = 0;
  for (std::uint16_t i = 0; i < nodes; ++i) {
    if (!honest({i}) || is_forgetful({i})) faulty += stakes[i];
  }
  return 3 * faulty < total || faulty == 0;
}

bool Plan::honest(NodeId node) const {
  return std::none_of(liars.begin(), liars.end(), [&](const auto& liar) { return liar.node == node; });
}

Behaviours Plan::behaviours_of(NodeId node) const {
  for (const auto& liar : liars) {
    if (liar.node == node) return liar.behaviours;
  }
  return {};
}

}  // namespace zell::simulation
