#include "node/base/result.h"

#include <catch2/catch.hpp>
#include <memory>

#include "node/base/prng.h"

using namespace zell;

TEST_CASE("a result holds a value or the reason why there is none") {
  const Result<int> good = 5, bad = Error{"code", "what", "hint"};
  CHECK(good.ok());
  CHECK(*good == 5);
  CHECK_FALSE(bad.ok());
  CHECK(bad.error().code == "code");
  const Status done = Ok{};
  CHECK(done.ok());
}

TEST_CASE("a value can be moved out of a result") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  const auto taken = std::move(result).value();
  CHECK(*taken == 3);
}

TEST_CASE("the same seed gives the same numbers everywhere") {
  // SplitMix64's published first outputs for seed 1234567.
  Prng random(1'234'567);
  CHECK(random.next() == 6457827717110365317ULL);
  CHECK(random.next() == 3203168211198807973ULL);
  CHECK(random.next() == 9817491932198370423ULL);
}

TEST_CASE("bounded random numbers stay below their bound and reach all of it") {
  Prng random(1);
  unsigned seen = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto value = random.below(7);
    REQUIRE(value < 7);
    seen |= 1U << value;
  }
  CHECK(seen == 0x7f);
  CHECK(random.below(1) == 0);
  CHECK_FALSE(random.chance(0));
  CHECK(random.chance(1'000'000));
}
