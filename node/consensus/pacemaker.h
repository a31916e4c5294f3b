#pragma once
// When a node loses patience with its leader: the view timeout T0 * 2^k, capped, and what counts as life and progress.

#include <algorithm>
#include <optional>

#include "node/types/genesis.h"

namespace zell {

class Pacemaker {
 public:
  explicit Pacemaker(const Parameters& parameters) : parameters_(parameters) {}

  [[nodiscard]] Duration timeout() const { return scaled(parameters_.view_timeout_ms); }
  /// `ms` * 2^k, capped like the view timeout (but never below `ms`): patience with whatever a slow cluster is late
  /// with.
  [[nodiscard]] Duration scaled(std::uint64_t ms) const {
    const std::uint64_t cap = std::max<std::uint64_t>(ms, parameters_.view_timeout_cap_ms);
    for (unsigned i = 0; i < back_off_ && ms < cap; ++i) ms *= 2;
    return std::chrono::milliseconds(std::min(ms, cap));
  }

  /// k rises by one with each move; nothing runs until start().
  void moved(Instant now) {
    if (timeout() < std::chrono::milliseconds(parameters_.view_timeout_cap_ms)) ++back_off_;
    running_since_.reset();
    begin_period(now);
  }
  /// ViewChanges of a quorum are held, or the node became active, or a quorum of peers is connected again.
  void start(Instant now) {
    running_since_ = heard_ = progress_ = now;
    begin_period(now);
  }
  void stop() { running_since_.reset(); }
  [[nodiscard]] bool running() const { return running_since_.has_value(); }

  void heard_leader(Instant now) { heard_ = now; }
  void progressed(Instant now) {
    progress_ = now;
    period_progress_ = true;
  }
  /// Work was empty until now: stalling counts from here.
  void work_began(Instant now) { progress_ = std::max(progress_, now); }
  void complained() { period_complaint_ = true; }

  /// k falls by one for each full timeout in which something was finalised and this node had no complaint.
  void tick(Instant now) {
    if (!running_since_ || now - period_start_ < timeout()) return;
    if (period_progress_ && !period_complaint_ && back_off_ > 0) --back_off_;
    begin_period(now);
  }

  [[nodiscard]] Instant unresponsive_at() const { return heard_ + timeout(); }
  [[nodiscard]] Instant stalled_at() const { return progress_ + timeout(); }
  [[nodiscard]] Instant ask_peers_at() const { return heard_ + timeout() / 2; }
  [[nodiscard]] Instant period_ends_at() const { return period_start_ + timeout(); }
  [[nodiscard]] Instant heard() const { return heard_; }
  [[nodiscard]] Instant progress() const { return progress_; }

 private:
  void begin_period(Instant now) {
    period_start_ = now;
    period_progress_ = period_complaint_ = false;
  }
  const Parameters& parameters_;
  unsigned back_off_ = 0;  // k; T0 * 2^k stops growing at the cap
  std::optional<Instant> running_since_;
  Instant heard_{}, progress_{}, period_start_{};
  bool period_progress_ = false, period_complaint_ = false;
};

}  // namespace zell
