// Many calls at once on one thread.

#include "client/http_pool.h"

#include "tests/unit/client/client_fixture.h"

using namespace zell;
using namespace zell::testing;

namespace {

/// Runs the pool until nothing is under way any more, at most for 10 s.
void finish(HttpPool& pool) {
  const auto end = HttpPool::Clock::now() + std::chrono::seconds(10);
  while (pool.under_way() > 0 && HttpPool::Clock::now() < end) pool.run(end);
  REQUIRE(pool.under_way() == 0);
}

}  // namespace

TEST_CASE("calls that wait don't hold up those that come after them") {
  HttpFixture node;
  HttpPool pool;
  const Chain chain;
  const auto url = node.url() + "/v1/requests?timeout_ms=5000&wait=";
  HttpCall call;
  call.content_type = "application/octet-stream";
  std::vector<std::string> answered;
  const auto note = [&](const std::string& what) {
    return [&answered, what](const Result<HttpReply>& reply) {
      answered.push_back(what + " " + (reply ? std::to_string(reply->status) : reply.error().code));
    };
  };
  pool.post(url + "finalised", std::string(as_text(chain.request(1, "x")->canonical)), call, note("waits"));
  pool.post(url + "initialised", std::string(as_text(chain.request(2, "y")->canonical)), call, note("does not"));
  pool.post(url + "initialised", "nonsense", call, note("nonsense"));
  CHECK(pool.under_way() == 3);
  const auto end = HttpPool::Clock::now() + std::chrono::seconds(10);
  while (answered.size() < 2 && HttpPool::Clock::now() < end) pool.run(end);
  REQUIRE(answered.size() == 2);
  CHECK(std::find(answered.begin(), answered.end(), "does not 200") != answered.end());
  CHECK(std::find(answered.begin(), answered.end(), "nonsense 400") != answered.end());
  node.on_loop([](FakeNode& fake) { fake.finalise_taken(); });
  finish(pool);
  CHECK(answered.back() == "waits 200");
}

TEST_CASE("a callback may post the next call, and large bodies arrive whole") {
  HttpFixture node;
  node.on_loop([](FakeNode& fake) { fake.finalise_at_once = fake.answer_waits_at_once = true; });
  HttpPool pool;
  const Chain chain;
  HttpCall call;
  call.content_type = "application/octet-stream";
  std::uint64_t nonce = 0;
  int good = 0;
  std::function<void(Result<HttpReply>)> next;
  const auto post = [&] {
    const auto request = chain.request(++nonce, std::string(100'000, 'x'));
    pool.post(node.url() + "/v1/requests?wait=finalised", std::string(as_text(request->canonical)), call, next);
  };
  next = [&](const Result<HttpReply>& reply) {
    if (reply && reply->status == 200 && reply->body.find("\"finalised\"") != std::string::npos) ++good;
    if (nonce < 20) post();
  };
  post();
  finish(pool);
  CHECK(good == 20);
}

TEST_CASE("a pool tells a node that is not there from one that does not answer in time, and run() keeps to its time") {
  HttpFixture node;
  HttpPool pool;
  const Chain chain;
  HttpCall call;
  call.timeout = milliseconds(50);
  std::string absent, slow;
  pool.post("http://127.0.0.1:1/", "", call, [&](const Result<HttpReply>& reply) { absent = reply.error().code; });
  pool.post(node.url() + "/v1/requests?wait=finalised&timeout_ms=5000", "", call,
            [&](const Result<HttpReply>& reply) { slow = reply ? "answered" : reply.error().code; });
  finish(pool);
  CHECK(absent == "unreachable");
  CHECK(slow == "answered");  // with 400: there is nothing in it
  call.content_type = "application/octet-stream";
  pool.post(node.url() + "/v1/requests?wait=finalised&timeout_ms=5000",
            std::string(as_text(chain.request(1, "x")->canonical)), call,
            [&](const Result<HttpReply>& reply) { slow = reply ? "answered" : reply.error().code; });
  finish(pool);
  CHECK(slow == "timed-out");
  const auto begin = HttpPool::Clock::now();
  pool.run(begin + std::chrono::microseconds(300));
  CHECK(HttpPool::Clock::now() - begin >= std::chrono::microseconds(300));
}

TEST_CASE("a pool that goes away drops what is under way, without an answer") {
  HttpFixture node;
  const Chain chain;
  bool answered = false;
  {
    HttpPool pool;
    HttpCall call;
    call.content_type = "application/octet-stream";
    pool.post(node.url() + "/v1/requests?wait=finalised&timeout_ms=5000",
              std::string(as_text(chain.request(1, "x")->canonical)), call,
              [&](const Result<HttpReply>&) { answered = true; });
    pool.run(HttpPool::Clock::now() + milliseconds(20));
  }
  CHECK_FALSE(answered);
}
