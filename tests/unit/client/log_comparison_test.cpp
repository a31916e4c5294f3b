// Logs are compared by their roots at few places, and none that differ are taken for one.

#include "client/log_comparison.h"

#include <catch2/catch.hpp>

#include "node/base/prng.h"

namespace zell {
namespace {

std::vector<Hash> leaves(std::size_t count) {
  std::vector<Hash> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < 8; ++k) out[i].bytes[k] = static_cast<std::uint8_t>(i >> (8 * k));
  }
  return out;
}

void read(LogComparison& comparison, const std::vector<Hash>& log, std::size_t from = 1) {
  CompactRange before;
  for (std::size_t i = 0; i + 1 < from; ++i) before.append(log[i]);
  comparison.begin(before);
  for (std::size_t i = from - 1; i < log.size(); ++i) comparison.add(log[i]);
}

TEST_CASE("logs of which one is a prefix of the other agree") {
  const auto longer = leaves(3'000);
  const std::vector<Hash> shorter(longer.begin(), longer.begin() + 1'777);
  for (const std::size_t from : {1, 2, 1'777}) {
    LogComparison comparison({from}, {{3'000}, {1'777}});
    read(comparison, longer, from);
    read(comparison, shorter, from);
    CHECK_FALSE(comparison.difference());
  }
}

TEST_CASE("one request that differs anywhere below both ends is found, and about where it is") {
  const std::uint64_t seed = 5;
  CAPTURE(seed);
  Prng prng(seed);
  for (const std::size_t size : {1, 2, 1'000, 1'024, 1'025, 5'000}) {
    for (int round = 0; round < 8; ++round) {
      const auto one = leaves(size);
      auto other = one;
      const auto at = prng.below(size);
      other[at].bytes[31] = 1;
      CAPTURE(size, at);
      LogComparison comparison({1}, {{size}, {size}});
      read(comparison, one);
      read(comparison, other);
      REQUIRE(comparison.difference());
      CHECK(comparison.difference()->same_to.value <= at);
      CHECK(comparison.difference()->different_by.value >= at + 1);
      if (size <= LogComparison::max_places_between) CHECK(comparison.difference()->different_by.value == at + 1);
    }
  }
}

TEST_CASE("a difference at the last request of the shorter log is found, and below the range that was read too") {
  auto one = leaves(5'000);
  const auto whole = one;
  one.resize(4'321);
  one.back().bytes[31] = 1;
  LogComparison comparison({1}, {{5'000}, {4'321}});
  read(comparison, whole);
  read(comparison, one);
  CHECK(comparison.difference());

  auto below = whole;
  below[3].bytes[31] = 1;
  LogComparison later({1'000}, {{5'000}, {5'000}});
  read(later, whole, 1'000);
  read(later, below, 1'000);
  CHECK(later.difference());
}

TEST_CASE("a log that was withdrawn differs from nothing, and hides no difference") {
  const auto good = leaves(100);
  auto damaged = good, other = good;
  damaged[50].bytes[31] = 1;
  other[70].bytes[31] = 1;
  LogComparison comparison({1}, {{100}, {100}, {100}});
  read(comparison, damaged);
  comparison.withdraw();
  read(comparison, good);
  CHECK_FALSE(comparison.difference());
  read(comparison, other);
  REQUIRE(comparison.difference());
  CHECK(comparison.difference()->a == 1);
  CHECK(comparison.difference()->b == 2);
}

}  // namespace
}  // namespace zell
