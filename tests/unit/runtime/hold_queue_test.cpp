#include "node/runtime/hold_queue.h"

#include <catch2/catch.hpp>
#include <map>

#include "node/base/prng.h"

namespace zell {
namespace {

/// A send that is told apart by the view that it asks about.
Send send_number(std::uint64_t number, PersistId after) {
  Send send;
  send.message = std::make_shared<const Message>(Fetch{Fetch::Kind::new_view, View{number}, {}, {}});
  send.after = after;
  return send;
}

std::uint64_t number_of(const Send& send) {
  return std::get<Fetch>(*send.message).view.value;
}

std::vector<std::uint64_t> numbers_of(const std::vector<Send>& sends) {
  std::vector<std::uint64_t> out;
  for (const auto& send : sends) out.push_back(number_of(send));
  return out;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("persist before you send: nothing goes out before the Persist that it names is durable") {
  HoldQueue queue;
  auto free = send_number(1, 0);
  CHECK(queue.may_go(free, false));
  CHECK(number_of(free) == 1);  // not moved from
  auto first = send_number(2, 7);
  CHECK_FALSE(queue.may_go(first, false));
  auto second = send_number(3, 8);
  CHECK_FALSE(queue.may_go(second, false));
  auto also_free = send_number(4, 0);
  CHECK(queue.may_go(also_free, false));  // it waits for nothing, also behind what does
  CHECK(queue.persisted(6).empty());
  CHECK(numbers_of(queue.persisted(7)) == Numbers{2});
  CHECK(queue.held() == 1);
  CHECK(numbers_of(queue.persisted(8)) == Numbers{3});
  auto late = send_number(5, 8);
  CHECK(queue.may_go(late, false));
}

TEST_CASE("what is released keeps the order in which it came, whatever it waited for") {
  HoldQueue queue;
  for (auto [number, after] : {std::pair{1, 5}, {2, 3}, {3, 5}, {4, 4}, {5, 9}}) {
    auto send = send_number(static_cast<std::uint64_t>(number), static_cast<PersistId>(after));
    CHECK_FALSE(queue.may_go(send, false));
  }
  CHECK(numbers_of(queue.persisted(5)) == Numbers{1, 2, 3, 4});
  CHECK(numbers_of(queue.persisted(9)) == Numbers{5});
}

TEST_CASE("after the disk failed nothing that is not durable goes out any more") {
  HoldQueue queue;
  CHECK(queue.persisted(3).empty());
  auto held = send_number(1, 4);
  CHECK_FALSE(queue.may_go(held, false));
  queue.persist_failed();
  CHECK(queue.held() == 0);
  auto dependent = send_number(2, 5);
  CHECK_FALSE(queue.may_go(dependent, false));
  CHECK(queue.held() == 0);
  auto durable = send_number(3, 3);
  CHECK(queue.may_go(durable, false));
}

TEST_CASE("a view that was left: its own word is dropped, the rest still goes out") {
  HoldQueue queue;
  for (auto [number, own] : {std::pair{1, true}, {2, false}, {3, true}}) {
    auto send = send_number(static_cast<std::uint64_t>(number), 4);
    CHECK_FALSE(queue.may_go(send, own));
  }
  queue.drop_own();
  auto of_new_view = send_number(4, 5);
  CHECK_FALSE(queue.may_go(of_new_view, true));
  CHECK(numbers_of(queue.persisted(5)) == Numbers{2, 4});
}

TEST_CASE("random runs: every send that is not dropped goes out once, in order, and never before its Persist") {
  auto seed = GENERATE(1u, 2u, 3u, 4u, 5u);
  CAPTURE(seed);
  Prng random(seed);
  HoldQueue queue;
  PersistId made = 0, durable = 0;
  std::uint64_t next = 0;
  std::map<std::uint64_t, bool> waiting;  // by number: whether it is this node's own word
  auto let_out = [&](PersistId id) {
    durable = id;
    std::uint64_t last = 0;
    for (const auto& send : queue.persisted(durable)) {
      CHECK(send.after <= durable);
      CHECK(number_of(send) > last);
      last = number_of(send);
      CHECK(waiting.erase(last) == 1);
    }
  };
  for (int step = 0; step < 2'000; ++step) {
    const auto what = random.below(60);
    if (what == 0) {
      queue.drop_own();
      std::erase_if(waiting, [](const auto& item) { return item.second; });
    } else if (what < 20 && durable < made) {
      let_out(durable + 1 + random.below(made - durable));
    } else {
      if (random.below(2) == 0) ++made;
      auto send = send_number(++next, made == 0 ? 0 : made - random.below(std::min<PersistId>(made, 3)));
      const bool own = random.below(2) == 0;
      if (queue.may_go(send, own)) {
        CHECK(send.after <= durable);
      } else {
        waiting[next] = own;
      }
    }
    REQUIRE(queue.held() == waiting.size());
  }
  let_out(made);
  CHECK(waiting.empty());
}

}  // namespace zell
