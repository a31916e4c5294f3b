#pragma once
// How often values fell into which range.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace zell {

/// Upper bounds in seconds: of a write to disk, and of a request's way through the cluster.
inline constexpr double commit_seconds_bounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                   0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
inline constexpr double finality_seconds_bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                     0.5,   1,      2.5,   5,    10,    30,   60};

/// As Prometheus counts; the one of the bench is finer, and has no fixed bounds. Not thread-safe. Noting a value takes
/// a few nanoseconds.
class BucketHistogram {
 public:
  /// `bounds`: ascending, finite; they outlive it.
  explicit BucketHistogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}

  /// A value that is a bound belongs to it; one above all of them counts, too.
  void note(double value) {
    auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    ++counts_[static_cast<std::size_t>(bound - bounds_.begin())];
    ++count_;
    sum_ += value;
  }
  void note(std::chrono::microseconds took) { note(std::chrono::duration<double>(took).count()); }

  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }
  /// Of the values up to bound i and above the one before.
  [[nodiscard]] std::uint64_t count_in(std::size_t i) const { return counts_[i]; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  std::span<const double> bounds_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace zell
