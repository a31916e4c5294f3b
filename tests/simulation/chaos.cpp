#include "tests/simulation/world_impl.h"

namespace zell::simulation {

using std::chrono::milliseconds;

void World::repeat(Duration mean, std::function<void()> act) {
  if (mean.count() == 0) return;
  at(between(chaos_random_, mean / 4, mean * 7 / 4), [this, mean, act = std::move(act)] {
    if (healed_) return;
    act();
    repeat(mean, act);
  });
}

std::vector<std::size_t> World::shuffled_links() {
  std::vector<std::size_t> out(links_.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
  for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[chaos_random_.below(i)]);
  return out;
}

void World::start_later(Host& host) {
  at(between(chaos_random_, milliseconds(1), milliseconds(1'200)), [this, place = host.place] {
    if (!hosts_[place].replica) start(hosts_[place]);
  });
}

void World::schedule_chaos() {
  schedule_network_chaos();
  schedule_machine_chaos();
  schedule_memory_loss();
  schedule_twins();
  repeat(plan_.manual_every, [this] {
    for (int i = 0; i < 2; ++i) step(any_host(), ChallengeNow{});
  });
}

void World::schedule_network_chaos() {
  auto mend_later = [this](bool Link::* fault) {
    at(between(chaos_random_, milliseconds(50), milliseconds(1'200)), [this, fault] {
      rewire([&] {
        for (auto& one : links_) one.*fault = false;
      });
    });
  };
  repeat(plan_.partition_every, [this, mend_later] {
    happened("faults: partitions");
    std::vector<std::uint64_t> group;
    for (std::size_t i = 0; i < hosts_.size(); ++i) group.push_back(chaos_random_.below(2));
    rewire([&] {
      for (auto& a : hosts_) {
        for (auto& b : hosts_) link(a, b).down = group[a.place] != group[b.place];
      }
    });
    mend_later(&Link::down);
  });
  repeat(plan_.one_way_every, [this, mend_later] {
    happened("faults: one-way partitions");
    for (auto& one : links_) one.deaf = chaos_random_.chance(300'000);
    mend_later(&Link::deaf);
  });
  repeat(plan_.clog_every, [this] {
    happened("faults: clogged links");
    for (auto i : shuffled_links()) {
      if (links_[i].clogged || !chaos_random_.chance(400'000)) continue;
      links_[i].clogged = true;
      at(between(chaos_random_, milliseconds(10), milliseconds(800)), [this, i] { unclog(links_[i]); });
    }
  });
  repeat(plan_.reset_every, [this] {
    happened("faults: connections reset");
    auto &host = any_host(), &one = any_host();
    bool all = chaos_random_.chance(500'000);  // as when its network card starts anew
    for (auto& other : hosts_) {
      if (all || other.place == one.place) reset_connection(host, other);
    }
  });
}

void World::schedule_machine_chaos() {
  repeat(plan_.crash_every, [this] {
    auto& host = any_host();
    crash(host);
    start_later(host);
  });
  repeat(plan_.cut_short_every, [this] { any_host().cut_short_in = 1 + chaos_random_.below(30); });
  repeat(plan_.disk_error_every, [this] { any_host().disk.failing = true; });
  if (plan_.real_disks) repeat(plan_.power_cut_every, [this] { any_host().disk.real->cut_power_within(60); });
  repeat(plan_.slow_disk_every, [this] {
    happened("faults: slow disks");
    auto& host = any_host();
    host.disk.slowness = 30;
    at(between(chaos_random_, milliseconds(100), milliseconds(1'000)),
       [this, place = host.place] { hosts_[place].disk.slowness = 1; });
  });
  repeat(plan_.clock_jump_every, [this] {
    happened("faults: clocks that jump");
    auto& host = any_host();
    host.clock.jump(between(chaos_random_, milliseconds(1), milliseconds(2'000)), now());
    step(host, Tick{});
  });
  repeat(plan_.pause_every, [this] {
    happened("faults: paused processes");
    auto& host = any_host();
    host.paused = true;
    at(between(chaos_random_, milliseconds(50), milliseconds(1'200)), [this, place = host.place, life = host.life] {
      auto& h = hosts_[place];
      if (h.life == life) resume(h);
    });
  });
}

/// Each forgetful node forgets once, somewhere in the first part of the chaos.
void World::schedule_memory_loss() {
  auto chaos = plan_.chaos;
  if (plan_.wiped) {
    at(between(chaos_random_, chaos / 10, chaos * 6 / 10), [this] {
      auto& host = hosts_[plan_.wiped->value];
      wipe(host);
      start_later(host);
    });
  }
  if (plan_.restored) {
    at(between(chaos_random_, Duration{0}, chaos / 3), [this] { copy_disk(hosts_[plan_.restored->value]); });
    at(between(chaos_random_, chaos / 3, chaos * 8 / 10), [this] {
      auto& host = hosts_[plan_.restored->value];
      restore_copy(host);
      start_later(host);
    });
  }
  if (plan_.rotted) {
    at(between(chaos_random_, chaos / 10, chaos * 8 / 10), [this] {
      auto& host = hosts_[plan_.rotted->value];
      rot(host);
      start_later(host);
    });
  }
}

/// Who runs twice is reached now as one, now as the other, and by some as both.
void World::schedule_twins() {
  if (hosts_.size() == plan_.nodes) return;
  repeat(milliseconds(250), [this] {
    rewire([&] {
      for (auto& touch : touch_) touch = static_cast<std::uint8_t>(chaos_random_.below(3));
    });
  });
}

void World::heal() {
  healed_ = true;
  observer_.healed(now());
  say("everything heals");
  rewire([&] {
    for (auto& one : links_) one.down = one.deaf = false;
  });
  for (auto& one : links_) unclog(one);
  for (auto& host : hosts_) {
    host.cut_short_in = 0;
    host.disk.failing = false;
    host.disk.slowness = 1;
    if (host.disk.real) host.disk.real->mend();
    if (host.disk.failed) crash(host);
    if (!host.replica) start(host);
    host.clock.correct(now());
    resume(host);
  }
}

}  // namespace zell::simulation
