// One history: proofs, certificates of different times, and forks.

#include "client/proofs.h"
#include "node/base/prng.h"
#include "tests/unit/client/client_fixture.h"

using namespace zell;
using namespace zell::testing;

namespace {

/// Another history of the same members, common up to `common` batches of two.
Chain forked_chain(std::size_t common, std::size_t more) {
  auto chain = grown(common, 2);
  for (std::size_t i = 0; i < more; ++i)
    chain.append({chain.request(5'000 + i, "other"), chain.request(6'000 + i, "o")});
  return chain;
}

struct Lie {
  const char* name;
  const char* field;
  std::function<void(InclusionProof&)> tell;
};

const std::vector<Lie>& proof_lies() {
  static const Chain chain = grown(3, 4);
  static const Chain foreign(99);
  static const std::vector<Lie> lies{
      {"another request's proof", "id", [](InclusionProof& proof) { proof.request = chain.all[2]; }},
      {"another index", "path", [](InclusionProof& proof) { proof.index = {7}; }},
      {"index 0", "index", [](InclusionProof& proof) { proof.index = {0}; }},
      {"an index above the certificate", "index", [](InclusionProof& proof) { proof.index = {13}; }},
      {"a changed path", "path", [](InclusionProof& proof) { proof.path[1].bytes[0] ^= 1; }},
      {"a short path", "path", [](InclusionProof& proof) { proof.path.pop_back(); }},
      {"a long path", "path", [](InclusionProof& proof) { proof.path.push_back({}); }},
      {"a forged certificate", "certificate",
       [](InclusionProof& proof) { proof.certificate.point.root.bytes[0] ^= 1; }},
      {"too few signatures", "certificate", [](InclusionProof& proof) { proof.certificate.signatures.pop_back(); }},
      {"a foreign certificate", "certificate",
       [](InclusionProof& proof) { proof.certificate = foreign.certify(proof.certificate.point); }},
      {"a lock certificate", "certificate",
       [](InclusionProof& proof) { proof.certificate = chain.certify(proof.certificate.point, Phase::lock); }},
      {"an older certificate", "index", [](InclusionProof& proof) { proof.certificate = chain.certificates.at(4); }},
  };
  return lies;
}

}  // namespace

TEST_CASE("Each lie in an inclusion proof is caught, named, and the honest node is asked instead") {
  auto lie = GENERATE(from_range(proof_lies()));
  CAPTURE(lie.name);
  auto chain = grown(3, 4);
  HttpFixture liar(grown(3, 4)), honest(grown(3, 4));
  liar.on_loop([&](FakeNode& node) { node.tamper_proof = lie.tell; });
  auto client = client_of({&liar, &honest});
  auto proven = client.prove(chain.all[5]->id);
  REQUIRE(proven.ok());
  CHECK(proven->index.value == 6);
  CHECK(proven->request->id == chain.all[5]->id);
  CHECK(proven->certificate->point == chain.tip());
  CHECK(only_fault(client) == std::string("n1 ") + lie.field);
}

TEST_CASE("A proof of what is not final is refused by code") {
  HttpFixture node(grown(1, 2));
  Chain chain;
  auto client = client_of({&node});
  auto unknown = client.prove(chain.request(1, "never sent")->id);
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().code == "unknown-request");
  auto above = client.prove(Index{3});
  REQUIRE_FALSE(above.ok());
  CHECK(above.error().code == "not-final");
}

TEST_CASE("An inclusion proof's left siblings are the compact range below it") {
  Prng random(Catch::rngSeed());
  CAPTURE(Catch::rngSeed());
  for (std::size_t size = 1; size <= 70; ++size) {
    std::vector<Hash> leaves(size);
    for (auto& leaf : leaves) leaf.bytes[random.below(32)] = static_cast<std::uint8_t>(random.next());
    CompactRange range;
    for (std::size_t i = 0; i < size; ++i) {
      REQUIRE(range_before(i, size, inclusion_proof(i, leaves)) == range);
      range.append(leaves[i]);
    }
  }
}

