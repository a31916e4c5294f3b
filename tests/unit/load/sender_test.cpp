// Loads on a node that does as it is told.

#include "cluster/load/sender.h"

#include <catch2/catch.hpp>
#include <set>

#include "node/wire/request_codec.h"
#include "tests/support/http_fixture.h"

namespace zell {
namespace {

using namespace std::chrono_literals;
using testing::Chain;
using testing::FakeNode;
using testing::HttpFixture;

LoadShape shape_of(std::size_t streams) {
  LoadShape shape;
  shape.streams = streams;
  shape.clients = 8;
  shape.run = 1'795'363'200'000'000;
  return shape;
}

struct Outcome {
  LoadSummary summary;
  LoadCounts counts;
  int windows = 0, seconds = 0;
};

Outcome run(LoadPlan plan, const LoadShape& shape, const std::function<bool(const LoadProgress&)>& go_on = {}) {
  SignedStreams streams(Chain().domain, shape);
  Recorder recorder(plan.warmup, plan.duration);
  Outcome out;
  LoadHooks hooks;
  hooks.window_begins = [&] { ++out.windows; };
  hooks.every_second = [&] { ++out.seconds; };
  hooks.window_ends = [&] { ++out.windows; };
  hooks.go_on = [&](const LoadProgress& progress) { return !go_on || go_on(progress); };
  out.summary = Sender(std::move(plan), streams, recorder, std::move(hooks)).run();
  out.counts = recorder.counts();
  CHECK(out.counts.offered == out.counts.finalised + out.counts.refused + out.counts.failed + out.counts.unknown);
  return out;
}

LoadPlan plan_for(std::initializer_list<const HttpFixture*> nodes, std::optional<double> rate) {
  LoadPlan plan;
  for (const auto* node : nodes) plan.urls.push_back(node->url());
  plan.rate = rate;
  plan.warmup = 200ms;
  plan.duration = 500ms;
  plan.timeout = 5s;
  plan.in_flight = 16;
  return plan;
}

void finalise_everything(HttpFixture& fixture) {
  fixture.on_loop([](FakeNode& node) { node.finalise_at_once = node.answer_waits_at_once = true; });
}

TEST_CASE("signed streams hold good requests, each client's with rising nonces at one node") {
  const Chain chain;
  auto shape = shape_of(3);
  shape.bundle = 5;
  SignedStreams streams(chain.domain, shape);
  std::uint64_t told = 0;
  streams.sign_ahead(40, [&](std::uint64_t done) {
    told = done;
    return true;
  });
  CHECK(told == 120);
  streams.sign_next(1);
  REQUIRE(streams.size(1) == 41);
  std::map<PublicKey, std::pair<std::size_t, std::uint64_t>> senders;
  std::set<RequestId> ids;
  for (std::size_t stream = 0; stream < 3; ++stream) {
    for (std::size_t k = 0; k < streams.size(stream); ++k) {
      std::string bytes;
      streams.write(stream, k, bytes);
      CHECK(bytes.size() == streams.request_bytes());
      Reader in(as_bytes(bytes));
      const auto request = read_request(in, chain.domain, 1 << 20);
      REQUIRE(request);
      REQUIRE(in.at_end());
      CHECK(check_request_form(*request, chain.genesis.parameters).ok());
      CHECK(check_request_signature(*request, secp256k1_scheme()).ok());
      CHECK(request->id == streams.id(stream, k));
      CHECK(request->payload_count == 5);
      ids.insert(request->id);
      const auto [seen, first] = senders.try_emplace(request->sender, stream, request->nonce);
      CHECK(seen->second.first == stream);
      if (!first) CHECK(request->nonce == seen->second.second + 1);
      seen->second.second = request->nonce;
    }
  }
  CHECK(ids.size() == 121);
  CHECK(senders.size() == 8);
}

TEST_CASE("another run's keys are others: its nonces don't meet ours") {
  auto shape = shape_of(1);
  SignedStreams one(Chain().domain, shape);
  ++shape.run;
  SignedStreams other(Chain().domain, shape);
  one.sign_next(0);
  other.sign_next(0);
  std::string a, b;
  one.write(0, 0, a);
  other.write(0, 0, b);
  const auto sender_at = 2 + load_app.size() + 8;
  CHECK(a.substr(sender_at, 33) != b.substr(sender_at, 33));
}

TEST_CASE("with a rate, all that is on the schedule is sent, spread over the nodes, and counted once") {
  HttpFixture first, second;
  finalise_everything(first);
  finalise_everything(second);
  const auto out = run(plan_for({&first, &second}, 300), shape_of(2));
  CHECK(out.counts.offered == 210);
  CHECK(out.counts.finalised == 210);
  CHECK(out.counts.latency.count() == 150);
  CHECK(out.windows == 2);
  CHECK(out.summary.signed_while_sending == 210);
  first.on_loop([](FakeNode& node) { CHECK(node.taken.size() == 105); });
  second.on_loop([](FakeNode& node) { CHECK(node.taken.size() == 105); });
}

TEST_CASE("with a rate, nothing waits for answers, and their lateness is in the latency") {
  HttpFixture node;
  auto plan = plan_for({&node}, 200);
  // The node answers nothing until all is sent.
  const auto out = run(plan, shape_of(1), [&](const LoadProgress& progress) {
    if (progress.counts.offered == 140) node.on_loop([](FakeNode& fake) { fake.finalise_taken(); });
    return true;
  });
  CHECK(out.counts.finalised == 140);
  // The first of the measured window was due 500 ms before its end.
  CHECK(out.counts.latency.max() >= 500'000);
  CHECK(out.summary.behind_max < 400ms);
}

TEST_CASE("without a rate, no more than so many requests are under way") {
  HttpFixture node;
  finalise_everything(node);
  const auto out = run(plan_for({&node}, std::nullopt), shape_of(1));
  CHECK(out.counts.finalised > 16);
  CHECK(out.counts.unknown == 0);

  HttpFixture silent;
  auto plan = plan_for({&silent}, std::nullopt);
  plan.timeout = 100ms;
  plan.duration = 300ms;
  std::uint64_t most = 0;
  const auto none = run(plan, shape_of(1), [&](const LoadProgress& now) {
    most = std::max(most, now.counts.offered - now.counts.unknown);
    return true;
  });
  CHECK(most == 16);
  CHECK(none.counts.finalised == 0);
  CHECK(none.counts.unknown == none.counts.offered);
}

TEST_CASE("a busy node: with a rate refused, without one the same request is sent again after the time it asks for") {
  HttpFixture node;
  const auto refuse = [](FakeNode& fake) {
    fake.refuse_all = Error{"busy", "full", "wait"};
    fake.refuse_retry = 1s;
  };
  node.on_loop(refuse);
  const auto given_up = run(plan_for({&node}, 100), shape_of(1));
  CHECK(given_up.counts.refused == 70);
  CHECK(given_up.counts.refused_by.at("busy") == 70);
  CHECK(given_up.counts.retried == 0);

  finalise_everything(node);
  auto plan = plan_for({&node}, std::nullopt);
  plan.duration = 2s;
  const auto again = run(plan, shape_of(1), [&](const LoadProgress& now) {
    if (now.elapsed > 300ms) node.on_loop([](FakeNode& fake) { fake.refuse_all.reset(); });
    return true;
  });
  CHECK(again.counts.retried == 16);
  CHECK(again.counts.refused == 0);
  CHECK(again.counts.finalised == again.counts.offered);
  CHECK(again.counts.offered > 16);
}

TEST_CASE("with a rate and --retry, what a node is too busy for is sent again, and counts from when it was due") {
  HttpFixture node;
  finalise_everything(node);
  node.on_loop([](FakeNode& fake) {
    fake.refuse_all = Error{"busy", "full", "wait"};
    fake.refuse_retry = 1s;
  });
  auto plan = plan_for({&node}, 100);
  plan.retry = true;
  plan.duration = 3s;
  const auto out = run(plan, shape_of(1), [&](const LoadProgress& now) {
    if (now.elapsed > 400ms) node.on_loop([](FakeNode& fake) { fake.refuse_all.reset(); });
    return true;
  });
  CHECK(out.counts.retried > 0);
  CHECK(out.counts.refused == 0);
  CHECK(out.counts.finalised == 320);
  CHECK(out.counts.latency.max() >= 1'000'000);
}

TEST_CASE("an answer that is not about what was sent is a failure, and said") {
  HttpFixture node;
  finalise_everything(node);
  node.on_loop([](FakeNode& fake) { fake.tamper_report = [](RequestReport& report) { report.id.bytes[0] ^= 1; }; });
  const auto out = run(plan_for({&node}, 50), shape_of(1));
  CHECK(out.counts.failed == out.counts.offered);
  CHECK(out.counts.failed_by.at("bad-answer") == out.counts.offered);
  CHECK_FALSE(out.summary.first_error.empty());
}

TEST_CASE("a node that is gone is not tried without end, and what was sent to it is unknown") {
  LoadPlan plan = plan_for({}, std::nullopt);
  plan.urls = {"http://127.0.0.1:1"};
  const auto out = run(plan, shape_of(1));
  CHECK(out.counts.unknown == out.counts.offered);
  CHECK(out.counts.offered <= 16 * 5);
  CHECK_FALSE(out.summary.first_error.empty());
}

TEST_CASE("a load that is interrupted ends at once") {
  HttpFixture node;
  auto plan = plan_for({&node}, 100);
  plan.duration = 60s;
  const auto begin = std::chrono::steady_clock::now();
  const auto out = run(plan, shape_of(1), [](const LoadProgress& now) { return now.elapsed < 200ms; });
  CHECK(out.summary.interrupted);
  CHECK(out.counts.unknown == out.counts.offered);
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
}

}  // namespace
}  // namespace zell
