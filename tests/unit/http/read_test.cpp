// The routes that read: API.md, "Reading". Rules of the query, of paths and methods.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "node/wire/codec.h"
#include "tests/support/http_fixture.h"
#include "tests/support/raw_http.h"

using namespace zell;
using namespace zell::testing;
using Json = nlohmann::json;

namespace {

Chain grown(std::size_t batches, std::size_t each) {
  Chain chain;
  chain.grow(batches, each);
  return chain;
}

std::vector<Hash> hashes(const Json& list) {
  std::vector<Hash> out;
  for (const auto& one : list) out.push_back(*fixed_from_hex<Hash>(one.get<std::string>()));
  return out;
}

std::string code(const RawResponse& response) {
  return Json::parse(response.body)["error"]["code"];
}

}  // namespace

TEST_CASE("A page of the log in JSON begins at `from` and ends at a certificate") {
  HttpFixture http(grown(3, 4));
  RawConnection connection(http.port());
  auto json = Json::parse(connection.get("/v1/log?from=2").body);
  CHECK(json["schema"] == 1);
  CHECK(json["requests"].size() == 11);
  CHECK(json["requests"][0]["index"] == 2);
  CHECK(json["requests"][0]["state"] == "finalised");
  CHECK(json["requests"][0]["payloads"][0] == to_hex0x(as_bytes("add 2")));
  CHECK(json["requests"][0]["nonce"] == "2");
  CHECK(json["next"] == 13);
  CHECK(json["next_finalised"] == 13);
  CHECK(json["finalised_index"] == 12);
  CHECK(json["certificate"]["index"] == 12);
  CHECK(json["certificate"]["signatures"].size() == 3);
  CHECK(json["certificate"]["signatures"][0]["name"] == "n1");

  json = Json::parse(connection.get("/v1/log?from=1&max_bytes=1").body);
  CHECK(json["requests"].size() == 4);
  CHECK(json["next"] == 5);
  CHECK(json["certificate"]["index"] == 4);
}

TEST_CASE("What is sequenced comes only when asked for, and is marked") {
  auto chain = grown(1, 2);
  chain.append({chain.request(77, "later")}, /*certified=*/false);
  HttpFixture http(std::move(chain));
  RawConnection connection(http.port());
  CHECK(Json::parse(connection.get("/v1/log").body)["requests"].size() == 2);
  auto json = Json::parse(connection.get("/v1/log?unfinalised=1").body);
  CHECK(json["requests"].size() == 3);
  CHECK(json["requests"][2]["state"] == "sequenced");
  CHECK(json["next"] == 4);
  CHECK(json["next_finalised"] == 3);
}

TEST_CASE("A binary page is a Chunk message, small and large") {
  auto size = GENERATE(std::pair<std::size_t, std::size_t>{1, 2}, std::pair<std::size_t, std::size_t>{4, 50});
  HttpFixture http(grown(size.first, size.second));
  Chain chain;
  RawConnection connection(http.port());
  auto response = connection.get("/v1/log?from=2", "Accept: application/octet-stream\r\n");
  REQUIRE(response.status == 200);
  CHECK(response.has_header("Content-Type: application/octet-stream"));
  DecodeContext context{chain.domain, chain.genesis.parameters, chain.genesis.size()};
  auto message = decode_message(as_bytes(response.body), context);
  REQUIRE(message.ok());
  const auto& chunk = std::get<Chunk>(*message);
  CHECK(chunk.from.value == 0);  // the batch that contains 2 begins at 1
  CHECK(chunk.batches.size() == size.first);
  REQUIRE(chunk.fc.has_value());
  CHECK(chunk.fc->point.index.value == size.first * size.second);

  CHECK(code(connection.get("/v1/log?unfinalised=1", "Accept: application/octet-stream\r\n")) == "bad-parameter");
}

