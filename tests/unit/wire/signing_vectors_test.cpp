// Every case of vectors/signing.json: what other implementations sign, bit for bit.

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "node/crypto/hash.h"
#include "node/wire/request_codec.h"

using namespace zell;
using nlohmann::json;

namespace {

const json& vectors() {
  static const json out = [] {
    std::ifstream file(std::string(ZELL_TEST_VECTORS) + "/signing.json");
    return json::parse(file);
  }();
  return out;
}

template <class Fixed>
Fixed fixed(const json& value) {
  auto out = fixed_from_hex<Fixed>(value.get<std::string>());
  REQUIRE(out);
  return *out;
}

std::uint64_t number(const json& value) {
  return value.is_string() ? std::stoull(value.get<std::string>()) : value.get<std::uint64_t>();
}

Bytes bytes(const json& value) {
  auto out = from_hex(value.get<std::string>());
  REQUIRE(out);
  return *out;
}

SigningDomain domain() {
  SigningDomain out;
  out.cluster = fixed<ClusterId>(vectors()["cluster"]);
  out.separator = fixed<Hash>(vectors()["domainSeparator"]);
  return out;
}

SigningDomain domain_of(const json& value) {
  auto out = domain();
  if (value.contains("epoch")) out.epoch = {static_cast<std::uint32_t>(number(value["epoch"]))};
  return out;
}

struct Key {
  SecretKey secret;
  PublicKey key;
};

Key key_named(const std::string& name) {
  for (const auto& entry : vectors()["keys"]) {
    if (entry["name"] != name) continue;
    return {SecretKey(fixed<Hash>(entry["secret"]).bytes), fixed<PublicKey>(entry["publicKey"])};
  }
  FAIL("no key " + name);
  return {};
}

Lock lock_of(const json& value, const char* view, const char* index, const char* root) {
  return {{number(value[view])}, {{number(value[index])}, fixed<Hash>(value[root])}};
}

using DigestOf = Hash (*)(const json& value);
const std::map<std::string, DigestOf> digests = {
    {"ZellRequest",
     [](const json& v) {
       return request_digest(domain(), v["app"].get<std::string>(), number(v["nonce"]),
                             static_cast<std::uint32_t>(number(v["count"])), fixed<Hash>(v["payloads"]));
     }},
    {"ZellProposal",
     [](const json& v) {
       ProposalHeader header;
       header.view = {number(v["view"])};
       header.first = {number(v["firstIndex"])};
       header.parent_root = fixed<Hash>(v["parentRoot"]);
       header.end = {{number(v["lastIndex"])}, fixed<Hash>(v["root"])};
       return proposal_digest(domain_of(v), header);
     }},
    {"ZellChallenge",
     [](const json& v) {
       return challenge_digest(domain_of(v), {number(v["view"])}, static_cast<Reason>(number(v["reason"])));
     }},
    {"ZellViewChange",
     [](const json& v) {
       return view_change_digest(domain_of(v), {number(v["view"])}, lock_of(v, "lockView", "lockIndex", "lockRoot"));
     }},
    {"ZellNewView",
     [](const json& v) {
       return new_view_digest(domain_of(v), {number(v["view"])}, lock_of(v, "baseView", "baseIndex", "baseRoot"),
                              fixed<Hash>(v["changesHash"]));
     }},
    {"ZellHeartbeat",
     [](const json& v) {
       return heartbeat_digest(domain_of(v), {number(v["view"])}, {{number(v["tip"])}, fixed<Hash>(v["root"])},
                               number(v["counter"]));
     }},
    {"ZellHello",
     [](const json& v) {
       return hello_digest(domain(), fixed<Address>(v["from"]), fixed<Address>(v["to"]), fixed<Nonce32>(v["nonceFrom"]),
                           fixed<Nonce32>(v["nonceTo"]), static_cast<std::uint8_t>(number(v["role"])),
                           static_cast<std::uint32_t>(number(v["version"])));
     }},
    {"ZellMembership", [](const json& v) { return membership_digest(domain_of(v), fixed<Hash>(v["nextSet"])); }},
};

Hash digest_of(const json& one) {
  const std::string type = one["type"];
  if (type != "ZellVote in ECDSACertificate") return digests.at(type)(one["value"]);
  const auto& v = one["vote"]["value"];
  auto where = domain_of(v);
  where.reference_timestamp = static_cast<std::uint32_t>(number(one["referenceTimestamp"]));
  return vote_digest(where, static_cast<Phase>(number(v["phase"])), {number(v["view"])},
                     {{number(v["index"])}, fixed<Hash>(v["root"])});
}

}  // namespace

