#pragma once
// How long the leader's batches take from proposal to finality, and how long the next one waits for them.

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "node/consensus/pacemaker.h"

namespace zell {

/// A batch costs signatures, checks and commits that do not depend on its size, and what is checked for one batch keeps
/// the votes for another waiting: where rounds are long because much is going on, fewer and larger batches shorten
/// them. So a batch closes when the one before it is final, and while that takes no longer than usual nothing overtakes
/// it. Where rounds are long because the network is, a bound keeps requests from waiting for all of one.
class BatchRounds {
 public:
  /// A batch that ends at `end` was proposed. In the order of the log.
  void proposed(Index end, Instant now) { open_.emplace_back(end, now); }
  /// All up to `index` is final.
  void finalised(Index index, Instant now) {
    std::optional<Duration> took;
    while (!open_.empty() && open_.front().first <= index) {
      took = now - open_.front().second;
      open_.pop_front();
    }
    if (took) round_ = round_.count() == 0 ? *took : (3 * round_ + *took) / 4;
  }
  /// Of the batches of another view nothing more is heard; how long rounds take is remembered.
  void forget_open() { open_.clear(); }

  /// What waits to be proposed waits at most this long for the batch before it.
  [[nodiscard]] Duration patience() const { return std::clamp(2 * round_, least, most); }

 private:
  static constexpr Duration least = std::chrono::milliseconds(2);
  static constexpr Duration most = std::chrono::milliseconds(100);
  std::deque<std::pair<Index, Instant>> open_;  ///< at most as many as batches may be in flight
  Duration round_{};                            ///< smoothed; zero: none yet
};

}  // namespace zell
