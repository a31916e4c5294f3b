#pragma once
// A node's own clock: it starts anywhere, runs a little wrong, and may jump ahead; it never goes back.

#include "node/types/ids.h"

namespace zell::simulation {

class Clock {
 public:
  Clock() = default;
  Clock(Instant local, std::int32_t drift, Instant now) : local_(local), set_at_(now), drift_(drift) {}

  [[nodiscard]] Instant read(Instant now) const {
    auto passed = (now - set_at_).count();
    return local_ + Duration(passed + passed * drift_ / million);
  }
  /// How long until it shows `local`, in true time.
  [[nodiscard]] Duration until(Instant local, Instant now) const {
    auto left = (local - read(now)).count();
    if (left <= 0) return Duration{0};
    return Duration(left * million / (million + drift_) + 1);
  }
  void jump(Duration ahead, Instant now) { *this = Clock(read(now) + ahead, drift_, now); }
  void correct(Instant now) { *this = Clock(read(now), 0, now); }

 private:
  static constexpr std::int64_t million = 1'000'000;
  Instant local_{}, set_at_{};
  std::int64_t drift_ = 0;  ///< millionths too fast
};

}  // namespace zell::simulation
