#include "cluster/load/histogram.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <sstream>

#include "node/base/prng.h"

namespace zell {
namespace {

using Values = std::vector<std::uint64_t>;

double unit(Prng& random) {
  return static_cast<double>((random.next() >> 11) + 1) / 9007199254740992.0;
}

/// Latencies of several shapes: even, exponential, heavy-tailed, two humps, small whole numbers, all doublings.
Values draw(unsigned shape, std::size_t count, Prng& random) {
  Values out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto u = unit(random);
    double value = 0;
    if (shape == 0) value = 1'000'000 * u;
    if (shape == 1) value = -20'000 * std::log(u);
    if (shape == 2) value = 500 / std::pow(u, 1.2);
    if (shape == 3) value = random.chance(900'000) ? 1'000 + 200 * u : 90'000 + 40'000 * u;
    if (shape == 4) value = 40 * u;
    if (shape == 5) value = std::exp2(36 * u);
    out.push_back(std::min(static_cast<std::uint64_t>(value), Histogram::max_value));
  }
  return out;
}

/// The smallest value that p percent of all do not exceed; p in thousandths of a percent, so that it is exact.
std::uint64_t exact_percentile(const Values& sorted, std::uint64_t p_thousandths) {
  const auto rank = (p_thousandths * sorted.size() + 99'999) / 100'000;
  return sorted[std::max<std::uint64_t>(rank, 1) - 1];
}

Histogram histogram_of(const Values& values, unsigned bits = 7) {
  Histogram out(bits);
  for (auto value : values) out.record(value);
  return out;
}

TEST_CASE("a percentile is the exact one or above it by at most 2^-bits of it") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  Prng random(seed);
  for (const unsigned bits : {1U, 5U, 7U, 11U, 14U}) {
    for (unsigned shape = 0; shape < 6; ++shape) {
      const auto count = 1 + random.below(20'000);
      auto values = draw(shape, count, random);
      const auto histogram = histogram_of(values, bits);
      std::sort(values.begin(), values.end());
      CHECK(histogram.min() == values.front());
      CHECK(histogram.max() == values.back());
      CHECK(histogram.count() == count);
      double sum = 0;
      for (auto value : values) sum += static_cast<double>(value);
      CHECK(histogram.mean() == Approx(sum / static_cast<double>(count)));
      for (const std::uint64_t p : {0, 1, 1'000, 25'000, 50'000, 75'000, 90'000, 99'000, 99'900, 99'990, 100'000}) {
        const auto exact = exact_percentile(values, p);
        const auto told = histogram.percentile(static_cast<double>(p) / 1'000);
        INFO("bits " << bits << ", shape " << shape << ", count " << count << ", p " << p << ": " << told << " for "
                     << exact);
        CHECK(told >= exact);
        CHECK(static_cast<double>(told - exact) <= std::ldexp(static_cast<double>(exact), -static_cast<int>(bits)));
      }
      CHECK(histogram.percentile(100) == values.back());
    }
  }
}

TEST_CASE("every value falls in a bucket around it, and the buckets leave no gap") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  Prng random(seed);
  for (int round = 0; round < 2'000; ++round) {
    const auto value = (random.next() & Histogram::max_value) >> random.below(36);
    Histogram one;
    one.record(value);
    const auto bucket = one.filled().at(0);
    INFO(value << " in " << bucket.lower << ".." << bucket.upper);
    REQUIRE(bucket.lower <= value);
    REQUIRE(bucket.upper >= value);
    if (bucket.upper == Histogram::max_value) continue;
    Histogram next;
    next.record(bucket.upper + 1);
    REQUIRE(next.filled().at(0).lower == bucket.upper + 1);
  }
}

TEST_CASE("without values everything is zero") {
  const Histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.min() == 0);
  CHECK(empty.max() == 0);
  CHECK(empty.mean() == 0);
  CHECK(empty.percentile(0) == 0);
  CHECK(empty.percentile(100) == 0);
  CHECK(empty.filled().empty());
}

TEST_CASE("one value is every percentile, exactly") {
  const auto value = GENERATE(as<std::uint64_t>{}, 0, 1, 255, 256, 257, 1'000'003, 3'600'000'000, Histogram::max_value);
  Histogram one;
  one.record(value);
  CHECK(one.min() == value);
  CHECK(one.max() == value);
  CHECK(one.mean() == static_cast<double>(value));
  for (const double p : {0.0, 50.0, 99.9, 100.0}) CHECK(one.percentile(p) == value);
}

TEST_CASE("a value over the largest is counted as the largest, and as one that was too large") {
  Histogram histogram;
  histogram.record(5);
  histogram.record(Histogram::max_value);
  histogram.record(Histogram::max_value + 1, 2);
  histogram.record(UINT64_MAX);
  CHECK(histogram.count() == 5);
  CHECK(histogram.saturated() == 3);
  CHECK(histogram.max() == Histogram::max_value);
  CHECK(histogram.filled().back().count == 4);
}

TEST_CASE("adding histograms is recording all their values in one, in any order and grouping") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  Prng random(seed);
  Histogram all, odd, even, merged;
  for (unsigned shape = 0; shape < 6; ++shape) {
    for (auto value : draw(shape, 3'000, random)) {
      const auto count = 1 + random.below(3);
      all.record(value, count);
      (random.chance(300'000) ? odd : even).record(value, count);
    }
  }
  merged.add(Histogram());
  merged.add(even);
  merged.add(odd);
  merged.add(Histogram());
  CHECK(merged.count() == all.count());
  CHECK(merged.min() == all.min());
  CHECK(merged.max() == all.max());
  CHECK(merged.mean() == Approx(all.mean()));
  CHECK(merged.filled() == all.filled());
  for (const double p : {0.0, 10.0, 50.0, 99.0, 99.9, 100.0}) CHECK(merged.percentile(p) == all.percentile(p));
}

/// The lines of numbers of an .hgrm file.
std::vector<std::vector<double>> numbers_of(const std::string& text) {
  std::vector<std::vector<double>> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#' || line.find("Value") != std::string::npos) continue;
    std::istringstream fields(line);
    out.emplace_back();
    for (double number = 0; fields >> number;) out.back().push_back(number);
  }
  return out;
}

TEST_CASE("the percentile text is what HdrHistogram's plotters read") {
  Histogram histogram;
  for (std::uint64_t ms = 1; ms <= 4; ++ms) histogram.record(ms * 100);
  // Worked out by hand from HdrHistogram's rule: five steps to each halving of what is left.
  CHECK(percentile_text(histogram) ==
        "       Value     Percentile TotalCount 1/(1-Percentile)\n"
        "\n"
        "       0.100 0.000000000000          1           1.00\n"
        "       0.100 0.100000000000          1           1.11\n"
        "       0.100 0.200000000000          1           1.25\n"
        "       0.200 0.300000000000          2           1.43\n"
        "       0.200 0.400000000000          2           1.67\n"
        "       0.200 0.500000000000          2           2.00\n"
        "       0.301 0.550000000000          3           2.22\n"
        "       0.301 0.600000000000          3           2.50\n"
        "       0.301 0.650000000000          3           2.86\n"
        "       0.301 0.700000000000          3           3.33\n"
        "       0.301 0.750000000000          3           4.00\n"
        "       0.400 1.000000000000          4\n"
        "#[Mean    =        0.250, StdDeviation   =        0.112]\n"
        "#[Max     =        0.400, Total count    =            4]\n"
        "#[Buckets =           29, SubBuckets     =          256]\n");
}

TEST_CASE("the percentile text says for each level what the histogram says") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  Prng random(seed);
  for (unsigned shape = 0; shape < 6; ++shape) {
    const auto histogram = histogram_of(draw(shape, 1 + random.below(5'000), random));
    const auto lines = numbers_of(percentile_text(histogram));
    REQUIRE_FALSE(lines.empty());
    CHECK(lines.back().size() == 3);
    CHECK(lines.back()[2] == static_cast<double>(histogram.count()));
    for (const auto& line : lines) {
      INFO("shape " << shape << ", level " << line[1]);
      // The level is rounded to twelve digits, the value to a thousandth.
      const auto level = line[1] * 100;
      CHECK(line[0] >= static_cast<double>(histogram.percentile(std::max(level - 1e-9, 0.0))) / 1'000 - 0.0006);
      CHECK(line[0] <= static_cast<double>(histogram.percentile(std::min(level + 1e-9, 100.0))) / 1'000 + 0.0006);
    }
  }
}

}  // namespace
}  // namespace zell
