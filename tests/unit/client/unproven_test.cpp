// What a node holds beside the final log: requests above it, and proofs of faults. Each is checked by itself.

#include "tests/unit/client/client_fixture.h"

using namespace zell;
using namespace zell::testing;

namespace {

struct PendingLie {
  const char* name;
  const char* field;
  RequestPtr request;
};

std::vector<PendingLie> pending_lies() {
  const Chain chain;
  const auto good = chain.request(8, "hi");
  const std::vector<Bytes> same{Bytes{'h', 'i'}}, other{Bytes{'h', 'o'}}, none{};
  const auto made_of = [&](const std::vector<Bytes>& payloads, const CompactSignature& signature) {
    return make_request(chain.domain, good->app, good->nonce, good->sender, payloads, signature);
  };
  auto wrong = good->signature;
  wrong.bytes[10] ^= 1;
  return {
      {"a wrong signature", "signature", made_of(same, wrong)},
      {"other payloads than were signed", "signature", made_of(other, good->signature)},
      {"no payload", "payloads", made_of(none, good->signature)},
  };
}

/// Two final requests, and above them those.
Chain with_pending(Requests requests) {
  auto chain = grown(1, 2);
  chain.append(std::move(requests), /*certified=*/false);
  return chain;
}

TwoVotes two_votes(const Chain& chain) {
  const auto vote = [&](std::uint8_t root) {
    LogPoint point{{7}, {}};
    point.root.bytes[0] = root;
    const auto digest = vote_digest(chain.domain, Phase::lock, {3}, point);
    return Vote{Phase::lock, {3}, point, {2}, secp256k1_scheme().sign(chain.node_keys[2], digest)};
  };
  return {vote(1), vote(2), {}, {}};
}

struct EvidenceLie {
  const char* name;
  std::function<void(TwoVotes&)> tell;
};

std::vector<EvidenceLie> evidence_lies() {
  return {
      {"a wrong signature", [](TwoVotes& votes) { votes.b.signature.bytes[10] ^= 1; }},
      {"another member accused",
       [](TwoVotes& votes) {
         votes.a.signer = {1};
         votes.b.signer = {1};
       }},
      {"one vote, twice", [](TwoVotes& votes) { votes.b = votes.a; }},
      {"signed by keys of another cluster", [](TwoVotes& votes) { votes = two_votes(Chain(99)); }},
  };
}

}  // namespace

TEST_CASE("What is sequenced above the final log is told with its place, and proven faults with who is guilty") {
  const Chain chain;
  const auto request = chain.request(7, "true");
  HttpFixture node(with_pending({request}));
  node.on_loop([&](FakeNode& fake) { fake.evidence = {std::make_shared<const Evidence>(two_votes(chain))}; });
  auto client = client_of({&node});
  auto pending = client.pending(0, Index{3});
  REQUIRE(pending.ok());
  REQUIRE(pending->size() == 1);
  CHECK(pending->front().request->id == request->id);
  CHECK(pending->front().index.value == 3);
  CHECK(pending->front().state == RequestState::sequenced);
  auto proven = client.evidence(0);
  REQUIRE(proven.ok());
  REQUIRE(proven->faults.size() == 1);
  CHECK(proven->faults[0].accused.value == 2);
  CHECK(client.faults().empty());
}

TEST_CASE("Each lie about a request above the final log is caught and named") {
  auto lie = GENERATE(from_range(pending_lies()));
  CAPTURE(lie.name);
  const auto good = Chain().request(7, "true");
  HttpFixture liar(with_pending({good, lie.request}));
  auto client = client_of({&liar});
  auto caught = client.pending(0, Index{3});
  REQUIRE_FALSE(caught.ok());
  CHECK(caught.error().code == "node-lied");
  CHECK(only_fault(client) == std::string("n1 ") + lie.field);
}

TEST_CASE("Each proof of a fault that proves nothing is caught and named") {
  auto lie = GENERATE(from_range(evidence_lies()));
  CAPTURE(lie.name);
  const auto good = two_votes(Chain());
  auto changed = good;
  lie.tell(changed);
  HttpFixture liar;
  liar.on_loop([&](FakeNode& node) {
    node.evidence = {std::make_shared<const Evidence>(good), std::make_shared<const Evidence>(changed)};
  });
  auto client = client_of({&liar});
  auto caught = client.evidence(0);
  REQUIRE_FALSE(caught.ok());
  CHECK(caught.error().code == "node-lied");
  CHECK(only_fault(client) == "n1 evidence");
}
