// When a batch closes: PROTOCOL.md, "The normal case", 1.

#include "node/consensus/lock_rounds.h"

#include <catch2/catch.hpp>

using namespace zell;
using std::chrono::milliseconds;

namespace {

Instant at(int ms) {
  return Instant{} + milliseconds(ms);
}

/// The `count` batches after `first` are each locked after `ms`, one by one.
void locked_after(LockRounds& rounds, std::uint64_t first, std::uint64_t count, int ms) {
  for (auto index = first; index < first + count; ++index) {
    rounds.proposed({index}, at(0));
    rounds.locked({index}, at(ms));
  }
}

}  // namespace

TEST_CASE("a request waits 2 ms for the batch before its own while nothing is known, and at least that") {
  LockRounds rounds;
  CHECK(rounds.patience() == milliseconds(2));
  locked_after(rounds, 1, 50, 0);
  CHECK(rounds.patience() == milliseconds(2));
}

TEST_CASE("the longer a batch takes to be locked, the longer the next one is filled, up to a bound") {
  LockRounds rounds;
  locked_after(rounds, 1, 1, 20);
  CHECK(rounds.patience() == milliseconds(40));
  locked_after(rounds, 2, 50, 10);
  CHECK(rounds.patience() > milliseconds(19));
  CHECK(rounds.patience() < milliseconds(21));
  locked_after(rounds, 52, 50, 10'000);
  CHECK(rounds.patience() == milliseconds(100));
}

TEST_CASE("one slow round does not double the patience") {
  LockRounds rounds;
  locked_after(rounds, 1, 50, 10);
  locked_after(rounds, 51, 1, 40);
  CHECK(rounds.patience() < milliseconds(40));
}

TEST_CASE("a certificate that covers several batches tells of the newest of them, once") {
  LockRounds rounds;
  rounds.proposed({1}, at(0));
  rounds.proposed({2}, at(20));
  rounds.proposed({3}, at(25));
  rounds.locked({2}, at(30));
  CHECK(rounds.patience() == milliseconds(20));
  rounds.locked({2}, at(90));
  CHECK(rounds.patience() == milliseconds(20));
}

TEST_CASE("what a view left open is not measured in the next one") {
  LockRounds rounds;
  rounds.proposed({5}, at(0));
  rounds.forget_open();
  rounds.locked({9}, at(500));
  CHECK(rounds.patience() == milliseconds(2));
}
