#include "cluster/load/compare.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "node/base/prng.h"

namespace zell {
namespace {

using Json = nlohmann::json;
using Values = std::vector<double>;

TEST_CASE("the interval of ratios is the one that the exact rank-sum test yields") {
  // 5 against 5: P(U <= 2) = 4 / 252, so three of the 25 ratios go at each end, and 1 - 8 / 252 is left.
  const Values base{1, 1, 1, 1, 1};
  const Values fresh{2, 3, 4, 5, 6};
  const auto estimate = estimate_ratio(base, fresh, 0.95);
  CHECK(estimate.ratio == 4);
  REQUIRE(estimate.interval.has_value());
  CHECK(estimate.interval->first == 2);
  CHECK(estimate.interval->second == 6);
  CHECK(estimate.confidence == Approx(1 - 8.0 / 252));

  // 4 against 6 by hand: P(U <= 2) = 4 / 210, one more would be 7 / 210 > 0.025.
  const auto uneven = estimate_ratio({1, 2, 4, 8}, {3, 5, 7, 9, 11, 13}, 0.95);
  CHECK(uneven.confidence == Approx(1 - 8.0 / 210));
  // The ratios in order begin 3/8, 5/8, 3/4 and end …, 9/1, 11/1, 13/1.
  CHECK(uneven.interval->first == Approx(3.0 / 4));
  CHECK(uneven.interval->second == Approx(9.0));
}

TEST_CASE("there is an interval exactly from so many runs on as the confidence takes") {
  const auto has = [](std::size_t n, std::size_t m, double confidence) {
    return estimate_ratio(Values(n, 1.0), Values(m, 1.0), confidence).interval.has_value();
  };
  CHECK_FALSE(has(1, 1, 0.95));
  CHECK_FALSE(has(3, 3, 0.95));
  CHECK(has(3, 3, 0.90));  // 2 / 20, exactly
  CHECK(has(4, 4, 0.95));
  CHECK(has(3, 5, 0.95));
  CHECK_FALSE(has(2, 7, 0.95));
  CHECK(has(2, 8, 0.95));
  CHECK_FALSE(has(1, 38, 0.95));
  CHECK(has(1, 39, 0.95));
  CHECK_FALSE(has(4, 4, 0.99));
  CHECK(has(5, 5, 0.99));
}

TEST_CASE("a verdict needs an interval on one side of one and a ratio that matters") {
  const auto verdict = [](double low, double ratio, double high, bool higher = true) {
    return judge({ratio, std::pair(low, high), 0.95}, higher, 0.02);
  };
  CHECK(verdict(1.01, 1.10, 1.20) == Verdict::faster);
  CHECK(verdict(1.01, 1.10, 1.20, false) == Verdict::slower);
  CHECK(verdict(0.80, 0.90, 0.99) == Verdict::slower);
  CHECK(verdict(0.80, 0.90, 0.99, false) == Verdict::faster);
  CHECK(verdict(0.99, 1.00, 1.01) == Verdict::same);
  CHECK(verdict(1.005, 1.01, 1.015) == Verdict::same);  // real, but too small to matter
  CHECK(verdict(0.99, 1.10, 1.20) == Verdict::inconclusive);
  CHECK(verdict(0.90, 1.00, 1.10) == Verdict::inconclusive);
  CHECK(judge({2.0, std::nullopt, 0}, true, 0.02) == Verdict::inconclusive);
}

double normal(Prng& random) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(random.next() >> 11) / 9007199254740992.0;
  return sum - 6;
}

/// Log-normal, with now and then a run that something else on the machine spoiled.
Values draw(Prng& random, std::size_t count, double factor) {
  Values out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(factor * 100 * std::exp(0.05 * normal(random)) * (random.chance(150'000) ? 0.7 : 1));
  }
  return out;
}

TEST_CASE("a side compared with itself never differs") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  Prng random(seed);
  for (int round = 0; round < 300; ++round) {
    const auto values = draw(random, 1 + random.below(20), 1);
    const auto estimate = estimate_ratio(values, values, 0.95);
    CHECK(estimate.ratio == Approx(1));
    if (estimate.interval) {
      CHECK(estimate.interval->first <= 1);
      CHECK(estimate.interval->second >= 1);
    }
    for (const bool higher : {false, true}) {
      const auto verdict = judge(estimate, higher, 0);
      CHECK((verdict == Verdict::same || verdict == Verdict::inconclusive));
    }
  }
}

TEST_CASE("two samples of one distribution are told apart as often as the confidence says") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  Prng random(seed);
  struct Size {
    std::size_t n, m;
    double confidence;
  };
  for (const auto& [n, m, confidence] : {Size{5, 5, 0.95}, Size{4, 9, 0.95}, Size{10, 10, 0.95}, Size{8, 8, 0.90}}) {
    constexpr int rounds = 8'000;
    int real = 0, missed = 0;
    double reached = 0;
    for (int round = 0; round < rounds; ++round) {
      const auto none = estimate_ratio(draw(random, n, 1), draw(random, m, 1), confidence);
      reached = none.confidence;
      if (none.interval->first > 1 || none.interval->second < 1) ++real;
      // As often the interval misses a factor that is there.
      const auto some = estimate_ratio(draw(random, n, 1), draw(random, m, 1.3), confidence);
      if (some.interval->first > 1.3 || some.interval->second < 1.3) ++missed;
    }
    INFO(n << " against " << m << " at " << confidence << ", reached " << reached);
    CHECK(reached >= confidence);
    const auto expected = rounds * (1 - reached);
    const auto allowed = 5.5 * std::sqrt(expected);  // of a right program one run in millions fails
    CHECK(std::abs(real - expected) < allowed);
    CHECK(std::abs(missed - expected) < allowed);
  }
}

Json run(double rate, double p50, Json config = {{"nodes", 4}, {"rate", nullptr}}) {
  return {{"schema", 1},
          {"kind", "bench"},
          {"machine", {{"cpu", "one"}, {"cores", 2}}},
          {"config", std::move(config)},
          {"throughput", {{"requests_per_s", rate}, {"operations_per_s", rate * 10}}},
          {"latency_us", {{"p50", p50}, {"p99", p50 * 3}}},
          {"nodes", {{{"name", "n1"}, {"cpu_us_per_operation", 20}}, {{"name", "n2"}, {"cpu_us_per_operation", 30}}}}};
}

TEST_CASE("figures are compared each by itself, and one that is slower makes all slower") {
  std::vector<Json> base, fresh;
  for (const double drift : {0.98, 0.99, 1.0, 1.01, 1.02}) {
    base.push_back(run(1'000 * drift, 5'000 * drift));
    fresh.push_back(run(1'200 * drift, 7'000 * drift));
  }
  const auto comparison = compare_results(base, fresh, {});
  REQUIRE(comparison.ok());
  REQUIRE(comparison->figures.size() == 5);
  CHECK(comparison->figures[0].name == "requests/s");
  CHECK(comparison->figures[0].base_median == 1'000);
  CHECK(comparison->figures[0].new_median == 1'200);
  CHECK(comparison->figures[0].estimate.ratio == Approx(1.2));
  CHECK(comparison->figures[0].verdict == Verdict::faster);
  CHECK(comparison->figures[2].verdict == Verdict::slower);
  CHECK(comparison->figures[4].base_median == 25);
  CHECK(comparison->figures[4].verdict == Verdict::same);
  CHECK(comparison->verdict == Verdict::slower);

  const auto self = compare_results(base, base, {});
  CHECK(self->verdict == Verdict::inconclusive);  // a drift of 4 % hides a difference of 2 %
  CompareOptions wide;
  wide.within = 0.05;
  CHECK(compare_results(base, base, wide)->verdict == Verdict::same);
}

TEST_CASE("a single run a side is inconclusive, with ratios") {
  const auto comparison = compare_results({run(1'000, 5'000)}, {run(9'000, 100)}, {});
  REQUIRE(comparison.ok());
  CHECK(comparison->verdict == Verdict::inconclusive);
  CHECK(comparison->figures[0].estimate.ratio == 9);
  CHECK_FALSE(comparison->figures[0].estimate.interval.has_value());
}

TEST_CASE("runs of different configurations are refused, naming what differs, unless forced") {
  const std::vector<Json> base{run(1'000, 5'000)};
  const std::vector<Json> fresh{run(1'000, 5'000, {{"nodes", 7}, {"rate", nullptr}, {"size", 128}})};
  const auto refused = compare_results(base, fresh, {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "different-configs");
  CHECK(refused.error().what.find("nodes (4, 7)") != std::string::npos);
  CHECK(refused.error().what.find("size (128, absent)") != std::string::npos);
  CHECK(refused.error().what.find("rate") == std::string::npos);
  CompareOptions force;
  force.force = true;
  const auto forced = compare_results(base, fresh, force);
  REQUIRE(forced.ok());
  CHECK(forced->different_config.size() == 2);
}

TEST_CASE("different machines are told, and a figure that one run lacks is left out") {
  auto other = run(1'000, 5'000);
  other["machine"]["cpu"] = "another";
  other["nodes"][1].erase("cpu_us_per_operation");
  other["latency_us"]["p50"] = 0;
  const auto comparison = compare_results({run(1'000, 5'000)}, {other}, {});
  REQUIRE(comparison.ok());
  CHECK(comparison->different_machine == std::vector<std::string>{"cpu (\"another\", \"one\")"});
  CHECK(comparison->left_out == std::vector<std::string>{"p50", "CPU an operation and node"});
}

}  // namespace
}  // namespace zell
