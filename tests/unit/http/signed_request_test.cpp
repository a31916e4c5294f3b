// Signed requests in a file: SIGNED.md.

#include "node/http/signed_request.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "node/base/prng.h"
#include "node/http/submit_body.h"
#include "tests/unit/wire/test_cluster.h"

using namespace zell;
using namespace zell::testing;
using Json = nlohmann::json;

namespace {

constexpr std::uint64_t seed = 20'261'128;

class SignedLines {
 public:
  SignedLines() : cluster_(cluster()) {}

  [[nodiscard]] RequestPtr next() {
    std::vector<Bytes> payloads(1 + prng_.below(5));
    for (auto& payload : payloads) {
      payload.resize(prng_.below(60));
      for (auto& byte : payload) byte = static_cast<std::uint8_t>(prng_.next());
    }
    static constexpr std::string_view apps[] = {"default", "a", "chat-2", "_"};
    const auto nonce = prng_.chance(100'000) ? UINT64_MAX : prng_.next();
    return sign_request(cluster_.domain, TestCluster::scheme(), cluster_.user, apps[prng_.below(4)], nonce, payloads);
  }
  [[nodiscard]] std::string line(const Request& request) const {
    return write_signed_request(request, cluster_.domain.cluster);
  }
  [[nodiscard]] Result<RequestPtr> read(std::string_view line) const {
    return read_signed_request(line, cluster_.domain, cluster_.genesis.parameters, TestCluster::scheme());
  }
  [[nodiscard]] std::string code(const Json& line) const {
    const auto read_back = read(line.dump());
    return read_back ? "ok" : read_back.error().code;
  }
  [[nodiscard]] const TestCluster& of() const { return cluster_; }
  Prng& prng() { return prng_; }

 private:
  static TestCluster cluster() {
    TestCluster out;
    out.genesis.parameters.request_max_bytes = 4 << 10;
    return out;
  }
  TestCluster cluster_;
  Prng prng_{seed};
};

/// A change such as a careless editor, a bad disk or an enemy makes.
std::string changed(std::string line, Prng& prng) {
  const auto at = prng.below(line.size());
  switch (prng.below(5)) {
    case 0:
      line[at] = static_cast<char>(prng.next());
      return line;
    case 1:
      return line.substr(0, at);
    case 2:
      return line.substr(0, at) + line.substr(std::min(line.size(), at + 1 + prng.below(40)));
    case 3:
      return line.substr(0, at) + line.substr(prng.below(line.size()));
    default: {
      static constexpr std::string_view digits = "0123456789abcdef";
      line[at] = digits[prng.below(digits.size())];
      return line;
    }
  }
}

}  // namespace

TEST_CASE("a signed request comes back out of its line") {
  INFO("seed " << seed);
  SignedLines requests;
  for (int i = 0; i < 300; ++i) {
    const auto request = requests.next();
    const auto line = requests.line(*request);
    CHECK(line.find('\n') == std::string::npos);
    const auto read = requests.read(line);
    REQUIRE(read.ok());
    CHECK((*read)->canonical == request->canonical);
    CHECK((*read)->id == request->id);
  }
}

TEST_CASE("a changed line is refused, or says the same as before") {
  INFO("seed " << seed);
  SignedLines requests;
  std::size_t refused = 0;
  for (int i = 0; i < 4'000; ++i) {
    const auto request = requests.next();
    const auto read = requests.read(changed(requests.line(*request), requests.prng()));
    if (!read) {
      CHECK_FALSE(read.error().what.empty());
      ++refused;
      continue;
    }
    CHECK((*read)->id == request->id);
    CHECK((*read)->canonical == request->canonical);
  }
  CHECK(refused > 3'000);
}

TEST_CASE("a line is just what POST /v1/requests takes") {
  SignedLines requests;
  const auto request = requests.next();
  const auto line = requests.line(*request);
  const auto& [genesis, domain] = std::tie(requests.of().genesis, requests.of().domain);
  for (const auto& body : {line, R"({"requests":[)" + line + "]}"}) {
    const auto read = read_json_requests(body, domain, genesis.parameters, TestCluster::scheme());
    REQUIRE(read.ok());
    REQUIRE(read->size() == 1);
    REQUIRE(read->front().request);
    CHECK(read->front().request->id == request->id);
  }
}

TEST_CASE("a request for another cluster is told apart from one that is wrong") {
  SignedLines requests;
  const auto request = requests.next();
  auto json = Json::parse(requests.line(*request));
  SigningDomain elsewhere = requests.of().domain;
  elsewhere.cluster.bytes[0] ^= 1;
  const auto read =
      read_signed_request(json.dump(), elsewhere, requests.of().genesis.parameters, TestCluster::scheme());
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == "other-cluster");
  CHECK(read.error().what.find(to_hex0x(requests.of().domain.cluster.view())) != std::string::npos);
  CHECK(read.error().what.find(to_hex0x(elsewhere.cluster.view())) != std::string::npos);

  // What the line says is compared and not believed: the id is in what was signed.
  json["cluster"] = to_hex0x(elsewhere.cluster.view());
  CHECK(requests.code(json) == "other-cluster");
  json.erase("cluster");
  CHECK(requests.code(json) == "ok");
  const auto foreign = sign_request(elsewhere, TestCluster::scheme(), requests.of().user, "a", 1, {{Bytes{1}}});
  CHECK(requests.code(Json::parse(requests.line(*foreign))) == "bad-signature");
}

TEST_CASE("each field of a line is checked, and complaints name it") {
  SignedLines requests;
  const auto sound = Json::parse(requests.line(*requests.next()));
  CHECK(requests.code(sound) == "ok");
  const auto after = [&](const char* field, const Json& value) {
    auto json = sound;
    json[field] = value;
    return requests.code(json);
  };
  CHECK(after("schema", 2) == "bad-request");
  CHECK(after("schema", "1") == "bad-request");
  CHECK(after("cluster", "0x12") == "bad-request");
  CHECK(after("cluster", 7) == "bad-request");
  CHECK(after("app", "Not An App") == "bad-app");
  CHECK(after("app", std::string(33, 'a')) == "bad-request");
  CHECK(after("nonce", "-1") == "bad-request");
  CHECK(after("nonce", "18446744073709551616") == "bad-request");
  CHECK(after("nonce", "5") == "bad-signature");
  CHECK(after("payloads", Json::array()) == "no-payloads");
  CHECK(after("payloads", {"0x1"}) == "bad-request");
  CHECK(after("payloads", {"0x" + std::string(10'000, 'a')}) == "request-too-large");
  CHECK(after("payloads", {"0x6c6965"}) == "bad-signature");
  CHECK(after("sender", "0x00") == "bad-request");
  CHECK(after("sender", "0x02" + std::string(64, 'f')) == "bad-signature");  // no point of the curve
  CHECK(after("signature", "0x00") == "bad-request");
  CHECK(after("signature", "0x" + std::string(128, '0')) == "bad-signature");
  CHECK(after("id", "0x00") == "bad-request");
  CHECK(requests.read("").error().code == "bad-json");
  CHECK(requests.read("[]").error().code == "bad-request");
  CHECK(requests.read(R"({"requests":[)" + sound.dump() + "]}").error().code == "bad-request");
  CHECK(requests.read(std::string(100, '[')).error().code == "bad-json");
}

TEST_CASE("the longest line that a request can make is within the bound for lines") {
  SignedLines requests;
  auto parameters = requests.of().genesis.parameters;
  parameters.request_max_bytes = 1 << 20;
  std::vector<Bytes> payloads(max_payloads);
  for (auto& payload : payloads) payload.resize(251);
  auto request = [&] {
    return sign_request(requests.of().domain, TestCluster::scheme(), requests.of().user,
                        std::string(max_app_bytes, 'a'), UINT64_MAX, payloads);
  };
  const auto room = parameters.request_max_bytes - request()->canonical.size();
  payloads.back().resize(251 + room);
  const auto largest = request();
  REQUIRE(largest->canonical.size() == parameters.request_max_bytes);
  const auto line = requests.line(*largest);
  CHECK(line.size() <= max_signed_line_bytes);
  const auto read = read_signed_request(line, requests.of().domain, parameters, TestCluster::scheme());
  REQUIRE(read.ok());
  CHECK((*read)->id == largest->id);
}
