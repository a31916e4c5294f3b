// When requests are due, and the counting of what becomes of them.

#include "cluster/load/schedule.h"

#include <catch2/catch.hpp>

#include "cluster/load/recorder.h"
#include "node/base/prng.h"

namespace zell {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST_CASE("requests are due evenly spaced, from the start to before the end") {
  const Schedule schedule(1'000, 2s);
  CHECK(schedule.total() == 2'000);
  CHECK(schedule.due(0) == 0ns);
  CHECK(schedule.due(1) == 1ms);
  CHECK(schedule.due(1'999) == 1'999ms);
  CHECK(schedule.due_by(-1ns) == 0);
  CHECK(schedule.due_by(0ns) == 1);
  CHECK(schedule.due_by(999'999ns) == 1);
  CHECK(schedule.due_by(1ms) == 2);
  CHECK(schedule.due_by(1h) == 2'000);
  CHECK(Schedule(3, 1s).total() == 3);
  CHECK(Schedule(1, 500ms).total() == 1);
  CHECK(Schedule(0.1, 5s).total() == 1);
}

TEST_CASE("how many are due at a moment is what their due times say, at any rate") {
  const std::uint64_t seed = 7;
  INFO("seed " << seed);
  Prng random(seed);
  for (int round = 0; round < 200; ++round) {
    const double rate = 0.5 + static_cast<double>(random.next() % 2'000'000) / 7.0;
    const Schedule schedule(rate, 3s);
    REQUIRE(schedule.due(schedule.total() - 1) < 3s);
    REQUIRE(schedule.due(schedule.total()) >= 3s);
    for (int k = 0; k < 20; ++k) {
      const auto i = random.next() % schedule.total();
      REQUIRE(schedule.due_by(schedule.due(i)) >= i + 1);
      REQUIRE(schedule.due_by(schedule.due(i) - 1ns) <= i);
    }
  }
}

TEST_CASE("streams that take turns share all requests") {
  for (std::uint64_t count = 0; count < 20; ++count) {
    std::uint64_t all = 0;
    for (std::size_t stream = 0; stream < 3; ++stream) all += share_of(count, stream, 3);
    CHECK(all == count);
  }
  CHECK(share_of(1, 0, 3) == 1);
  CHECK(share_of(1, 1, 3) == 0);
}

TEST_CASE("throughput counts what became final in the window, latency what was due in it, from when it was due") {
  Recorder recorder(1s, 2s);
  recorder.offered(6);
  recorder.finalised(999ms, 900ms, {5});    // all of it in the warm-up
  recorder.finalised(1'010ms, 990ms, {3});  // due before the window, final in it
  recorder.finalised(1'500ms, 1'400ms, {4});
  recorder.finalised(2'500ms, 2'100ms, {9});
  recorder.finalised(3'700ms, 2'900ms, {8});  // a straggler
  recorder.unknown();
  const auto& counts = recorder.counts();
  CHECK(counts.finalised == 5);
  CHECK(counts.unknown == 1);
  CHECK(counts.final_in_window == 3);
  CHECK(counts.latency.count() == 3);
  CHECK(counts.latency.min() == 100'000);
  CHECK(counts.latency.max() == 800'000);
  CHECK(counts.first == Index{3});
  CHECK(counts.last == Index{9});
  REQUIRE(counts.seconds.size() == 2);
  CHECK(counts.seconds[0].requests == 2);
  CHECK(counts.seconds[0].latency.max() == 100'000);
  CHECK(counts.seconds[1].requests == 1);
}

TEST_CASE("refusals and failures are counted by what they say") {
  Recorder recorder(0s, 1'500ms);
  recorder.refused(100ms, "busy", 3);
  recorder.refused(1'200ms, "busy");
  recorder.refused(5s, "learner");  // after the window
  recorder.failed("bad-answer", 2);
  recorder.retried(4);
  const auto& counts = recorder.counts();
  CHECK(counts.refused == 5);
  CHECK(counts.refused_by.at("busy") == 4);
  CHECK(counts.refused_by.at("learner") == 1);
  CHECK(counts.failed_by.at("bad-answer") == 2);
  CHECK(counts.retried == 4);
  REQUIRE(counts.seconds.size() == 2);
  CHECK(counts.seconds[0].refused == 3);
  CHECK(counts.seconds[1].refused == 1);
}

}  // namespace
}  // namespace zell
