#pragma once
// How long a blocking call may still take.

#include <algorithm>
#include <chrono>

namespace zell {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Deadline(std::chrono::milliseconds from_now) : at_(Clock::now() + from_now) {}
  /// Never below 0.
  [[nodiscard]] std::chrono::milliseconds left() const {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at_ - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }
  [[nodiscard]] bool passed() const { return Clock::now() >= at_; }

 private:
  Clock::time_point at_;
};

}  // namespace zell
