#include "cluster/load/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "node/base/check.h"

namespace zell {
namespace {

constexpr unsigned max_value_bits = 36;

/// The shift says which doubling a value is in: none up to 2^(bits + 1).
std::size_t index_of(std::uint64_t value, unsigned bits) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  const auto shift = width > bits + 1 ? width - (bits + 1) : 0;
  return (static_cast<std::size_t>(shift) << bits) + (value >> shift);
}

Histogram::Bucket bucket_at(std::size_t index, std::uint64_t count, unsigned bits) {
  const auto shift = index < (2ULL << bits) ? 0 : (index >> bits) - 1;
  const auto lower = (index - (shift << bits)) << shift;
  return {lower, lower + (1ULL << shift) - 1, count};
}

}  // namespace

Histogram::Histogram(unsigned significant_bits) : bits_(significant_bits) {
  ZELL_CHECK(significant_bits >= 1 && significant_bits <= 14);
  counts_.resize(index_of(max_value, bits_) + 1);
  static_assert(std::bit_width(max_value) == max_value_bits);
}

void Histogram::record(std::uint64_t value_us, std::uint64_t count) {
  if (count == 0) return;
  if (value_us > max_value) saturated_ += count;
  const auto value = std::min(value_us, max_value);
  counts_[index_of(value, bits_)] += count;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  count_ += count;
  sum_ += static_cast<double>(value) * static_cast<double>(count);
}

void Histogram::add(const Histogram& other) {
  ZELL_CHECK(bits_ == other.bits_);
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  saturated_ += other.saturated_;
  sum_ += other.sum_;
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::percentile(double p) const {
  ZELL_CHECK(p >= 0 && p <= 100);
  if (count_ == 0) return 0;
  // A hair less than asked, so that 99.9 % of 1,000 is the 999th even where the product is rounded up.
  const auto exact = std::nextafter(p, 0.0) * static_cast<double>(count_) / 100;
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(exact)), 1, count_);
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    passed += counts_[i];
    if (passed >= rank) return std::min(bucket_at(i, 0, bits_).upper, max_);
  }
  return max_;
}

std::vector<Histogram::Bucket> Histogram::filled() const {
  std::vector<Bucket> out;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) out.push_back(bucket_at(i, counts_[i], bits_));
  }
  return out;
}

namespace {

constexpr double us_per_ms = 1'000;

/// From the middles of the buckets, as HdrHistogram does.
double standard_deviation(const Histogram& histogram) {
  if (histogram.count() == 0) return 0;
  double squares = 0;
  for (const auto& bucket : histogram.filled()) {
    const auto off = static_cast<double>(bucket.lower + bucket.upper) / 2 - histogram.mean();
    squares += off * off * static_cast<double>(bucket.count);
  }
  return std::sqrt(squares / static_cast<double>(histogram.count()));
}

/// Each time that the rest up to 100 % has halved, the steps are half as long.
double next_level(double level) {
  constexpr double ticks_per_half = 5;
  const auto halvings = std::floor(std::log2(100 / (100 - level))) + 1;
  return level + 100 / (ticks_per_half * std::exp2(halvings));
}

std::string percentile_lines(const Histogram& histogram) {
  std::string out;
  const auto total = histogram.count();
  std::uint64_t passed = 0;
  double level = 0;
  for (const auto& bucket : histogram.filled()) {
    passed += bucket.count;
    const auto value = static_cast<double>(std::min(bucket.upper, histogram.max())) / us_per_ms;
    while (passed < total && 100.0 * static_cast<double>(passed) / static_cast<double>(total) >= level) {
      out += fmt::format("{:12.3f} {:2.12f} {:10} {:14.2f}\n", value, level / 100, passed, 1 / (1 - level / 100));
      level = next_level(level);
    }
    if (passed == total) out += fmt::format("{:12.3f} {:2.12f} {:10}\n", value, 1.0, passed);
  }
  return out;
}

}  // namespace

std::string percentile_text(const Histogram& histogram) {
  auto out = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  out += percentile_lines(histogram);
  out += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", histogram.mean() / us_per_ms,
                     standard_deviation(histogram) / us_per_ms);
  out += fmt::format("#[Max     = {:12.3f}, Total count    = {:12}]\n",
                     static_cast<double>(histogram.max()) / us_per_ms, histogram.count());
  out += fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n", max_value_bits - histogram.significant_bits(),
                     2U << histogram.significant_bits());
  return out;
}

}  // namespace zell
