#include "tests/simulation/world_impl.h"

namespace zell::simulation {

using std::chrono::milliseconds;

void World::schedule_chaos() {
  auto repeat = [this](Duration mean, auto act) {
    if (mean.count() == 0) return;
    auto again = std::make_shared<std::function<void()>>();
    *again = [this, mean, act, self = std::weak_ptr(again)] {
      if (healed_) return;
      act();
      if (auto next = self.lock()) at(about(mean), [next] { (*next)(); });
    };
    at(about(mean), [again] { (*again)(); });
  };
  auto any = [this] { return NodeId{static_cast<std::uint16_t>(random_.below(plan_.nodes))}; };
  repeat(plan_.crash_every, [this, any] {
    NodeId id = any();
    // A learner counts as faulty until it has rejoined: less than a third of the stake may be.
    bool tolerable = 3 * plan_.stakes[id.value] < genesis_.total_stake();
    bool wipe = plan_.wipe && tolerable && random_.chance(500'000) && outcome_.seen["rejoined learners"] == 0;
    if (wipe) plan_.wipe = false;
    crash(id, wipe);
    at(between(milliseconds(1), milliseconds(1'500)), [this, id] {
      if (!nodes_[id.value].replica) start(id);
    });
  });
  repeat(plan_.partition_every, [this] {
    std::vector<int> groups(plan_.nodes);
    for (auto& group : groups) group = static_cast<int>(random_.below(2));
    rewire(groups);
    at(between(milliseconds(50), milliseconds(1'500)), [this] { rewire(std::vector<int>(plan_.nodes, 0)); });
  });
  repeat(plan_.pause_every, [this, any] {
    NodeId id = any();
    nodes_[id.value].paused = true;
    at(between(milliseconds(50), milliseconds(1'500)), [this, id, life = nodes_[id.value].life] {
      auto& node = nodes_[id.value];
      if (node.life != life) return;
      node.paused = false;
      step(id, Tick{});
    });
  });
  repeat(plan_.manual_every, [this, any] {
    for (int i = 0; i < 2; ++i) step(any(), ChallengeNow{});
  });
}

void World::heal() {
  healed_ = true;
  observer_.healed(now());
  say("everything heals");
  rewire(std::vector<int>(plan_.nodes, 0));
  for (auto& node : nodes_) {
    node.paused = false;
    if (!node.replica) start(node.id);
    step(node.id, Tick{});
  }
}

}  // namespace zell::simulation