TEST_CASE("A reader at the end of the log waits for the next batch, or gets an empty page") {
  HttpFixture http(grown(1, 2));
  RawConnection connection(http.port());
  auto json = Json::parse(connection.get("/v1/log?from=3&wait_ms=30").body);
  CHECK(json["requests"].empty());
  CHECK(json["certificate"].is_null());
  CHECK(json["next"] == 3);

  connection.say("GET /v1/log?from=3&wait_ms=20000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(http.eventually([](FakeNode& node, HttpServer&) { return node.waiting() == 1; }));
  http.on_loop([](FakeNode& node) { node.chain.grow(1, 1); });
  json = Json::parse(connection.hear().body);
  CHECK(json["requests"][0]["index"] == 3);
}

TEST_CASE("Proofs of inclusion and consistency verify against the certificate that comes with them") {
  HttpFixture http(grown(2, 5));
  Chain chain = grown(2, 5);
  RawConnection connection(http.port());
  auto id = to_hex0x(chain.all[6]->id.view());
  for (const auto& target : {"/v1/requests/" + id + "/proof", std::string("/v1/proof/inclusion?index=7")}) {
    auto json = Json::parse(connection.get(target).body);
    CHECK(json["index"] == 7);
    CHECK(json["request"]["id"] == id);
    CHECK(json["header"] == to_hex0x(chain.all[6]->header()));
    CHECK(
        verify_inclusion(chain.all[6]->leaf, 6, json["certificate"]["index"], hashes(json["path"]), chain.tip().root));
  }
  auto json = Json::parse(connection.get("/v1/proof/consistency?first=3").body);
  CHECK(json["second"]["index"] == 10);
  CHECK(json["certificate"]["index"] == 10);
  CHECK(verify_consistency(3, chain.root_at(3), 10, chain.root_at(10), hashes(json["path"])));
  json = Json::parse(connection.get("/v1/proof/consistency?first=3&second=9").body);
  CHECK(json["certificate"].is_null());
  CHECK(verify_consistency(3, chain.root_at(3), 9, chain.root_at(9), hashes(json["path"])));

  CHECK(connection.get("/v1/proof/inclusion?index=11").status == 409);
  CHECK(connection.get("/v1/proof/inclusion").status == 400);
  CHECK(connection.get("/v1/proof/consistency?first=3&second=11").status == 409);
  CHECK(connection.get("/v1/proof/consistency?first=3&second=2").status == 400);
  CHECK(connection.get("/v1/proof/consistency?second=2").status == 400);
}

TEST_CASE("Certificate, genesis, status and evidence") {
  auto chain = grown(1, 1);
  HttpFixture http(grown(1, 1));
  RawConnection connection(http.port());
  CHECK(Json::parse(connection.get("/v1/certificate").body)["certificate"]["index"] == 1);

  auto json = Json::parse(connection.get("/v1/genesis").body);
  CHECK(json["cluster_id"] == to_hex0x(chain.domain.cluster.view()));
  CHECK(json["members"].size() == 4);
  CHECK(json["members"][3]["stake"] == "1");
  CHECK(json["canonical"] == to_hex0x(chain.genesis.canonical_bytes()));

  json = Json::parse(connection.get("/v1/status").body);
  CHECK(json["name"] == "n1");
  CHECK(json["leader"] == "n1");
  CHECK(json["standing"] == "member");
  CHECK(json["rejoins_above"].is_null());
  CHECK(json["finalised"]["index"] == 1);
  CHECK(json["peers"][0]["up"] == true);
  CHECK(json["challenging"].is_null());

  CHECK(Json::parse(connection.get("/v1/evidence").body)["evidence"].empty());
  auto vote = [&](char root) {
    Vote out{Phase::lock, View{3}, {Index{2}, {}}, NodeId{2}, {}};
    out.point.root.bytes[0] = static_cast<std::uint8_t>(root);
    return out;
  };
  http.on_loop(
      [&](FakeNode& node) { node.evidence = {std::make_shared<Evidence>(TwoVotes{vote(1), vote(2), {}, {}})}; });
  json = Json::parse(connection.get("/v1/evidence").body)["evidence"];
  REQUIRE(json.size() == 1);
  CHECK(json[0]["kind"] == "two-votes");
  CHECK(json[0]["node"] == "n3");
  CHECK(json[0]["view"] == 3);
  CHECK(json[0]["encoded"].get<std::string>().size() > 100);

  HttpFixture empty;
  RawConnection other(empty.port());
  CHECK(Json::parse(other.get("/v1/certificate").body)["certificate"].is_null());
}

TEST_CASE("Health and readiness say why not") {
  HttpFixture http;
  RawConnection connection(http.port());
  CHECK(connection.get("/healthz").status == 200);
  CHECK(connection.get("/readyz").status == 200);
  http.on_loop([](FakeNode& node) { node.health_now = {true, false, "catching up"}; });
  CHECK(connection.get("/healthz").status == 200);
  auto response = connection.get("/readyz");
  CHECK(response.status == 503);
  CHECK(response.has_header("Retry-After: 1\r\n"));
  CHECK(Json::parse(response.body)["error"]["reason"] == "catching up");
  http.on_loop([](FakeNode& node) { node.health_now = {false, false, "the disk failed"}; });
  CHECK(code(connection.get("/healthz")) == "unhealthy");
}

TEST_CASE("Unknown, repeated and malformed parameters are errors that name what is allowed") {
  HttpFixture http;
  RawConnection connection(http.port());
  auto response = connection.get("/v1/log?form=1");
  CHECK(response.status == 400);
  auto error = Json::parse(response.body)["error"];
  CHECK(error["code"] == "unknown-parameter");
  CHECK(error["hint"] == "allowed: from, max_bytes, unfinalised, wait_ms");
  for (const std::string target :
       {"/v1/log?from=0", "/v1/log?from=x", "/v1/log?from=", "/v1/log?from", "/v1/log?from=-1", "/v1/log?from=1&from=2",
        "/v1/log?max_bytes=0", "/v1/log?max_bytes=99999999", "/v1/log?unfinalised=maybe", "/v1/log?wait_ms=60001",
        "/v1/log?from=99999999999999999999", "/v1/log?from=18446744073709551615", "/v1/requests/00?wait=final",
        "/v1/requests/00?timeout_ms=1s"}) {
    CAPTURE(target);
    response = connection.get(target);
    CHECK(response.status == 400);
    CHECK(code(response) == "bad-parameter");
  }
  for (const std::string target : {"/v1/status?x=1", "/healthz?x", "/readyz?x", "/v1/evidence?x", "/v1/genesis?x",
                                   "/v1/certificate?x", "/v1/proof/inclusion?x", "/v1/proof/consistency?x"}) {
    CAPTURE(target);
    CHECK(code(connection.get(target)) == "unknown-parameter");
  }
}

TEST_CASE("Unknown paths are 404 and wrong methods 405 with Allow, in JSON; HEAD is GET without its body") {
  HttpFixture http;
  RawConnection connection(http.port());
  for (const std::string target :
       {"/", "/v1", "/v1/requests/", "/v1/requests/a/b", "/v1/requests/a/proof/x", "/v2/log"}) {
    CAPTURE(target);
    auto response = connection.get(target);
    CHECK(response.status == 404);
    CHECK(code(response) == "unknown-route");
  }
  auto response = connection.get("/v1/requests");
  CHECK(response.status == 405);
  CHECK(response.has_header("Allow: POST\r\n"));
  response = connection.post("/v1/log", "{}");
  CHECK(response.status == 405);
  CHECK(response.has_header("Allow: GET\r\n"));
  connection.say("HEAD /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(connection.hear(/*head_only=*/true).status == 200);
  CHECK(connection.get("/healthz").status == 200);
}