TEST_CASE("Certificates of one history, older and newer, from different nodes, are consistent") {
  HttpFixture behind(grown(2, 2)), ahead(grown(5, 2)), middle(grown(3, 2));
  auto client = client_of({&behind, &ahead, &middle});
  CHECK((*client.newest_certificate(0))->point.index.value == 4);
  CHECK((*client.newest_certificate(1))->point.index.value == 10);
  CHECK((*client.newest_certificate(2))->point.index.value == 6);  // older than seen: compared at a node that has both
  CHECK((*client.newest_certificate(0))->point.index.value == 4);
  CHECK(client.faults().empty());
}

TEST_CASE("A consistency proof that proves nothing is a lie, not a fork") {
  HttpFixture behind(grown(2, 2)), liar(grown(5, 2)), honest(grown(5, 2));
  auto lie = GENERATE(0, 1, 2);
  CAPTURE(lie);
  liar.on_loop([&](FakeNode& node) {
    node.tamper_consistency = [lie](ConsistencyProof& proof) {
      if (lie == 0) proof.path[0].bytes[0] ^= 1;
      if (lie == 1) proof.first.root.bytes[0] ^= 1;
      if (lie == 2) proof.path.clear();
    };
  });
  auto client = client_of({&behind, &liar, &honest});
  REQUIRE(client.newest_certificate(0).ok());
  auto caught = client.newest_certificate(1);
  REQUIRE_FALSE(caught.ok());
  CHECK(caught.error().code == "node-lied");
  CHECK(only_fault(client) == "n2 path");
  CHECK(client.newest_certificate(2).ok());
}

TEST_CASE("A forged newest certificate is caught") {
  HttpFixture liar(grown(2, 2));
  liar.on_loop([](FakeNode& node) {
    node.tamper_certificate = [](Certificate& certificate) { certificate.point.index = {99}; };
  });
  auto client = client_of({&liar});
  auto caught = client.newest_certificate(0);
  REQUIRE_FALSE(caught.ok());
  CHECK(caught.error().code == "node-lied");
  CHECK(only_fault(client) == "n1 certificate");
}

TEST_CASE("Two certificates that no one log contains are a safety violation with both of them, however found") {
  auto way = GENERATE(0, 1, 2, 3, 4, 5);
  CAPTURE(way);
  HttpFixture one(grown(4, 2)), other(forked_chain(2, way == 1 ? 2 : 3));
  auto client = client_of({&one, &other});
  std::optional<Error> found;
  auto note = [&](const auto& result) {
    if (!result.ok() && !found) found = result.error();
  };
  ReadOptions at_other;
  at_other.node = 1;
  at_other.only_node = true;
  switch (way) {
    case 0:  // the newest of each: 8 and 10
    case 1:  // of the same index
      note(client.newest_certificate(0));
      note(client.newest_certificate(1));
      break;
    case 2:  // the older one second
      note(client.newest_certificate(1));
      note(client.newest_certificate(0));
      break;
    case 3:  // reading one log after having verified the other
      note(client.verify_log(0, {}));
      note(client.verify_log(1, {}));
      break;
    case 4: {  // in the middle of following: the next piece is the other history's
      ReadOptions first;
      first.only_node = true;
      auto reader = client.read(first);
      note(reader->next(milliseconds(0)));
      at_other.checkpoint = reader->checkpoint();
      note(client.read(at_other)->next(milliseconds(0)));
      break;
    }
    case 5: {  // a proof of a request that only the other history has
      note(client.newest_certificate(0));
      auto foreign = forked_chain(2, 3);
      note(client.prove(foreign.all.back()->id));
      break;
    }
  }
  REQUIRE(found);
  CHECK(found->code == "safety-violation");
  REQUIRE(client.fork());
  CHECK(client.fork()->a.point != client.fork()->b.point);
  Chain chain;
  Verifier verifier(chain.genesis, secp256k1_scheme(), nullptr);
  CHECK(verifier.check_certificate(client.fork()->a).ok());
  CHECK(verifier.check_certificate(client.fork()->b).ok());
  CHECK(client.faults().empty());
  // From then on nothing is believed.
  CHECK(client.read({}).error().code == "safety-violation");
  CHECK(client.prove(Index{1}).error().code == "safety-violation");
}
