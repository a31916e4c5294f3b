// What a hostile or careless client may send: garbage, slow bytes, too much, from too many, and leaving early.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <nlohmann/json.hpp>

#include "node/base/prng.h"
#include "node/http/guards.h"
#include "node/http/routes.h"
#include "tests/support/http_fixture.h"
#include "tests/support/raw_http.h"

using namespace zell;
using namespace zell::testing;
using Json = nlohmann::json;
using std::chrono::milliseconds;

namespace {

std::string code(const RawResponse& response) {
  return Json::parse(response.body)["error"]["code"];
}

HttpOptions hasty() {
  HttpOptions options;
  options.receive_timeout = options.send_timeout = milliseconds(300);
  return options;
}

}  // namespace

TEST_CASE("Host must name this node, and Origin must be its own") {
  HttpOptions options;
  options.allowed_hosts = {"node.example"};
  HttpFixture http(Chain(), options);
  auto status = [&](const std::string& headers) {
    RawConnection connection(http.port());
    connection.say("GET /healthz HTTP/1.1\r\n" + headers + "\r\n");
    return connection.hear().status;
  };
  CHECK(status("Host: localhost\r\n") == 200);
  CHECK(status("Host: LocalHost:7101\r\n") == 200);
  CHECK(status("Host: [::1]:7101\r\n") == 200);
  CHECK(status("Host: node.example:80\r\n") == 200);
  CHECK(status("Host: evil.example\r\n") == 421);
  CHECK(status("Host: localhost.evil.example\r\n") == 421);
  CHECK(status("Host: localhost:80@evil\r\n") == 421);
  CHECK(status("Host: 127.0.0.1:7101\r\nOrigin: http://127.0.0.1:7101\r\n") == 200);
  CHECK(status("Host: 127.0.0.1:7101\r\nOrigin: http://127.0.0.1:8000\r\n") == 403);
  CHECK(status("Host: 127.0.0.1:7101\r\nOrigin: https://evil.example\r\n") == 403);
  CHECK(status("Host: 127.0.0.1:7101\r\nOrigin: null\r\n") == 403);
  CHECK(status("") >= 400);

  CHECK_FALSE(check_caller("", std::nullopt, {}).ok());
  CHECK_FALSE(check_caller("[::1", std::nullopt, {}).ok());
  CHECK_FALSE(check_caller("[::1]x", std::nullopt, {}).ok());
  CHECK(host_name("A.b:1") == "a.b");
  CHECK_FALSE(host_name("a:b").has_value());
}

