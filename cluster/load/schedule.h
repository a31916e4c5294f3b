#pragma once
// When requests are due under an open-loop load: evenly spaced, fixed before the first is sent.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace zell {

/// Request i, from 0, is due i / rate seconds after the start, whatever became of those before it.
class Schedule {
 public:
  using Time = std::chrono::nanoseconds;

  /// REQUIRES: rate > 0.
  Schedule(double rate, Time length) : gap_ns_(1e9L / rate) {
    total_ = static_cast<std::uint64_t>(std::ceil(static_cast<long double>(length.count()) / gap_ns_));
    while (total_ > 0 && due(total_ - 1) >= length) --total_;
  }

  /// How many are due before the end.
  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] Time due(std::uint64_t i) const {
    return Time(static_cast<std::int64_t>(static_cast<long double>(i) * gap_ns_));
  }
  /// How many of them are due at `time` or before.
  [[nodiscard]] std::uint64_t due_by(Time time) const {
    if (time.count() < 0) return 0;
    auto count = static_cast<std::uint64_t>(static_cast<long double>(time.count()) / gap_ns_) + 1;
    // What rounding made of it.
    while (count > 0 && due(count - 1) > time) --count;
    while (due(count) <= time) ++count;
    return std::min(count, total_);
  }

 private:
  long double gap_ns_;
  std::uint64_t total_ = 0;
};

/// How many of the first `count` requests fall to stream `stream`, when they go to `streams` in turn.
[[nodiscard]] inline std::uint64_t share_of(std::uint64_t count, std::size_t stream, std::size_t streams) {
  return (count + streams - 1 - stream) / streams;
}

}  // namespace zell
