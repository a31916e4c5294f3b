// Proofs as files: what is written can be read, and what anybody made of it is believed only if it says the same.

#include "client/proof_documents.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "node/base/prng.h"
#include "node/wire/verifier.h"
#include "tests/support/chain.h"

namespace zell {
namespace {

using testing::Chain;
using Json = nlohmann::ordered_json;

ProvenRequest proven_at(const Chain& chain, std::uint64_t index) {
  return {chain.all[index - 1],
          Index{index},
          std::make_shared<const Certificate>(chain.certificates.rbegin()->second),
          {},
          inclusion_proof(index - 1, chain.leaves)};
}

struct Fixture {
  explicit Fixture(std::size_t requests) { chain.grow(1, requests); }
  std::string document(std::uint64_t index) const {
    return write_proof_document(proven_at(chain, index), chain.domain);
  }
  Json json(std::uint64_t index) const { return Json::parse(document(index)); }
  std::string code(const std::string& text) const {
    auto proven = check_proof_document(text, verifier);
    return proven.ok() ? "" : proven.error().code;
  }
  Chain chain;
  Verifier verifier{chain.genesis, secp256k1_scheme(), nullptr};
};

ProvenFault two_votes(const Chain& chain, std::uint16_t member) {
  const auto vote = [&](std::uint8_t first_byte) {
    LogPoint point{{7}, {}};
    point.root.bytes[0] = first_byte;
    const auto digest = vote_digest(chain.domain, Phase::lock, {3}, point);
    return Vote{Phase::lock, {3}, point, {member}, secp256k1_scheme().sign(chain.node_keys[member], digest)};
  };
  TwoVotes evidence;
  evidence.a = vote(1);
  evidence.b = vote(2);
  return {{member}, std::make_shared<const Evidence>(evidence)};
}

TEST_CASE("a proof that is written is read back as the same, at every place of logs of many lengths") {
  for (const std::size_t size : {1, 2, 3, 7, 8, 13}) {
    const Fixture fixture(size);
    for (std::uint64_t index = 1; index <= size; ++index) {
      auto proven = check_proof_document(fixture.document(index), fixture.verifier);
      REQUIRE(proven.ok());
      CHECK(proven->index.value == index);
      CHECK(proven->request->canonical == fixture.chain.all[index - 1]->canonical);
      CHECK(write_proof_document(*proven, fixture.chain.domain) == fixture.document(index));
    }
  }
}

TEST_CASE("what random changes leave of a proof is refused, or says just the same") {
  const std::uint64_t seed = 20'261'128;
  CAPTURE(seed);
  Prng prng(seed);
  const Fixture fixture(9);
  const auto good = fixture.document(5);
  std::size_t refused = 0;
  constexpr std::size_t rounds = 3'000;
  for (std::size_t round = 0; round < rounds; ++round) {
    auto changed = good;
    for (auto left = 1 + prng.below(3); left > 0; --left) {
      const auto at = prng.below(changed.size());
      if (prng.below(4) == 0) {
        changed.erase(at, 1 + prng.below(8));
      } else if (prng.below(3) == 0) {
        changed.insert(at, good.substr(prng.below(good.size()), prng.below(70)));
      } else {
        changed[at] = static_cast<char>(prng.below(256));
      }
      if (changed.empty()) changed = "x";
    }
    auto proven = check_proof_document(changed, fixture.verifier);
    refused += proven.ok() ? 0 : 1;
    if (!proven.ok()) continue;
    CHECK(proven->index.value == 5);
    CHECK(proven->request->canonical == fixture.chain.all[4]->canonical);
    CHECK(proven->certificate->point == fixture.chain.tip());
  }
  CHECK(refused > rounds / 2);
}

TEST_CASE("each part of a proof is checked") {
  const Fixture fixture(9);
  const auto other = fixture.json(6);
  for (const char* member : {"index", "request", "path"}) {
    auto mixed = fixture.json(5);
    mixed[member] = other[member];
    CHECK(fixture.code(mixed.dump()) == "bad-proof");
    mixed.erase(member);
    CHECK(fixture.code(mixed.dump()) == "bad-proof");
  }
  auto few = fixture.json(5);
  few["certificate"]["signatures"].erase(0);
  CHECK(fixture.code(few.dump()) == "bad-proof");
  auto lock = fixture.json(5);
  lock["certificate"]["phase"] = "lock";
  CHECK(fixture.code(lock.dump()) == "bad-proof");
  for (const char* text : {"", "null", "[]", "{}", "{\"schema\":1}", "\"zell\""})
    CHECK(fixture.code(text) == "bad-proof");
  CHECK(fixture.code(std::string(1'000'000, '[')) == "bad-proof");
  CHECK(fixture.code(std::string(max_proof_document_bytes + 1, ' ')) == "bad-proof");
}

TEST_CASE("another cluster's proof, and one of a later schema, are refused as that") {
  const Fixture fixture(3);
  Fixture another(3);
  another.chain.genesis.chain_id = 5;
  const Verifier verifier(another.chain.genesis, secp256k1_scheme(), nullptr);
  auto proven = check_proof_document(fixture.document(1), verifier);
  REQUIRE_FALSE(proven.ok());
  CHECK(proven.error().code == "foreign");
  auto later = fixture.json(1);
  later["schema"] = 2;
  CHECK(fixture.code(later.dump()) == "newer-schema");
}

TEST_CASE("a certificate is read from a node's answer and alone, and null is none") {
  const Fixture fixture(3);
  const auto certificate = fixture.json(1)["certificate"];
  const Json answer{{"schema", 1}, {"certificate", certificate}};
  for (const auto& text : {answer.dump(), certificate.dump()}) {
    auto read = check_certificate_document(text, fixture.verifier);
    REQUIRE(read.ok());
    CHECK((*read)->point == fixture.chain.tip());
  }
  auto higher = certificate;
  higher["index"] = 4;
  for (const auto& text : {std::string("{\"schema\":1,\"certificate\":null}"), higher.dump(), std::string("{}")}) {
    CHECK_FALSE(check_certificate_document(text, fixture.verifier).ok());
  }
}

TEST_CASE("evidence that is exported proves the same, and changed evidence proves nothing") {
  const Fixture fixture(1);
  const std::vector<ProvenFault> faults{two_votes(fixture.chain, 2), two_votes(fixture.chain, 0)};
  const auto text = write_evidence_document(faults, fixture.chain.genesis, fixture.chain.domain);
  auto read = check_evidence_document(text, fixture.verifier);
  REQUIRE(read.ok());
  REQUIRE(read->faults.size() == 2);
  CHECK(read->faults[0].accused.value == 2);
  CHECK(read->faults[1].accused.value == 0);
  CHECK(write_evidence_document(read->faults, fixture.chain.genesis, fixture.chain.domain) == text);

  const std::uint64_t seed = 7;
  CAPTURE(seed);
  Prng prng(seed);
  const auto encoded = Json::parse(text)["evidence"][0]["encoded"].get<std::string>();
  for (int round = 0; round < 300; ++round) {
    auto json = Json::parse(text);
    auto changed = encoded;
    const auto at = 2 + prng.below(changed.size() - 2);
    changed[at] = changed[at] == 'a' ? 'b' : 'a';
    json["evidence"][0]["encoded"] = changed;
    auto checked = check_evidence_document(json.dump(), fixture.verifier);
    // The consistency proof and the root are not looked at for votes of one index: their change changes nothing.
    if (checked.ok()) CHECK(checked->faults[0].accused.value == 2);
  }
  auto forged = Json::parse(text);
  forged["evidence"][0]["encoded"] = encoded.substr(0, encoded.size() - 2);
  CHECK(check_evidence_document(forged.dump(), fixture.verifier).error().code == "bad-proof");
}

}  // namespace
}  // namespace zell
