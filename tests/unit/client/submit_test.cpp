// Submitting to nodes that are not trusted, dead, or busy.

#include "tests/unit/client/client_fixture.h"

using namespace zell;
using namespace zell::testing;

namespace {

Requests some_requests(std::size_t count) {
  Chain chain;
  Requests out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(chain.request(100 + i, "payload " + std::to_string(i)));
  return out;
}

void make_final(HttpFixture& fixture) {
  fixture.on_loop([](FakeNode& node) { node.finalise_at_once = true; });
}

}  // namespace

TEST_CASE("Finalised is reported with the certificate that proves it, for one request and for many") {
  auto count = GENERATE(std::size_t{1}, std::size_t{4}, std::size_t{5}, std::size_t{300});
  HttpFixture node(grown(2, 3));
  make_final(node);
  auto client = client_of({&node});
  auto outcomes = client.submit(some_requests(count), RequestState::finalised, milliseconds(5'000));
  REQUIRE(outcomes.ok());
  REQUIRE(outcomes->size() == count);
  for (const auto& outcome : *outcomes) {
    CHECK(outcome.state == RequestState::finalised);
    REQUIRE(outcome.certificate);
    CHECK(outcome.certificate->signatures.size() == 3);
    CHECK(outcome.index.value > 6);
    CHECK_FALSE(outcome.timed_out);
  }
  CHECK(client.faults().empty());
}

TEST_CASE("Signed nonces rise, also within a microsecond") {
  Client client(Chain().genesis, {{"n1", "http://127.0.0.1:1"}});
  std::vector<Bytes> payloads{{1}};
  std::uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    auto request = client.sign(Chain().user_key, "app", payloads);
    CHECK(request->nonce > last);
    last = request->nonce;
  }
}

TEST_CASE("A wait that is over says timed_out, and the state that a node gave is never called final without proof") {
  HttpFixture node;
  auto client = client_of({&node});
  auto requests = some_requests(1);
  auto outcomes = client.submit(requests, RequestState::finalised, milliseconds(100));
  REQUIRE(outcomes.ok());
  CHECK((*outcomes)[0].state == RequestState::initialised);
  CHECK((*outcomes)[0].timed_out);
  // The same signed request again: it is in the log once.
  make_final(node);
  outcomes = client.submit(requests, RequestState::finalised, milliseconds(2'000));
  REQUIRE(outcomes.ok());
  CHECK((*outcomes)[0].state == RequestState::finalised);
  node.on_loop([](FakeNode& fake) { CHECK(fake.chain.all.size() == 1); });
}

TEST_CASE("Lies about a submitted request are caught, and it becomes final through an honest node") {
  struct Lie {
    const char* name;
    const char* field;
    std::function<void(RequestReport&)> tell;
  };
  auto lie = GENERATE(values<Lie>({
      {"finalised when it is not", "state",
       [](RequestReport& report) {
         report.state = RequestState::finalised;
         report.index = {3};
       }},
      {"another request's result", "id", [](RequestReport& report) { report.id.bytes[0] ^= 1; }},
      {"another index", "index",
       [](RequestReport& report) {
         report.state = RequestState::finalised;
         report.index = {2};
       }},
  }));
  CAPTURE(lie.name);
  HttpFixture liar(grown(1, 3)), honest(grown(1, 3));
  make_final(honest);
  bool lies_of_index = std::string(lie.field) == "index";
  if (lies_of_index) make_final(liar);
  liar.on_loop([&](FakeNode& node) { node.tamper_report = lie.tell; });
  auto client = client_of({&liar, &honest});
  auto request = some_requests(1);
  auto outcomes = client.submit(request, RequestState::finalised, milliseconds(8'000));
  REQUIRE(outcomes.ok());
  CHECK((*outcomes)[0].state == RequestState::finalised);
  CHECK((*outcomes)[0].index.value == 4);
  CHECK((*outcomes)[0].node == "n2");
  CHECK(only_fault(client) == std::string("n1 ") + lie.field);
}

TEST_CASE("Many results with one wrong index are caught as well") {
  HttpFixture liar(grown(1, 3)), honest(grown(1, 3));
  make_final(honest);
  make_final(liar);
  auto requests = some_requests(50);
  liar.on_loop([&](FakeNode& node) {
    node.tamper_report = [id = requests[20]->id](RequestReport& report) {
      if (report.id == id) report.index = {report.index.value == 10 ? 11u : 10u};
    };
  });
  auto client = client_of({&liar, &honest});
  auto outcomes = client.submit(requests, RequestState::finalised, milliseconds(8'000));
  REQUIRE(outcomes.ok());
  for (const auto& outcome : *outcomes) CHECK(outcome.state == RequestState::finalised);
  CHECK(only_fault(client) == "n1 index");
}

TEST_CASE("A node that swallows requests is left for another one while the wait lasts") {
  HttpFixture silent, honest;
  make_final(honest);
  auto client = client_of({&silent, &honest});
  auto outcomes = client.submit(some_requests(2), RequestState::finalised, milliseconds(5'000));
  REQUIRE(outcomes.ok());
  CHECK((*outcomes)[0].node == "n2");
  CHECK((*outcomes)[1].state == RequestState::finalised);
  CHECK(client.faults().empty());
}

TEST_CASE("Dead and busy nodes are passed over; busy everywhere is waited out") {
  auto dead = std::make_unique<HttpFixture>();
  HttpFixture busy;
  busy.on_loop([](FakeNode& node) { node.refuse_all = Error{"busy", "full", ""}; });
  auto client = client_of({dead.get(), &busy});
  dead.reset();
  std::thread later([&] {
    busy.eventually([](FakeNode& node, HttpServer&) { return node.submits >= 3; });
    busy.on_loop([](FakeNode& node) {
      node.refuse_all.reset();
      node.finalise_at_once = true;
    });
  });
  auto outcomes = client.submit(some_requests(1), RequestState::finalised, milliseconds(10'000));
  later.join();
  REQUIRE(outcomes.ok());
  CHECK((*outcomes)[0].state == RequestState::finalised);

  busy.on_loop([](FakeNode& node) { node.refuse_all = Error{"busy", "full", ""}; });
  auto still = client.submit(some_requests(1), RequestState::finalised, milliseconds(200));
  REQUIRE_FALSE(still.ok());
  CHECK(still.error().code == "busy");
}

TEST_CASE("Nobody there is told soon, not at the end of the wait") {
  auto dead = std::make_unique<HttpFixture>();
  auto client = client_of({dead.get()});
  dead.reset();
  auto start = std::chrono::steady_clock::now();
  auto outcomes = client.submit(some_requests(1), RequestState::finalised, milliseconds(60'000));
  REQUIRE_FALSE(outcomes.ok());
  CHECK(outcomes.error().code == "unreachable");
  auto waited = client.wait(some_requests(1)[0]->id, RequestState::finalised, milliseconds(300));
  REQUIRE_FALSE(waited.ok());
  CHECK(waited.error().code == "unreachable");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("A refusal is believed when no node says otherwise") {
  HttpFixture refusing, honest;
  make_final(honest);
  refusing.on_loop([](FakeNode& node) {
    node.tamper_report = [](RequestReport& report) {
      report.state = RequestState::refused;
      report.index = {};
      report.reason = "duplicate";
    };
  });
  auto both = client_of({&refusing, &honest});
  auto outcomes = both.submit(some_requests(1), RequestState::finalised, milliseconds(5'000));
  REQUIRE(outcomes.ok());
  CHECK((*outcomes)[0].state == RequestState::finalised);
  auto alone = client_of({&refusing});
  outcomes = alone.submit(some_requests(1), RequestState::finalised, milliseconds(5'000));
  REQUIRE(outcomes.ok());
  CHECK((*outcomes)[0].state == RequestState::refused);
  CHECK((*outcomes)[0].reason == "duplicate");
  CHECK_FALSE((*outcomes)[0].timed_out);
}

TEST_CASE("What no node would take is refused at once, next to what is good") {
  HttpFixture node;
  make_final(node);
  Chain chain;
  Requests requests{chain.request(1, "good"), chain.request(2, "x", "Not An App"),
                    chain.request(3, std::string(300'000, 'x'))};
  auto client = client_of({&node});
  auto outcomes = client.submit(requests, RequestState::finalised, milliseconds(5'000));
  REQUIRE(outcomes.ok());
  CHECK((*outcomes)[0].state == RequestState::finalised);
  CHECK((*outcomes)[1].reason == "bad-app");
  CHECK((*outcomes)[2].reason == "request-too-large");
}

TEST_CASE("Waiting for somebody's request: found at the node that has it, and proven") {
  HttpFixture behind, ahead(grown(2, 2));
  auto client = client_of({&behind, &ahead});
  auto chain = grown(2, 2);
  auto outcome = client.wait(chain.all[2]->id, RequestState::finalised, milliseconds(5'000));
  REQUIRE(outcome.ok());
  CHECK(outcome->state == RequestState::finalised);
  CHECK(outcome->index.value == 3);
  CHECK(outcome->certificate);
  outcome = client.wait(chain.request(999, "never")->id, RequestState::finalised, milliseconds(100));
  REQUIRE(outcome.ok());
  CHECK(outcome->state == RequestState::unknown);
  CHECK(outcome->timed_out);
}

TEST_CASE("A running call ends at once when it is cancelled, and later ones too") {
  HttpFixture node;
  ClientOptions options;
  auto client = client_of({&node}, options);
  auto way = GENERATE(0, 1, 2);
  std::thread canceller([&] {
    node.eventually([](FakeNode& fake, HttpServer&) { return fake.waiting() == 1; });
    client.cancel();
  });
  auto start = std::chrono::steady_clock::now();
  std::string code;
  if (way == 0) code = client.submit(some_requests(1), RequestState::finalised, milliseconds(60'000)).error().code;
  if (way == 1) code = client.read({})->next(milliseconds(60'000)).error().code;
  if (way == 2) code = client.wait(RequestId{}, RequestState::finalised, milliseconds(60'000)).error().code;
  canceller.join();
  CHECK(code == "cancelled");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(client.prove(Index{1}).error().code == "cancelled");
}
