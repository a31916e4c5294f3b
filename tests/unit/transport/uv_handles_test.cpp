#include "node/transport/uv_handles.h"

#include <catch2/catch.hpp>

namespace zell {
namespace {

constexpr std::uint64_t never_ms = 600'000;

struct Fixture {
  Fixture() { REQUIRE(uv_loop_init(&loop) == 0); }
  ~Fixture() {
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
  }
  uv_loop_t loop{};
  HandleCountPtr count = std::make_shared<HandleCount>();
};

TEST_CASE("a call before the wait, scheduled again inside itself, does not wait for an event") {
  Fixture on;
  Timer keeps_waiting(&on.loop, on.count, [] { FAIL("the loop waited"); });
  keeps_waiting.start(never_ms);
  int calls = 0;
  std::unique_ptr<BeforeWait> call;
  call = std::make_unique<BeforeWait>(&on.loop, on.count, [&] {
    if (++calls < 3) return call->schedule();
    uv_stop(&on.loop);
  });
  call->schedule();
  uv_run(&on.loop, UV_RUN_DEFAULT);
  CHECK(calls == 3);
  SECTION("and is made once for each time it is scheduled") {
    Timer soon(&on.loop, on.count, [&] { uv_stop(&on.loop); });
    soon.start(1);
    uv_run(&on.loop, UV_RUN_DEFAULT);
    CHECK(calls == 3);
  }
}

TEST_CASE("a handle may be destroyed inside its own callback") {
  Fixture on;
  std::unique_ptr<Timer> timer;
  std::unique_ptr<BeforeWait> call;
  timer = std::make_unique<Timer>(&on.loop, on.count, [&] { timer.reset(); });
  call = std::make_unique<BeforeWait>(&on.loop, on.count, [&] { call.reset(); });
  timer->start(0);
  call->schedule();
  bool done = false;
  on.count->when_none([&] { done = true; });
  CHECK_FALSE(done);
  uv_run(&on.loop, UV_RUN_DEFAULT);
  CHECK(done);
}

}  // namespace
}  // namespace zell
