// When a batch closes: PROTOCOL.md, "The normal case", 1.

#include "node/consensus/batch_rounds.h"

#include <catch2/catch.hpp>

using namespace zell;
using std::chrono::milliseconds;

namespace {

Instant at(int ms) {
  return Instant{} + milliseconds(ms);
}

/// The `count` batches after `first` are each final after `ms`, one by one.
void final_after(BatchRounds& rounds, std::uint64_t first, std::uint64_t count, int ms) {
  for (auto index = first; index < first + count; ++index) {
    rounds.proposed({index}, at(0));
    rounds.finalised({index}, at(ms));
  }
}

}  // namespace

TEST_CASE("a request waits 2 ms for the batch before its own while nothing is known, and at least that") {
  BatchRounds rounds;
  CHECK(rounds.patience() == milliseconds(2));
  final_after(rounds, 1, 50, 0);
  CHECK(rounds.patience() == milliseconds(2));
}

TEST_CASE("the longer a batch takes to become final, the longer the next one is filled, up to a bound") {
  BatchRounds rounds;
  final_after(rounds, 1, 1, 20);
  CHECK(rounds.patience() == milliseconds(40));
  final_after(rounds, 2, 50, 10);
  CHECK(rounds.patience() > milliseconds(19));
  CHECK(rounds.patience() < milliseconds(21));
  final_after(rounds, 52, 50, 10'000);
  CHECK(rounds.patience() == milliseconds(100));
}

TEST_CASE("one slow round does not double the patience") {
  BatchRounds rounds;
  final_after(rounds, 1, 50, 10);
  final_after(rounds, 51, 1, 40);
  CHECK(rounds.patience() < milliseconds(40));
}

TEST_CASE("a certificate that covers several batches tells of the newest of them, once") {
  BatchRounds rounds;
  rounds.proposed({1}, at(0));
  rounds.proposed({2}, at(20));
  rounds.proposed({3}, at(25));
  rounds.finalised({2}, at(30));
  CHECK(rounds.patience() == milliseconds(20));
  rounds.finalised({2}, at(90));
  CHECK(rounds.patience() == milliseconds(20));
}

TEST_CASE("what a view left open is not measured in the next one") {
  BatchRounds rounds;
  rounds.proposed({5}, at(0));
  rounds.forget_open();
  rounds.finalised({9}, at(500));
  CHECK(rounds.patience() == milliseconds(2));
}
