#include "node/runtime/work_pool.h"

#include <atomic>
#include <future>
#include <memory>

#include "tests/unit/runtime/loop_fixture.h"

namespace zell {
namespace {

using Priority = WorkPool::Priority;

/// Keeps a pool's threads busy until it is opened.
class Gate {
 public:
  [[nodiscard]] WorkPool::Job job() {
    return [this] {
      ++waiting_;
      opened_.wait();
    };
  }
  void open() { open_.set_value(); }
  [[nodiscard]] int waiting() const { return waiting_; }

 private:
  std::atomic<int> waiting_ = 0;
  std::promise<void> open_;
  std::shared_future<void> opened_ = open_.get_future().share();
};

void close(TestLoop& loop, WorkPool& pool) {
  bool closed = false;
  pool.close([&] { closed = true; });
  REQUIRE(loop.run_until([&] { return closed; }));
}

void wait_for(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::yield();
}

}  // namespace

TEST_CASE("the pool runs work off the loop thread, and its result on it") {
  TestLoop loop;
  WorkPool pool(loop, 2, 1'000);
  auto loop_thread = std::this_thread::get_id();
  int done = 0, on_loop = 0;
  std::atomic<int> off_loop = 0;
  for (int i = 0; i < 500; ++i) {
    CHECK(pool.run(
        i % 2 ? Priority::urgent : Priority::normal,
        [&] { off_loop += std::this_thread::get_id() != loop_thread ? 1 : 0; },
        [&] {
          ++done;
          on_loop += std::this_thread::get_id() == loop_thread ? 1 : 0;
        }));
  }
  CHECK(pool.in_flight() == 500);
  REQUIRE(loop.run_until([&] { return done == 500; }));
  CHECK(off_loop == 500);
  CHECK(on_loop == 500);
  CHECK(pool.in_flight() == 0);
  close(loop, pool);
}

TEST_CASE("urgent work goes first, and has a thread of its own while all others are busy") {
  TestLoop loop;
  WorkPool pool(loop, 1, 1'000);
  Gate gate;
  std::vector<std::string> order;
  REQUIRE(pool.run(Priority::normal, gate.job(), [&] { order.push_back("long"); }));
  wait_for([&] { return gate.waiting() == 1; });
  REQUIRE(pool.run(Priority::normal, [] {}, [&] { order.push_back("normal"); }));
  REQUIRE(pool.run(Priority::urgent, [] {}, [&] { order.push_back("vote 1"); }));
  REQUIRE(pool.run(Priority::urgent, [] {}, [&] { order.push_back("vote 2"); }));
  REQUIRE(loop.run_until([&] { return order.size() == 2; }));
  CHECK(order == std::vector<std::string>{"vote 1", "vote 2"});
  gate.open();
  REQUIRE(loop.run_until([&] { return order.size() == 4; }));
  CHECK(order[2] == "long");
  CHECK(order[3] == "normal");
  close(loop, pool);
}

TEST_CASE("each priority's queue is bounded: past it a job is refused, and nothing of it runs") {
  TestLoop loop;
  WorkPool pool(loop, 1, 3);
  Gate gate;
  int done = 0;
  REQUIRE(pool.run(Priority::normal, gate.job(), [&] { ++done; }));
  wait_for([&] { return gate.waiting() == 1; });
  for (int i = 0; i < 3; ++i) CHECK(pool.run(Priority::normal, [] {}, [&] { ++done; }));
  std::atomic<bool> ran = false;
  CHECK_FALSE(pool.run(Priority::normal, [&] { ran = true; }, [&] { ran = true; }));
  CHECK(pool.run(Priority::urgent, [] {}, [&] { ++done; }));  // the other queue has room
  gate.open();
  REQUIRE(loop.run_until([&] { return done == 5; }));
  CHECK_FALSE(ran);
  close(loop, pool);
}

TEST_CASE("closing drops what waits, lets what runs end, and runs no result any more") {
  TestLoop loop;
  auto pool = std::make_unique<WorkPool>(loop, 2, 100);
  Gate gate;
  std::atomic<int> ended = 0;
  bool result = false;
  auto owned = std::make_shared<int>(1);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(pool->run(
        Priority::normal,
        [&ended, job = gate.job()] {
          job();
          ++ended;
        },
        [&] { result = true; }));
  }
  wait_for([&] { return gate.waiting() == 2; });
  std::atomic<bool> ran = false;
  REQUIRE(pool->run(Priority::normal, [&ran, owned] { ran = true; }, [] {}));
  bool closed = false;
  pool->close([&] {
    closed = true;
    pool.reset();  // allowed here
  });
  CHECK(owned.use_count() == 1);
  gate.open();
  REQUIRE(loop.run_until([&] { return closed; }));
  CHECK(ended == 2);
  CHECK_FALSE(ran);
  CHECK_FALSE(result);
}

TEST_CASE("a closing pool refuses work") {
  TestLoop loop;
  WorkPool pool(loop, 1, 10);
  bool closed = false;
  pool.close([&] { closed = true; });
  CHECK_FALSE(pool.run(Priority::urgent, [] {}, [] {}));
  REQUIRE(loop.run_until([&] { return closed; }));
}

}  // namespace zell
