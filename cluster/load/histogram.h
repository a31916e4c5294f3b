#pragma once
// Counts of latencies by value, in bounded memory: a log-linear (HDR) histogram, and its percentiles as text.

#include <cstdint>
#include <string>
#include <vector>

namespace zell {

/// Buckets of width 1 for small values and, beyond, 2^significant_bits buckets for each doubling: what is read back is
/// above what was recorded by at most the part 2^-significant_bits of it. 30 KiB with 7 bits. Not thread-safe.
class Histogram {
 public:
  /// Larger values are counted as this one, and in saturated(): 19 hours in microseconds.
  static constexpr std::uint64_t max_value = (1ULL << 36) - 1;

  /// What was counted between two values, both included.
  struct Bucket {
    std::uint64_t lower, upper, count;
    bool operator==(const Bucket&) const = default;
  };

  /// REQUIRES: 1 to 14 bits.
  explicit Histogram(unsigned significant_bits = 7);

  void record(std::uint64_t value_us, std::uint64_t count = 1);
  /// As if all that `other` has recorded had been recorded here, too. REQUIRES: as many significant bits.
  void add(const Histogram& other);

  [[nodiscard]] unsigned significant_bits() const { return bits_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// How many were above max_value.
  [[nodiscard]] std::uint64_t saturated() const { return saturated_; }
  /// Exact, as are min() and max(); 0 when nothing was recorded.
  [[nodiscard]] double mean() const;
  [[nodiscard]] std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  /// The smallest value that `p` percent of all do not exceed, as its bucket's upper bound, never above max(). p is
  /// 0 to 100; 0 when nothing was recorded.
  [[nodiscard]] std::uint64_t percentile(double p) const;
  /// The buckets that hold something, in ascending order.
  [[nodiscard]] std::vector<Bucket> filled() const;

 private:
  unsigned bits_;
  std::uint64_t count_ = 0, saturated_ = 0, min_ = 0, max_ = 0;
  double sum_ = 0;
  std::vector<std::uint64_t> counts_;
};

/// HdrHistogram's percentile distribution (an .hgrm file, which its plotters read), in milliseconds.
[[nodiscard]] std::string percentile_text(const Histogram& histogram);

}  // namespace zell
