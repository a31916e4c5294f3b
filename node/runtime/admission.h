#pragma once
// How many requests a node takes in: about as many as it saw become final in a second, so that whoever is let in waits
// about a second at most, however much is offered.

#include <array>
#include <cstddef>
#include <cstdint>

#include "node/types/ids.h"

namespace zell {

/// Loop thread only. By Little's law requests under way = rate * time, so a bound on those under way that follows the
/// rate bounds the time. It starts low and lets the rate grow by itself: while a request takes 50 ms, twentyfold in a
/// second.
class Admission {
 public:
  /// So much may be under way before anything is known of the rate: this many requests, or bytes.
  static constexpr std::size_t least_requests = 1'024, least_bytes = 1 << 20, least_of_large = 16;

  /// How many more requests may be taken in. `under_way`: taken in here, and not final; `mean_bytes`: of those that
  /// come.
  [[nodiscard]] std::size_t room(Instant now, std::size_t under_way, std::size_t mean_bytes);
  /// Of the requests under way `count` have become final.
  void finalised(Instant now, std::size_t count);

 private:
  static constexpr std::int64_t slice_us = 100'000;
  void advance(Instant now);

  std::array<std::size_t, 10> slices_{};  ///< final in each tenth of the last second
  std::int64_t newest_ = 0;               ///< the newest slice, counted from time 0
  std::size_t in_a_second_ = 0;
};

}  // namespace zell
