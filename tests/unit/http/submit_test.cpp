// POST /v1/requests and GET /v1/requests/{id}: API.md, "Submitting".

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/http_fixture.h"
#include "tests/support/raw_http.h"

using namespace zell;
using namespace zell::testing;
using Json = nlohmann::json;

namespace {

Json request_json(const Request& request) {
  auto payloads = Json::array();
  for (auto payload : payloads_of(request)) payloads.push_back(to_hex0x(payload));
  return {{"app", request.app},
          {"nonce", request.nonce},
          {"payloads", payloads},
          {"sender", to_hex0x(request.sender.view())},
          {"signature", to_hex0x(request.signature.view())}};
}

std::string hex(const RequestId& id) {
  return to_hex0x(id.view());
}

std::string canonical(const Request& request) {
  return std::string(as_text(request.canonical));
}

/// What every error looks like.
void check_error(const RawResponse& response, int status, const std::string& code) {
  CAPTURE(response.body);
  CHECK(response.status == status);
  auto json = Json::parse(response.body);
  CHECK(json["schema"] == 1);
  CHECK(json["error"]["code"] == code);
  CHECK(!json["error"]["reason"].get<std::string>().empty());
  CHECK(json["error"].contains("hint"));
}

}  // namespace

TEST_CASE("A request in JSON is taken in and answered by its id") {
  HttpFixture http;
  Chain chain;
  auto request = chain.request(7, "hi");
  RawConnection connection(http.port());
  SECTION("alone") {
    auto response = connection.post("/v1/requests", request_json(*request).dump());
    REQUIRE(response.status == 200);
    CHECK(response.has_header("Content-Type: application/json"));
    auto json = Json::parse(response.body);
    CHECK(json["schema"] == 1);
    REQUIRE(json["results"].size() == 1);
    CHECK(json["results"][0]["id"] == hex(request->id));
    CHECK(json["results"][0]["state"] == "initialised");
    CHECK(json["results"][0]["timed_out"] == false);
  }
  SECTION("in a list, results in order, a bad one refused by itself") {
    auto other = chain.request(8, "ho");
    auto bad = request_json(*other);
    bad["nonce"] = "9";  // signed was 8
    Json body{{"requests", {request_json(*request), bad, request_json(*other)}}};
    auto json = Json::parse(connection.post("/v1/requests", body.dump()).body);
    REQUIRE(json["results"].size() == 3);
    CHECK(json["results"][0]["id"] == hex(request->id));
    CHECK(json["results"][1]["state"] == "refused");
    CHECK(json["results"][1]["reason"] == "bad-signature");
    CHECK(json["results"][2]["id"] == hex(other->id));
  }
  SECTION("without sender, recovered from a signature of 65 bytes") {
    auto json_request = request_json(*request);
    json_request.erase("sender");
    auto signature = secp256k1_scheme().sign(chain.user_key, request->digest);
    json_request["signature"] = to_hex0x(signature.view());
    auto json = Json::parse(connection.post("/v1/requests", json_request.dump()).body);
    CHECK(json["results"][0]["id"] == hex(request->id));
    CHECK(json["results"][0]["state"] == "initialised");

    signature.bytes[64] = 29;
    json_request["signature"] = to_hex0x(signature.view());
    json = Json::parse(connection.post("/v1/requests", json_request.dump()).body);
    CHECK(json["results"][0]["reason"] == "bad-signature");
  }
}

TEST_CASE("Canonical requests are taken in as binary, few inline and many off the loop") {
  HttpFixture http;
  Chain chain;
  std::size_t count = GENERATE(1, 3, 100);
  std::string body, last;
  for (std::size_t i = 0; i < count; ++i) {
    auto request = chain.request(i + 1, "payload");
    body += canonical(*request);
    last = hex(request->id);
  }
  RawConnection connection(http.port());
  auto json = Json::parse(connection.post("/v1/requests", body, "application/octet-stream").body);
  REQUIRE(json["results"].size() == count);
  CHECK(json["results"][count - 1]["id"] == last);
  http.on_loop([&](FakeNode& node) { CHECK(node.taken.size() == count); });
}