TEST_CASE("No route answers a foreign page, and no answer lets one read it") {
  HttpFixture http;
  const std::string foreign = "Origin: http://evil.example\r\n", own = "Origin: http://127.0.0.1:7101\r\n";
  std::vector<std::string> targets{"/nowhere"};
  for (const auto& route : route_names()) targets.emplace_back(route.path);
  for (const auto& target : targets) {
    for (const std::string method : {"GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"}) {
      CAPTURE(method, target);
      auto ask = [&](const std::string& headers) {
        RawConnection connection(http.port());
        connection.say(method + " " + target + " HTTP/1.1\r\n" + headers +
                       "Access-Control-Request-Method: POST\r\nContent-Length: 0\r\n\r\n");
        auto response = connection.hear(/*head_only=*/true);
        auto head = response.head;
        std::transform(head.begin(), head.end(), head.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        CHECK(head.find("access-control-") == std::string::npos);
        return response.status;
      };
      CHECK(ask("Host: 127.0.0.1:7101\r\n" + foreign) == 403);
      CHECK(ask("Host: evil.example\r\n") == 421);
      CHECK(ask("Host: 127.0.0.1:7101\r\n" + own) != 403);
    }
  }
}

TEST_CASE("Garbage closes the connection or is answered 400, and the server goes on") {
  HttpFixture http;
  std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Prng random(seed);
  for (int i = 0; i < 200; ++i) {
    RawConnection connection(http.port());
    std::string bytes;
    if (i % 3 == 0) bytes = "GET /v1/log?from=";
    if (i % 3 == 1) bytes = "POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    for (auto left = random.below(300); left > 0; --left) bytes += static_cast<char>(random.next());
    bytes += "\r\n\r\n";
    connection.say(bytes);
  }
  RawConnection connection(http.port());
  CHECK(connection.get("/healthz").status == 200);
}

TEST_CASE("Mutated binary and JSON bodies are answered, never a crash") {
  HttpFixture http;
  Chain chain;
  auto binary = std::string(as_text(chain.request(1, "some payload")->canonical));
  std::string json = R"({"requests":[{"app":"a","nonce":1,"payloads":["0x00"],"sender":"0x02","signature":"0x00"}]})";
  std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Prng random(seed);
  RawConnection connection(http.port());
  for (int i = 0; i < 400; ++i) {
    auto body = i % 2 ? binary : json;
    for (auto changes = 1 + random.below(4); changes > 0; --changes) {
      body[random.below(body.size())] = static_cast<char>(random.next());
    }
    if (random.below(4) == 0) body.resize(random.below(body.size()));
    auto response = connection.post("/v1/requests", body, i % 2 ? "application/octet-stream" : "application/json");
    REQUIRE((response.status == 200 || response.status == 400 || response.status == 413));
  }
}

TEST_CASE("A body over the limit is 413, announced or not, and the connection lives on") {
  HttpOptions options;
  options.max_body_bytes = 10'000;
  HttpFixture http(Chain(), options);
  RawConnection connection(http.port());
  auto response = connection.post("/v1/requests", std::string(10'001, 'x'));
  CHECK(response.status == 413);
  CHECK(code(response) == "too-large");

  connection.say(
      "POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 100; ++i) connection.say("100\r\n" + std::string(256, 'x') + "\r\n");
  connection.say("0\r\n\r\n");
  CHECK(connection.hear().status == 413);
  CHECK(connection.get("/healthz").status == 200);

  RawConnection greedy(http.port());
  greedy.say(
      "POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 99999999999\r\n\r\n");
  CHECK(greedy.hear().status == 413);  // not read first
  CHECK(greedy.closed_by_peer());

  RawConnection polite(http.port());
  polite.say(
      "POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Expect: 100-continue\r\nContent-Length: 20000\r\n\r\n");
  CHECK(polite.hear().status == 413);
}

TEST_CASE("Bodies of all connections together are bounded") {
  HttpOptions options;
  options.max_total_body_bytes = 100'000;
  HttpFixture http(Chain(), options);
  RawConnection first(http.port()), second(http.port());
  first.say(
      "POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 90001\r\n\r\n" +
      std::string(90'000, ' '));
  // One thread serves all: it reads some of `first` on each of these turns.
  for (int i = 0; i < 50; ++i) REQUIRE(second.get("/healthz").status == 200);
  auto response = second.post("/v1/requests", std::string(20'000, ' '));
  CHECK(response.status == 503);
  CHECK(code(response) == "busy");
  first.say(" ");
  CHECK(first.hear().status == 400);
  CHECK(second.post("/v1/requests", std::string(20'000, ' ')).status == 400);  // room again
}

TEST_CASE("A header that is too large is refused by its own connection only") {
  HttpFixture http;
  RawConnection connection(http.port());
  connection.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ");
  for (int i = 0; i < 200; ++i) {
    if (!connection.say(std::string(1'000, 'x'))) break;
  }
  auto status = connection.hear().status;
  CHECK((status == 0 || status == 431 || status == 400 || status == 413));
  RawConnection other(http.port());
  CHECK(other.get("/healthz").status == 200);
}

TEST_CASE("Slow bytes don't hold a connection: head and body have a deadline") {
  HttpFixture http(Chain(), hasty());
  SECTION("silent") {
    RawConnection connection(http.port());
    CHECK(connection.closed_by_peer());
  }
  SECTION("a byte of the head now and then") {
    RawConnection connection(http.port());
    std::string head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + std::string(1'000, 'x');
    bool open = true;
    for (std::size_t i = 0; i < head.size() && open; ++i) {
      open = connection.say(head.substr(i, 1));
      std::this_thread::sleep_for(milliseconds(10));
    }
    CHECK_FALSE(open);
  }
  SECTION("a byte of the body now and then") {
    RawConnection connection(http.port());
    connection.say(
        "POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n");
    bool open = true;
    for (std::size_t i = 0; i < 1'000 && open; ++i) {
      open = connection.say("x");
      std::this_thread::sleep_for(milliseconds(10));
    }
    CHECK_FALSE(open);
  }
  CHECK(http.eventually([](FakeNode&, HttpServer& server) { return server.connections() == 0; }));
}

TEST_CASE("A client that doesn't take its answer is cut") {
  Chain chain;
  Requests requests;
  for (std::uint64_t i = 1; i <= 16; ++i) requests.push_back(chain.request(i, std::string(250'000, 'x')));
  chain.append(std::move(requests));
  HttpFixture http(std::move(chain), hasty());
  RawConnection connection(http.port());
  connection.say("GET /v1/log HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(http.eventually([](FakeNode&, HttpServer& server) { return server.connections() == 1; }));
  CHECK(http.eventually([](FakeNode&, HttpServer& server) { return server.connections() == 0; }));
}

TEST_CASE("A client that takes a long answer a few bytes at a time is cut when its time is over") {
  Chain chain;
  Requests requests;
  for (std::uint64_t i = 1; i <= 16; ++i) requests.push_back(chain.request(i, std::string(250'000, 'x')));
  chain.append(std::move(requests));
  HttpFixture http(std::move(chain), hasty());
  RawConnection connection(http.port(), /*receive_buffer=*/4'096);
  connection.say("GET /v1/log HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(http.eventually([](FakeNode&, HttpServer& server) { return server.connections() == 1; }));
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::size_t taken = 0;
  while (http.connections() > 0 && std::chrono::steady_clock::now() < until) taken += connection.sip(16);
  CHECK(http.connections() == 0);
  CHECK(taken > 16);
}

TEST_CASE("Answers that wait to be taken are bounded all together") {
  Chain chain;
  Requests requests;
  for (std::uint64_t i = 1; i <= 8; ++i) requests.push_back(chain.request(i, std::string(250'000, 'x')));
  chain.append(std::move(requests));
  HttpOptions options;
  options.max_total_response_bytes = 6'000'000;  // one answer of 4 MB, not two
  HttpFixture http(std::move(chain), options);
  RawConnection slow(http.port(), /*receive_buffer=*/4'096), other(http.port());
  slow.say("GET /v1/log HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(slow.sip(1) == 1);
  auto response = other.get("/v1/log");
  CHECK(response.status == 503);
  CHECK(code(response) == "busy");
  CHECK(other.get("/healthz").status == 200);
  slow.close();
  REQUIRE(http.eventually([](FakeNode&, HttpServer& server) { return server.connections() == 1; }));
  CHECK(other.get("/v1/log").status == 200);  // room again
}

TEST_CASE("A waiting call is not cut by the deadlines of heads and answers") {
  HttpFixture http(Chain(), hasty());
  RawConnection connection(http.port());
  auto response = connection.get("/v1/log?wait_ms=1500");  // five times the deadline, two sweeps at least
  CHECK(response.status == 200);
}

TEST_CASE("Slow heads fill the connections for their time only; calls are served again after it") {
  HttpOptions options = hasty();
  options.max_connections = 8;
  HttpFixture http(Chain(), options);
  std::vector<std::unique_ptr<RawConnection>> slow;
  for (int i = 0; i < 60; ++i) {
    slow.push_back(std::make_unique<RawConnection>(http.port()));
    slow.back()->say("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  }
  bool served = false;
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(15);
  while (!served && std::chrono::steady_clock::now() < until) {
    RawConnection one(http.port());
    served = one.get("/healthz").status == 200;
  }
  CHECK(served);  // though nobody of them has closed
}

TEST_CASE("Connections past the limit are told so, and served once others have closed") {
  HttpOptions options;
  options.max_connections = 8;
  HttpFixture http(Chain(), options);
  std::vector<std::unique_ptr<RawConnection>> held;
  for (int i = 0; i < 8; ++i) {
    held.push_back(std::make_unique<RawConnection>(http.port()));
    CHECK(held.back()->get("/healthz").status == 200);
  }
  RawConnection extra(http.port());
  auto response = extra.get("/healthz");
  CHECK(response.status == 503);
  CHECK(code(response) == "too-many-connections");
  CHECK(response.has_header("Retry-After: 1\r\n"));
  CHECK(extra.closed_by_peer());

  // Far more than are told: they wait in the backlog.
  std::vector<std::unique_ptr<RawConnection>> flood;
  for (int i = 0; i < 100; ++i) flood.push_back(std::make_unique<RawConnection>(http.port()));
  CHECK(held.front()->get("/healthz").status == 200);
  flood.clear();
  held.clear();
  CHECK(http.eventually([](FakeNode&, HttpServer& server) { return server.connections() == 0; }));
  // What is left in the backlog, closed by its clients long ago, may still crowd one out: that one is closed
  // unanswered.
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  bool served = false;
  while (!served && std::chrono::steady_clock::now() < until) {
    RawConnection late(http.port());
    served = late.get("/healthz").status == 200;
  }
  CHECK(served);
}

TEST_CASE("A client that leaves while it waits is noticed, and its wait given up at the node") {
  HttpFixture http;
  auto connection = std::make_unique<RawConnection>(http.port());
  connection->say("GET /v1/log?wait_ms=60000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(http.eventually([](FakeNode& node, HttpServer&) { return node.waiting() == 1; }));
  connection.reset();
  CHECK(http.eventually([](FakeNode& node, HttpServer& server) {
    return node.waiting() == 0 && node.cancelled == 1 && server.connections() == 0;
  }));
}

TEST_CASE("Pipelined requests are answered in order, also after a wait") {
  HttpFixture http;
  RawConnection connection(http.port());
  connection.say(
      "GET /v1/log?wait_ms=50 HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /v1/nowhere HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(connection.hear().status == 200);
  CHECK(connection.hear().status == 404);
  CHECK(connection.hear().status == 200);
}

TEST_CASE("A server that stops answers those who wait and cancels at the node") {
  HttpFixture http;
  RawConnection connection(http.port());
  connection.say("GET /v1/log?wait_ms=60000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(http.eventually([](FakeNode& node, HttpServer&) { return node.waiting() == 1; }));
  http.stop_server();
  auto response = connection.hear();
  CHECK(response.status == 503);
  CHECK(code(response) == "stopped");
  http.on_loop([](FakeNode& node) { CHECK(node.waiting() == 0); });
}

TEST_CASE("A server that stops lets nothing wait again, not what was pipelined behind a wait or a stream") {
  const std::string wait = "GET /v1/log?wait_ms=60000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string stream = "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const auto first = GENERATE(true, false) ? wait : stream;
  HttpFixture http;
  RawConnection connection(http.port());
  connection.say(first + wait + stream + wait);
  REQUIRE(http.eventually([](FakeNode& node, HttpServer&) { return node.waiting() == 1; }));
  http.stop_server();  // libmicrohttpd would end the process
  http.on_loop([](FakeNode& node) { CHECK(node.waiting() == 0); });
}

TEST_CASE("A port that is taken, and an address that is none, are explained") {
  HttpFixture http;
  uv_loop_t loop;
  uv_loop_init(&loop);
  FakeNode* node = new FakeNode(&loop, Chain());
  HttpOptions options;
  options.port = http.port();
  auto second = HttpServer::start(&loop, *node, options);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == "port-taken");
  options.address = "localhost";
  second = HttpServer::start(&loop, *node, options);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == "bad-address");
  delete node;
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}