TEST_CASE("every digest of the signing vectors is reproduced") {
  std::set<std::string> types;
  for (const auto& one : vectors()["cases"]) {
    INFO(one["type"] << " " << one["digest"]);
    CHECK(digest_of(one) == fixed<Hash>(one["digest"]));
    types.insert(one["type"]);
  }
  CHECK(types.size() == digests.size() + 1);
}

TEST_CASE("every signature of the signing vectors is made and recovered") {
  const auto& scheme = secp256k1_scheme();
  std::size_t count = 0;
  for (const auto& one : vectors()["cases"]) {
    const auto digest = fixed<Hash>(one["digest"]);
    for (const auto& [name, signature] : one["signatures"].items()) {
      INFO(one["type"] << " by " << name);
      const auto key = key_named(name);
      const auto expected = fixed<Signature>(signature);
      CHECK(scheme.sign(key.secret, digest) == expected);
      CHECK(scheme.recover(digest, expected) == key.key);
      ++count;
    }
  }
  CHECK(count >= 26);
}

TEST_CASE("every request of the signing vectors has its canonical bytes, id and leaf") {
  const auto alice = key_named("alice");
  std::size_t count = 0;
  for (const auto& one : vectors()["cases"]) {
    if (one["type"] != "ZellRequest") continue;
    std::vector<Bytes> payloads;
    for (const auto& payload : one["payloads"]) payloads.push_back(bytes(payload));
    const auto& v = one["value"];
    const auto request = sign_request(domain(), secp256k1_scheme(), alice.secret, v["app"].get<std::string>(),
                                      number(v["nonce"]), payloads);
    const auto& expected = one["alice"];
    CHECK(to_hex0x(request->header()) == expected["header"].get<std::string>());
    CHECK(to_hex0x(request->body()) == expected["body"].get<std::string>());
    CHECK(to_hex0x(request->id.view()) == expected["id"].get<std::string>());
    CHECK(to_hex0x(request->leaf.view()) == expected["leafHash"].get<std::string>());
    CHECK(payloads_root(payloads) == fixed<Hash>(v["payloads"]));

    Reader in(request->canonical);
    const auto again = read_request(in, domain(), UINT32_MAX);
    REQUIRE(again);
    CHECK(in.at_end());
    CHECK(again->id == request->id);
    CHECK(again->leaf == request->leaf);
    CHECK(check_request_form(*again, Parameters{}).ok());
    CHECK(check_request_signature(*again, secp256k1_scheme()).ok());
    ++count;
  }
  CHECK(count >= 7);
}

TEST_CASE("a cluster's signing domain comes from its canonical genesis") {
  Genesis genesis;
  genesis.reference_timestamp = 7;
  const auto made = SigningDomain::of(genesis);
  CHECK(made.separator == fixed<Hash>(vectors()["domainSeparator"]));
  CHECK(made.cluster.bytes == keccak256(genesis.canonical_bytes()).bytes);
  CHECK(made.epoch == Epoch{0});
  CHECK(made.reference_timestamp == 7);
  genesis.domain_version = "2";
  CHECK(SigningDomain::of(genesis).separator != made.separator);
}

TEST_CASE("the reference timestamp and the epoch are part of what a vote signs") {
  const LogPoint point{{5}, fixed<Hash>(vectors()["domainSeparator"])};
  auto other = domain();
  other.reference_timestamp = 1;
  CHECK(vote_digest(domain(), Phase::lock, {1}, point) != vote_digest(other, Phase::lock, {1}, point));
  other = domain();
  other.epoch = {1};
  CHECK(vote_digest(domain(), Phase::lock, {1}, point) != vote_digest(other, Phase::lock, {1}, point));
  CHECK(vote_digest(domain(), Phase::lock, {1}, point) != vote_digest(domain(), Phase::final, {1}, point));
}