TEST_CASE("Bodies that can't be read are 400 and say where they are wrong") {
  HttpFixture http;
  Chain chain;
  RawConnection connection(http.port());
  auto good = request_json(*chain.request(1, "x"));
  auto with = [&](const char* key, Json value) {
    auto out = good;
    out[key] = std::move(value);
    return out.dump();
  };
  auto without = [&](const char* key) {
    auto out = good;
    out.erase(key);
    return out.dump();
  };
  check_error(connection.post("/v1/requests", ""), 400, "bad-json");
  check_error(connection.post("/v1/requests", "{"), 400, "bad-json");
  check_error(connection.post("/v1/requests", "\xff\xfe\x00"), 400, "bad-json");
  check_error(connection.post("/v1/requests", std::string(100'000, '[')), 400, "bad-json");
  check_error(connection.post("/v1/requests", "[" + std::string(600'000, ',') + "]"), 400, "bad-json");
  check_error(connection.post("/v1/requests", "[]"), 400, "bad-request");
  check_error(connection.post("/v1/requests", "{\"requests\":[]}"), 400, "bad-request");
  check_error(connection.post("/v1/requests", "{\"requests\":[1]}"), 400, "bad-request");
  check_error(connection.post("/v1/requests", "{\"requests\":[],\"x\":1}"), 400, "bad-request");
  for (const auto& body : {with("nonce", -1), with("nonce", 1.5), with("nonce", "18446744073709551616"),
                           with("nonce", ""), without("nonce"), with("app", 7), with("app", std::string(33, 'a')),
                           with("payloads", "0x00"), with("payloads", Json{"00"}), with("payloads", Json{"0x0"}),
                           with("payloads", Json{"0xzz"}), without("payloads"), with("sender", "0x02"),
                           with("sender", nullptr), without("sender"), with("signature", "0x" + std::string(126, '0')),
                           with("signature", 5), without("signature"), with("extra", 1)}) {
    CAPTURE(body);
    auto response = connection.post("/v1/requests", body);
    check_error(response, 400, "bad-request");
    CHECK(Json::parse(response.body)["error"]["reason"].get<std::string>().find("the request") == 0);
  }
  auto binary = canonical(*chain.request(1, "x"));
  auto type = "application/octet-stream";
  check_error(connection.post("/v1/requests", "", type), 400, "bad-request");
  check_error(connection.post("/v1/requests", binary.substr(0, binary.size() - 1), type), 400, "bad-request");
  check_error(connection.post("/v1/requests", binary + "x", type), 400, "bad-request");
  check_error(connection.post("/v1/requests", "garbage that is no request at all", type), 400, "bad-request");
}

TEST_CASE("Limits of a submission are 413, and other content types 415") {
  HttpFixture http;
  Chain chain;
  RawConnection connection(http.port());
  auto one = canonical(*chain.request(1, "x"));
  std::string many;
  for (int i = 0; i < 4'097; ++i) many += one;
  check_error(connection.post("/v1/requests", many, "application/octet-stream"), 413, "too-many-requests");
  auto large = request_json(*chain.request(1, "x"));
  large["payloads"] = Json{"0x" + std::string(2 * 300'000, 'a')};
  check_error(connection.post("/v1/requests", large.dump()), 413, "request-too-large");
  check_error(connection.post("/v1/requests", "a=b", "application/x-www-form-urlencoded"), 415, "unsupported-type");
  check_error(connection.post("/v1/requests", "{}", "text/plain"), 415, "unsupported-type");
  CHECK(connection.post("/v1/requests", request_json(*chain.request(1, "x")).dump(), "Application/JSON; charset=utf-8")
            .status == 200);
}

TEST_CASE("A wait ends when the state is reached, or with the state at hand and timed_out") {
  HttpFixture http;
  Chain chain;
  auto request = chain.request(1, "x");
  RawConnection connection(http.port());
  auto body = request_json(*request).dump();

  auto json = Json::parse(connection.post("/v1/requests?wait=finalised&timeout_ms=50", body).body);
  CHECK(json["results"][0]["state"] == "initialised");
  CHECK(json["results"][0]["timed_out"] == true);
  json = Json::parse(connection.get("/v1/requests/" + hex(request->id) + "?wait=locked&timeout_ms=0").body);
  CHECK(json["state"] == "initialised");
  CHECK(json["timed_out"] == true);

  connection.say("GET /v1/requests/" + hex(request->id) + "?wait=finalised HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(http.eventually([](FakeNode& node, HttpServer&) { return node.waiting() == 1; }));
  http.on_loop([](FakeNode& node) { node.finalise_taken(); });
  json = Json::parse(connection.hear().body);
  CHECK(json["schema"] == 1);
  CHECK(json["state"] == "finalised");
  CHECK(json["index"] == 1);
  CHECK(json["timed_out"] == false);

  // Submitting it again answers with where it is.
  json = Json::parse(connection.post("/v1/requests?wait=finalised", body).body);
  CHECK(json["results"][0]["state"] == "finalised");
  CHECK(json["results"][0]["index"] == 1);
}

TEST_CASE("An overloaded or unable node says so for the whole call, with Retry-After") {
  HttpFixture http;
  Chain chain;
  RawConnection connection(http.port());
  auto body = request_json(*chain.request(1, "x")).dump();
  struct Case {
    const char* code;
    int status;
    int retry_ms;
    const char* header;
  };
  auto c = GENERATE(Case{"busy", 429, 1'500, "Retry-After: 2\r\n"}, Case{"learner", 503, 0, "Retry-After: 1\r\n"},
                    Case{"stopped", 503, 5'000, "Retry-After: 5\r\n"});
  http.on_loop([&](FakeNode& node) {
    node.refuse_all = Error{c.code, "why", "hint"};
    node.refuse_retry = std::chrono::milliseconds(c.retry_ms);
  });
  auto response = connection.post("/v1/requests", body);
  check_error(response, c.status, c.code);
  CHECK(response.has_header(c.header));
}

TEST_CASE("Looking up what is unknown or malformed is an error") {
  HttpFixture http;
  RawConnection connection(http.port());
  check_error(connection.get("/v1/requests/0x" + std::string(64, '0')), 404, "unknown-request");
  check_error(connection.get("/v1/requests/0x" + std::string(64, '0') + "/proof"), 404, "unknown-request");
  check_error(connection.get("/v1/requests/0x1234"), 400, "bad-request");
  check_error(connection.get("/v1/requests/nonsense/proof"), 400, "bad-request");
}

TEST_CASE("An answer that comes while another connection is being served is not held up") {
  HttpFixture http;
  Chain chain;
  auto request = chain.request(1, "x");
  // The node answers the waiting lookup from inside the submission's call.
  http.on_loop([](FakeNode& node) { node.finalise_at_once = node.answer_waits_at_once = true; });
  RawConnection waiting(http.port()), submitting(http.port());
  waiting.say("GET /v1/requests/" + hex(request->id) + "?wait=finalised HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(http.eventually([](FakeNode& node, HttpServer&) { return node.waiting() == 1; }));
  submitting.say(
      "POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
      "Content-Length: " +
      std::to_string(request->canonical.size()) + "\r\n\r\n" + canonical(*request));
  CHECK(waiting.hear().status == 200);
  CHECK(submitting.hear().status == 200);
}
