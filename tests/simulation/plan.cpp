#include "tests/simulation/plan.h"

#include "node/base/prng.h"

namespace zell::simulation {

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::equivocate:
      return "equivocate";
    case Fault::hide_lock:
      return "hide-lock";
    case Fault::censor:
      return "censor";
    case Fault::invalid_proposal:
      return "invalid-proposal";
    case Fault::mute:
      return "mute";
    case Fault::double_vote:
      return "double-vote";
    case Fault::slow:
      return "slow";
  }
  return "unknown";
}

namespace {

/// The same cluster where nothing goes wrong.
Plan calm_plan(const Plan& plan, Duration delay_max, Duration disk_max) {
  Plan calm;
  calm.seed = plan.seed;
  calm.nodes = plan.nodes;
  calm.stakes = plan.stakes;
  calm.real_signatures = plan.real_signatures;
  calm.requests = plan.requests;
  calm.delay_max = delay_max;
  calm.disk_max = disk_max;
  calm.calm = true;
  return calm;
}

}  // namespace

Plan Plan::from(std::uint64_t seed) {
  Prng random(seed);
  auto ms = [&](std::uint64_t low, std::uint64_t high) {
    return Duration((low + random.below(high - low + 1)) * 1'000);
  };
  auto sometimes = [&](std::uint32_t per_million, Duration value) {
    return random.chance(per_million) ? value : Duration{0};
  };
  Plan plan;
  plan.seed = seed;
  static constexpr std::size_t sizes[] = {4, 4, 4, 4, 5, 7, 10, 1};
  plan.nodes = sizes[random.below(8)];
  plan.stakes.assign(plan.nodes, 1);
  if (plan.nodes == 5) plan.stakes = {2, 1, 1, 1, 1};
  // Each run draws its own mix: one mix misses bugs.
  if (random.chance(500'000)) plan.loss = static_cast<std::uint32_t>(random.below(80'000));
  if (random.chance(300'000)) plan.duplicate = static_cast<std::uint32_t>(random.below(100'000));
  if (random.chance(300'000)) plan.spike = static_cast<std::uint32_t>(random.below(20'000));
  if (random.chance(300'000)) plan.delay_max = ms(5, 60);
  if (random.chance(300'000)) plan.disk_max = ms(5, 80);
  plan.crash_every = sometimes(600'000, ms(150, 2'500));
  plan.partition_every = sometimes(400'000, ms(500, 3'000));
  plan.pause_every = sometimes(300'000, ms(500, 3'000));
  plan.manual_every = sometimes(400'000, ms(100, 1'500));
  bool lone = plan.nodes < 4;
  if (!lone && random.chance(600'000)) {
    plan.fault = static_cast<Fault>(1 + random.below(fault_count - 1));
    plan.faulty = {static_cast<std::uint16_t>(random.below(plan.nodes))};
    if (plan.stakes[plan.faulty.value] > 1) plan.faulty.value = 1;
  }
  // A wiped node counts as faulty until it has rejoined: never together with a liar when only one is tolerated.
  plan.wipe = !lone && plan.fault == Fault::none && random.chance(600'000);
  plan.real_signatures = seed % 100 == 99;
  if (plan.real_signatures) plan.requests = 20;
  plan.watch_patience = seed % 8 == 3;
  // Two NewViews can only differ where many views change.
  if (plan.fault == Fault::equivocate && seed % 2 == 0) plan.manual_every = std::chrono::milliseconds(250);
  if (seed % 16 == 7) plan = calm_plan(plan, ms(1, 15), ms(1, 15));
  return plan;
}

bool Plan::is_timely() const {
  // Forward, Proposal, LOCK, LC, FINAL and FC, with a commit before each of the votes and the proposal.
  return 6 * delay_max + 3 * disk_max < std::chrono::milliseconds(300);
}

std::string Plan::text() const {
  auto ms = [](Duration d) { return std::to_string(d.count() / 1'000) + "ms"; };
  return "seed " + std::to_string(seed) + ": " + std::to_string(nodes) + " nodes, fault " +
         std::string(to_string(fault)) + (fault == Fault::none ? "" : " of n" + std::to_string(faulty.value + 1)) +
         ", loss " + std::to_string(loss) + "/M, duplicates " + std::to_string(duplicate) + "/M, spikes " +
         std::to_string(spike) + "/M, delay <= " + ms(delay_max) + ", disk <= " + ms(disk_max) + ", crash every " +
         ms(crash_every) + ", partition every " + ms(partition_every) + ", pause every " + ms(pause_every) +
         ", challenge every " + ms(manual_every) + (wipe ? ", one wipe" : "") + (calm ? ", calm" : "") +
         (real_signatures ? ", real signatures" : "");
}

}  // namespace zell::simulation
