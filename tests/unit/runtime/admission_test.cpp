#include "node/runtime/admission.h"

#include <catch2/catch.hpp>

using namespace zell;

namespace {

constexpr std::int64_t ms = 1'000;

}  // namespace

TEST_CASE("before anything is final, a bounded number of requests is let in, and fewer large ones") {
  Admission admission;
  CHECK(admission.room({0}, 0, 300) == Admission::least_requests);
  CHECK(admission.room({0}, 1'000, 300) == Admission::least_requests - 1'000);
  CHECK(admission.room({0}, 5'000, 300) == 0);
  CHECK(admission.room({0}, 0, 16 << 10) == 64);
  CHECK(admission.room({0}, 0, 1 << 20) == Admission::least_of_large);
  CHECK(admission.room({0}, 0, 0) == Admission::least_requests);
}

TEST_CASE("as many may be under way as became final within a second") {
  Admission admission;
  for (int i = 0; i < 10; ++i) admission.finalised({i * 100 * ms}, 500);
  CHECK(admission.room({950 * ms}, 0, 300) == 5'000);
  CHECK(admission.room({950 * ms}, 4'999, 300) == 1);
  CHECK(admission.room({950 * ms}, 5'000, 300) == 0);
  CHECK(admission.room({1'450 * ms}, 0, 300) == 2'500);
  CHECK(admission.room({1'750 * ms}, 0, 300) == Admission::least_requests);
  CHECK(admission.room({60'000 * ms}, 0, 300) == Admission::least_requests);
}

TEST_CASE("a pause longer than a second forgets all of the past, and a clock that starts late is none") {
  Admission admission;
  const std::int64_t start = 3'600'000'000;
  admission.finalised({start}, 9'000);
  CHECK(admission.room({start}, 0, 300) == 9'000);
  CHECK(admission.room({start + 999 * ms}, 0, 300) == 9'000);
  CHECK(admission.room({start + 1'000 * ms}, 0, 300) == Admission::least_requests);
  admission.finalised({start + 5'000 * ms}, 3'000);
  CHECK(admission.room({start + 5'000 * ms}, 0, 300) == 3'000);
}

TEST_CASE("whatever is offered, whoever is let in waits about a second at most, and what can be done is done") {
  // A server that finishes 200 requests every 10 ms, first come first served, offered three times as much.
  Admission admission;
  std::size_t under_way = 0, done = 0;
  double longest_wait_s = 0;
  for (std::int64_t step = 0; step < 1'000; ++step) {
    const Instant now{step * 10 * ms};
    under_way += std::min<std::size_t>(600, admission.room(now, under_way, 300));
    longest_wait_s = std::max(longest_wait_s, static_cast<double>(under_way) / 20'000);
    const auto finished = std::min<std::size_t>(200, under_way);
    under_way -= finished;
    done += finished;
    admission.finalised(now, finished);
  }
  CHECK(longest_wait_s < 1.1);
  CHECK(done > 195'000);
}
