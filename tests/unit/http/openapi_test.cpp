// GET /v1/openapi.json and GET /metrics: what is served, and that the document and the table of routes agree.

#include "node/http/openapi.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "node/http/routes.h"
#include "tests/support/http_fixture.h"
#include "tests/support/raw_http.h"

using namespace zell;
using namespace zell::testing;
using Json = nlohmann::json;

namespace {

const Json& document() {
  static const Json json = Json::parse(openapi_document());
  return json;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::set<std::string> parameters(const Json& operation, std::string_view in) {
  std::set<std::string> out;
  for (const auto& one : operation.value("parameters", Json::array())) {
    if (one["in"] == in) out.insert(one["name"].get<std::string>());
  }
  return out;
}

/// What a route says that it takes, when it is asked with a parameter that it doesn't take.
std::set<std::string> taken_by(const Json& error) {
  std::string hint = error["error"]["hint"];
  std::set<std::string> out;
  if (hint == "this route takes no parameters") return out;
  REQUIRE(hint.starts_with("allowed: "));
  for (std::size_t at = 9; at < hint.size();) {
    auto end = std::min(hint.find(", ", at), hint.size());
    out.insert(hint.substr(at, end - at));
    at = end + 2;
  }
  return out;
}

}  // namespace

TEST_CASE("Every route is in the document, and nothing else is") {
  std::set<std::string> routes, documented;
  for (const auto& route : route_names()) routes.insert(lower(route.method) + " " + std::string(route.path));
  for (const auto& [path, item] : document()["paths"].items()) {
    for (const auto& [method, operation] : item.items()) documented.insert(method + " " + path);
  }
  CHECK(routes == documented);
}

TEST_CASE("A route takes the parameters that the document gives it, and no others") {
  HttpFixture http;
  RawConnection connection(http.port());
  for (const auto& [pattern, item] : document()["paths"].items()) {
    INFO(pattern);
    const bool is_post = item.contains("post");
    const auto& operation = is_post ? item["post"] : item["get"];
    auto path = pattern;
    if (auto hole = path.find("{id}"); hole != std::string::npos) path.replace(hole, 4, "0x" + std::string(64, 'a'));
    CHECK((parameters(operation, "path") == std::set<std::string>{"id"}) == (path != pattern));
    auto target = path + "?no_such_parameter=1";
    auto response = is_post ? connection.post(target, "{}") : connection.get(target);
    CHECK(response.status == 400);
    auto error = Json::parse(response.body);
    CHECK(error["error"]["code"] == "unknown-parameter");
    CHECK(taken_by(error) == parameters(operation, "query"));
  }
}

TEST_CASE("Every reference of the document leads somewhere, and every operation has a name of its own") {
  std::set<std::string> names;
  std::function<void(const Json&)> visit = [&](const Json& json) {
    if (json.is_object() && json.contains("$ref")) {
      std::string target = json["$ref"];
      INFO(target);
      REQUIRE(target.starts_with("#/"));
      CHECK(document().contains(Json::json_pointer(target.substr(1))));
    }
    if (json.is_object() && json.contains("operationId")) CHECK(names.insert(json["operationId"]).second);
    if (!json.is_structured()) return;
    for (const auto& part : json) visit(part);
  };
  visit(document());
  CHECK(names.size() == route_names().size());
  CHECK(document()["openapi"] == "3.1.0");
}

TEST_CASE("The document is served as it is") {
  HttpFixture http;
  RawConnection connection(http.port());
  auto response = connection.get("/v1/openapi.json");
  CHECK(response.status == 200);
  CHECK(response.has_header("Content-Type: application/json"));
  CHECK(response.body == openapi_document());
}

TEST_CASE("The metrics hold what the node counts, and the server's answers by route and status") {
  HttpFixture http;
  RawConnection connection(http.port());
  connection.get("/v1/status");
  connection.get("/v1/status");
  connection.get("/v1/requests/nonsense");
  connection.get("/there/is/nothing");
  auto response = connection.get("/metrics");
  CHECK(response.status == 200);
  CHECK(response.has_header("Content-Type: text/plain; version=0.0.4; charset=utf-8"));
  auto has = [&](const std::string& line) { return response.body.find("\n" + line + "\n") != std::string::npos; };
  CHECK(has("fake_taken 0"));
  CHECK(has("zell_http_connections 1"));
  CHECK(has(R"(zell_http_requests_total{route="/v1/status",status="200"} 2)"));
  CHECK(has(R"(zell_http_requests_total{route="/v1/requests/{id}",status="400"} 1)"));
  CHECK(has(R"(zell_http_requests_total{route="other",status="404"} 1)"));
  CHECK(connection.get("/metrics?x=1").status == 400);
}

TEST_CASE("A zero byte does not end what is asked") {
  HttpFixture http;
  RawConnection connection(http.port());
  CHECK(connection.get("/v1/status%00").status == 404);
  CHECK(connection.get("/v1/log?from=1%00").status == 400);
  CHECK(connection.get("/v1/log?from%00=1").status == 400);
  CHECK(connection.get("/v1/log?%66rom=%31").status == 200);
  CHECK(connection.get("/v1/log?from=%").status == 400);
  CHECK(connection.get("/v1/log?from=1%3").status == 400);
}

TEST_CASE("A request whose sender can't be recovered is counted as refused") {
  HttpFixture http;
  RawConnection connection(http.port());
  auto response = connection.post(
      "/v1/requests",
      Json{{"nonce", 1}, {"payloads", {"0x00"}}, {"signature", "0x" + std::string(128, 'f') + "1b"}}.dump());
  CHECK(response.status == 200);
  http.on_loop([](FakeNode& node) { CHECK(node.unreadable == std::map<std::string, int>{{"bad-signature", 1}}); });
}
