// GET /v1/events: API.md, "Following".

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "node/base/prng.h"
#include "node/http/event_text.h"
#include "node/http/routes.h"
#include "tests/support/event_parser.h"
#include "tests/support/http_fixture.h"
#include "tests/support/raw_http.h"

using namespace zell;
using namespace zell::testing;
using Parsed = nlohmann::json;
using std::chrono::milliseconds;

namespace {

Chain grown(std::size_t batches, std::size_t each) {
  Chain chain;
  chain.grow(batches, each);
  return chain;
}

std::string last_event_id(const std::string& id) {
  return "Last-Event-ID: " + id + "\r\n";
}

class EventClient {
 public:
  explicit EventClient(std::uint16_t port, const std::string& target = "/v1/events", const std::string& headers = "",
                       int receive_buffer = 0)
      : connection(port, receive_buffer) {
    connection.say("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
  }
  /// REQUIRES: the answer is a stream.
  void hear_head() {
    head = connection.hear(/*head_only=*/true);
    REQUIRE(head.status == 200);
    REQUIRE(head.has_header("Content-Type: text/event-stream\r\n"));
  }
  /// The next event, or nullopt if the stream has ended.
  std::optional<ServerEvent> next() {
    if (head.status == 0) hear_head();
    while (used_ == parser.events.size()) {
      auto chunk = connection.hear_chunk();
      if (chunk.empty()) return std::nullopt;
      parser.feed(chunk);
    }
    return parser.events[used_++];
  }
  /// The next one of this type.
  Parsed next(const std::string& type) {
    while (auto event = next()) {
      if (event->type == type) return Parsed::parse(event->data);
    }
    FAIL("the stream ended before a " + type);
    return {};
  }
  /// Until a comment has come. False: the stream ended before.
  bool hear_comment() {
    if (head.status == 0) hear_head();
    while (parser.comments.empty()) {
      auto chunk = connection.hear_chunk();
      if (chunk.empty()) return false;
      parser.feed(chunk);
    }
    return true;
  }

  RawConnection connection;
  EventParser parser;
  RawResponse head;

 private:
  std::size_t used_ = 0;
};

std::string code(const RawResponse& response) {
  return Parsed::parse(response.body)["error"]["code"];
}

}  // namespace

TEST_CASE("A stream gives what is final in order, as the log shows it, then what becomes final") {
  auto size = GENERATE(std::pair<std::size_t, std::size_t>{3, 4}, std::pair<std::size_t, std::size_t>{20, 100});
  auto count = size.first * size.second;
  HttpFixture http(grown(size.first, size.second));
  RawConnection plain(http.port());
  auto log = Parsed::parse(plain.get("/v1/log?max_bytes=4194304").body)["requests"];
  REQUIRE(log.size() == count);

  EventClient client(http.port());
  auto view = client.next("view");
  CHECK(view["leader"] == "n1");
  CHECK(view["active"] == true);
  CHECK(client.parser.retry == "1000");
  std::uint64_t expected = 1;
  std::uint64_t certified = 0;
  while (certified < count) {
    auto event = client.next();
    REQUIRE(event.has_value());
    auto data = Parsed::parse(event->data);
    if (event->type == "request") {
      REQUIRE(data == log[expected - 1]);
      REQUIRE(event->last_id == std::to_string(expected++));
    } else {
      REQUIRE(event->type == "certificate");
      certified = data["index"];
      REQUIRE(certified == expected - 1);  // covers all that came before it
      REQUIRE(event->last_id == std::to_string(certified));
      REQUIRE(data["signatures"].size() == 3);
    }
  }
  CHECK(expected == count + 1);

  REQUIRE(http.eventually([](FakeNode& node, HttpServer&) { return node.waiting() == 1; }));
  http.on_loop([](FakeNode& node) { node.chain.grow(1, 2); });
  CHECK(client.next("request")["index"] == count + 1);
  CHECK(client.next("request")["index"] == count + 2);
  CHECK(client.next("certificate")["index"] == count + 2);
  CHECK(client.parser.unknown_fields == 0);
}

TEST_CASE("A client that is cut anywhere and comes back sees each request once, in order") {
  std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Prng random(seed);
  HttpFixture http(grown(10, 7));
  std::string last;
  std::uint64_t expected = 1;
  std::uint64_t end = 70;
  while (expected <= 200) {
    EventClient client(http.port(), "/v1/events?from=1", last.empty() ? "" : last_event_id(last));
    for (auto left = 1 + random.below(40); left > 0 && expected <= 200; --left) {
      if (expected > end || random.below(10) == 0) {
        auto fresh = 1 + random.below(9);
        http.on_loop([&](FakeNode& node) { node.chain.grow(1, fresh); });
        end += fresh;
      }
      auto event = client.next();
      REQUIRE(event.has_value());
      last = event->last_id;
      if (event->type == "request") REQUIRE(Parsed::parse(event->data)["index"] == expected++);
    }
    REQUIRE_FALSE(last.empty());
  }
}

TEST_CASE("from is an index or the end of what is final; a client that saw no event comes back to the same place") {
  HttpFixture http(grown(2, 5));
  EventClient middle(http.port(), "/v1/events?from=8");
  CHECK(middle.next("request")["index"] == 8);

  EventClient end(http.port(), "/v1/events?from=end");
  end.next("view");
  CHECK(end.parser.last_id == "10");
  http.on_loop([](FakeNode& node) { node.chain.grow(1, 1); });
  CHECK(end.next("request")["index"] == 11);

  EventClient above(http.port(), "/v1/events?from=13");  // past what this node has: it waits
  http.on_loop([](FakeNode& node) { node.chain.grow(1, 1); });
  http.on_loop([](FakeNode& node) { node.chain.grow(1, 1); });
  CHECK(above.next("request")["index"] == 13);
}

TEST_CASE("A client that was cut between the last request and its certificate is given the certificate") {
  HttpFixture http(grown(1, 3));
  EventClient client(http.port(), "/v1/events", last_event_id("3"));
  auto event = client.next();
  REQUIRE(event.has_value());
  CHECK(event->type == "certificate");
  CHECK(event->last_id == "3");
}

TEST_CASE("Filters leave out requests, and the place to resume after moves on all the same") {
  Chain chain;
  chain.grow(1, 3, "one");
  chain.grow(1, 2, "two");
  auto sender = to_hex0x(chain.all.front()->sender.view());
  HttpFixture http(std::move(chain));
  EventClient two(http.port(), "/v1/events?app=two&sender=" + sender);
  CHECK(two.next("request")["index"] == 4);

  EventClient none(http.port(), "/v1/events?app=three&certificates=0");
  none.next("view");
  while (none.parser.last_id != "5") {
    auto chunk = none.connection.hear_chunk();
    REQUIRE_FALSE(chunk.empty());
    none.parser.feed(chunk);
  }
  CHECK(none.parser.events.size() == 1);  // the view

  EventClient nobody(http.port(), "/v1/events?sender=0x02" + std::string(64, '0'));
  auto certificate = nobody.next("certificate");
  CHECK(certificate["index"] == 5);
}

TEST_CASE("A change of the view or of its leader is told once") {
  HttpFixture http;
  EventClient client(http.port());
  CHECK(client.next("view")["view"] == 0);
  http.on_loop([](FakeNode& node) { node.view_now = View{7}, node.leader_now = NodeId{2}; });
  auto view = client.next("view");
  CHECK(view["view"] == 7);
  CHECK(view["leader"] == "n3");
  http.on_loop([](FakeNode& node) { node.chain.grow(1, 1); });
  auto event = client.next();
  REQUIRE(event.has_value());
  CHECK(event->type == "request");
}

TEST_CASE("In silence a comment shows that the stream lives") {
  HttpOptions options;
  options.keep_alive_every = milliseconds(1);
  HttpFixture http(Chain(), options);
  EventClient client(http.port());
  CHECK(client.hear_comment());
}

TEST_CASE("A client that doesn't read is held back, then dropped; what it was not given was never read") {
  Chain chain;
  for (std::uint64_t i = 1; i <= 48; ++i) chain.append({chain.request(i, std::string(250'000, 'x'))});
  HttpOptions options;
  options.send_timeout = milliseconds(1'000);
  HttpFixture http(std::move(chain), options);
  EventClient client(http.port(), "/v1/events", "", /*receive_buffer=*/4'096);
  REQUIRE(http.eventually([](FakeNode&, HttpServer& server) { return server.streams() == 1; }));
  RawConnection other(http.port());
  CHECK(other.get("/healthz").status == 200);
  other.close();
  REQUIRE(http.eventually([](FakeNode&, HttpServer& server) { return server.connections() == 0; }));
  http.on_loop([](FakeNode& node) {
    CHECK(node.furthest_read.value > 1);
    CHECK(node.furthest_read.value < 32);  // the kernel holds 4 MiB of the 24 MiB, by its defaults
    CHECK(node.waiting() == 0);
  });
}

TEST_CASE("A client that is slow but reads is held back, not dropped") {
  Chain chain;
  for (std::uint64_t i = 1; i <= 40; ++i) chain.append({chain.request(i, std::string(250'000, 'x'))});
  HttpOptions options;
  options.send_timeout = milliseconds(3'000);
  HttpFixture http(std::move(chain), options);
  EventClient client(http.port(), "/v1/events", "", /*receive_buffer=*/65'536);
  for (std::uint64_t i = 1; i <= 40; ++i) {
    REQUIRE(client.next("request")["index"] == i);
    std::this_thread::sleep_for(milliseconds(100));  // the slowness that this is about: longer than the timeout in all
  }
}

TEST_CASE("A client that leaves frees its stream, and what it waited for at the node") {
  HttpFixture http;
  auto client = std::make_unique<EventClient>(http.port());
  client->next("view");
  REQUIRE(
      http.eventually([](FakeNode& node, HttpServer& server) { return node.waiting() == 1 && server.streams() == 1; }));
  client.reset();
  CHECK(http.eventually([](FakeNode& node, HttpServer& server) {
    return node.waiting() == 0 && server.streams() == 0 && server.connections() == 0;
  }));
}

TEST_CASE("A server that stops ends its streams whole, waiting and busy ones") {
  HttpFixture http(grown(10, 100));
  EventClient waiting(http.port(), "/v1/events?from=end"), busy(http.port());
  waiting.next("view");
  busy.next("request");
  REQUIRE(http.eventually([](FakeNode& node, HttpServer&) { return node.waiting() >= 1; }));
  http.stop_server();
  CHECK_FALSE(waiting.next().has_value());
  CHECK(waiting.connection.whole());
  REQUIRE(waiting.parser.comments.size() == 1);
  CHECK(waiting.parser.comments.front() == ": this node is stopping");
  while (busy.next()) {
  }
  http.on_loop([](FakeNode& node) { CHECK(node.waiting() == 0); });
}

TEST_CASE("A stream that the node refuses to go on with ends, and says why") {
  HttpFixture http;
  http.on_loop([](FakeNode& node) { node.refuse_reads = Error{"busy", "too many\ncalls", ""}; });
  EventClient client(http.port());
  while (client.next()) {
  }
  CHECK(client.connection.whole());
  REQUIRE(client.parser.comments.size() == 1);
  CHECK(client.parser.comments.front() == ": busy: too many calls");
  CHECK(client.parser.last_id == "0");
  CHECK(client.connection.get("/healthz").status == 200);  // the connection lives on
}

TEST_CASE("Streams are bounded, and leave connections for calls") {
  HttpOptions options;
  options.max_streams = 2;
  HttpFixture http(Chain(), options);
  auto first = std::make_unique<EventClient>(http.port());
  EventClient second(http.port());
  first->next("view");
  second.next("view");
  RawConnection third(http.port());
  auto response = third.get("/v1/events");
  CHECK(response.status == 503);
  CHECK(code(response) == "too-many-streams");
  CHECK(response.has_header("Retry-After: 1\r\n"));
  CHECK(third.get("/v1/log").status == 200);
  first.reset();
  REQUIRE(http.eventually([](FakeNode&, HttpServer& server) { return server.streams() == 1; }));
  EventClient late(http.port());
  late.next("view");
  HttpOptions defaults;
  CHECK(defaults.max_streams <= defaults.max_connections / 2);
}

TEST_CASE("HEAD of a stream has its head and no body, and holds nothing") {
  HttpFixture http(grown(1, 2));
  RawConnection connection(http.port());
  connection.say("HEAD /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  auto response = connection.hear(/*head_only=*/true);
  CHECK(response.status == 200);
  CHECK(response.has_header("Content-Type: text/event-stream\r\n"));
  CHECK(response.has_header("Connection: close\r\n"));
  CHECK(connection.closed_by_peer());
  CHECK(
      http.eventually([](FakeNode& node, HttpServer& server) { return server.streams() == 0 && node.waiting() == 0; }));
}

TEST_CASE("HTTP/1.0 gets the stream without chunks, up to the end of the connection") {
  HttpFixture http(grown(1, 2));
  RawConnection connection(http.port());
  connection.say("GET /v1/events HTTP/1.0\r\nHost: localhost\r\n\r\n");
  auto response = connection.hear(/*head_only=*/true);
  CHECK(response.status == 200);
  CHECK_FALSE(response.has_header("Transfer-Encoding"));
  REQUIRE(http.eventually([](FakeNode& node, HttpServer&) { return node.waiting() == 1; }));
  http.stop_server();
  EventParser parser;
  parser.feed(connection.hear_rest());
  REQUIRE(parser.events.size() == 4);
  CHECK(parser.events.back().type == "certificate");
}

TEST_CASE("Bad parameters of a stream are errors that say what is allowed") {
  HttpFixture http;
  RawConnection connection(http.port());
  for (const std::string target : {"from=0", "from=x", "from=End", "from=18446744073709551615", "from=1&from=2", "app=",
                                   "app=A", "sender=0x02", "certificates=2", "app=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    CAPTURE(target);
    auto response = connection.get("/v1/events?" + target);
    CHECK(response.status == 400);
    CHECK(code(response) == "bad-parameter");
  }
  CHECK(code(connection.get("/v1/events?form=1")) == "unknown-parameter");
  for (const std::string id : {"x", "-1", "1 2", "18446744073709551615", "99999999999999999999"}) {
    CAPTURE(id);
    auto response = connection.get("/v1/events", last_event_id(id));
    CHECK(response.status == 400);
    CHECK(code(response) == "bad-parameter");
  }
  CHECK(connection.post("/v1/events", "{}").status == 405);
  CHECK(connection.get("/v1/events", "Origin: http://evil.example\r\n").status == 403);
}

TEST_CASE("Whatever a payload holds, each event is one line of data that reads back as it was") {
  std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Prng random(seed);
  Chain chain;
  constexpr char spice_text[] = "\n\r\0:\"\\\x7f data: id: 9\nevent: x\xe2\x80\xa8\xff";
  const std::string spice(spice_text, sizeof spice_text - 1);
  auto noise = [&](std::size_t most) {
    std::string out;
    for (auto left = random.below(most); left > 0; --left) {
      out += random.below(2) ? spice[random.below(spice.size())] : static_cast<char>(random.next());
    }
    return out;
  };
  std::vector<std::string> payloads;
  for (int batch = 0; batch < 20; ++batch) {
    Requests requests;
    for (auto left = 1 + random.below(9); left > 0; --left) {
      payloads.push_back(noise(300));
      requests.push_back(chain.request(chain.next_nonce++, payloads.back()));
    }
    chain.append(std::move(requests), /*certified=*/random.below(3) != 0 || batch == 19);
  }
  LogPage page;
  page.finalised = chain.batches;
  page.fc = chain.certificates.rbegin()->second;

  EventParser parser;
  PageCursor cursor;
  auto from = 1 + random.below(payloads.size());
  while (!cursor.done) {
    auto piece = write_page(page, Index{from}, {}, chain.genesis, 1 + random.below(5'000), cursor);
    REQUIRE_FALSE(piece.empty());
    for (std::size_t at = 0; at < piece.size();) {  // in the pieces that a network makes of it
      auto some = 1 + random.below(100);
      parser.feed(std::string_view(piece).substr(at, some));
      at += some;
    }
  }
  REQUIRE(parser.events.size() == payloads.size() - from + 2);
  for (std::size_t i = 0; i + 1 < parser.events.size(); ++i) {
    auto data = Parsed::parse(parser.events[i].data);
    CHECK(data["index"] == from + i);
    CHECK(parser.events[i].last_id == std::to_string(from + i));
    CHECK(data["payloads"][0] == to_hex0x(as_bytes(payloads[from + i - 1])));
  }
  CHECK(parser.events.back().type == "certificate");

  for (int i = 0; i < 500; ++i) {  // and whatever text there is
    auto text = noise(60);
    EventParser one;
    auto safe = dump(text);
    one.feed(event_text("note", Index{5}, Json(text)) + comment_text(text) + id_text(Index{6}));
    REQUIRE(one.events.size() == 1);
    REQUIRE(one.events.front().data + "\n" == safe);
    REQUIRE(one.comments.size() == 1);
    REQUIRE(one.last_id == "6");
    REQUIRE(one.unknown_fields == 0);
  }
}
