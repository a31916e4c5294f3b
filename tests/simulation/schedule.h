#pragma once
// Simulated time: what happens next, and when.

#include <algorithm>
#include <functional>
#include <tuple>
#include <vector>

#include "node/types/ids.h"

namespace zell::simulation {

class Schedule {
 public:
  [[nodiscard]] Instant now() const { return now_; }
  /// `act` runs after `delay`; of what is due at one time, what was asked for first.
  void at(Duration delay, std::function<void()> act) {
    due_.push_back({now_ + delay, ++order_, std::move(act)});
    std::push_heap(due_.begin(), due_.end());
  }
  /// Runs what comes next. False: nothing is left until `limit`.
  bool run_next(Instant limit) {
    if (due_.empty() || due_.front().at > limit) return false;
    std::pop_heap(due_.begin(), due_.end());
    auto next = std::move(due_.back());
    due_.pop_back();
    now_ = next.at;
    next.act();
    return true;
  }

 private:
  struct Due {
    Instant at;
    std::uint64_t order;
    std::function<void()> act;
    bool operator<(const Due& other) const { return std::tie(other.at.us, other.order) < std::tie(at.us, order); }
  };
  std::vector<Due> due_;
  std::uint64_t order_ = 0;
  Instant now_{1'000'000};
};

}  // namespace zell::simulation
