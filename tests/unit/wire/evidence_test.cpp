// Evidence names the guilty, and never anybody who kept the rules.

#include "tests/unit/wire/verifier_fixture.h"

using namespace zell;
using namespace zell::testing;

namespace {

struct EvidenceFixture : VerifierFixture {
  /// Twelve requests that part from `log` after the fourth.
  TestLog fork = [this] {
    TestLog out;
    for (std::uint64_t i = 1; i <= 4; ++i) out.append(log.request(i));
    for (std::uint64_t nonce = 100; nonce < 108; ++nonce) out.append(cluster.request(nonce));
    return out;
  }();

  std::optional<NodeId> guilty(const Evidence& evidence) const {
    auto out = verifier.check_evidence(evidence);
    if (!out.ok()) {
      CHECK(out.error().code == "bad-evidence");
      return std::nullopt;
    }
    return *out;
  }
  ProposalHeader signed_header(const TestLog& from, View view, std::uint64_t first, std::uint64_t last) const {
    return cluster.signed_header(from.header(view, first, last));
  }
  Vote vote(Phase phase, std::uint64_t view, LogPoint point, std::uint16_t node = 3) const {
    return cluster.vote(phase, {view}, point, {node});
  }
};

constexpr NodeId leader_of_5{1};

}  // namespace

// ---- Two proposals

TEST_CASE_METHOD(EvidenceFixture, "two different proposals of one view that overlap prove its leader guilty") {
  const auto a = signed_header(log, {5}, 5, 8);
  CHECK(guilty(TwoProposals{a, signed_header(fork, {5}, 5, 8), {}, {}}) == leader_of_5);
  CHECK(guilty(TwoProposals{a, signed_header(fork, {5}, 6, 9), {}, {}}) == leader_of_5);
  // Even of one log: a leader's proposals are never cut anew.
  CHECK(guilty(TwoProposals{a, signed_header(log, {5}, 5, 9), {}, {}}) == leader_of_5);
  CHECK(guilty(TwoProposals{a, signed_header(log, {5}, 8, 9), {}, {}}) == leader_of_5);
  CHECK(guilty(TwoProposals{a, signed_header(log, {5}, 6, 8), {}, {}}) == leader_of_5);
}

TEST_CASE_METHOD(EvidenceFixture, "a proposal that is resent proves nothing, however it is signed") {
  const auto a = signed_header(log, {5}, 5, 8);
  auto again = a;
  CHECK_FALSE(guilty(TwoProposals{a, again, {}, {}}));
  again.signature.bytes[3] ^= 1;
  CHECK_FALSE(guilty(TwoProposals{a, again, {}, {}}));
}

TEST_CASE_METHOD(EvidenceFixture, "proposals that adjoin name the same root where they meet") {
  const auto a = signed_header(log, {5}, 5, 8);
  CHECK_FALSE(guilty(TwoProposals{a, signed_header(log, {5}, 9, 10), {}, {}}));
  CHECK(guilty(TwoProposals{a, signed_header(fork, {5}, 9, 10), {}, {}}) == leader_of_5);
}

TEST_CASE_METHOD(EvidenceFixture, "proposals with a gap between them prove guilt by a consistency proof alone") {
  const auto a = signed_header(log, {5}, 3, 6);
  const auto honest = signed_header(log, {5}, 9, 12);
  const auto forked = signed_header(fork, {5}, 9, 12);
  CHECK(guilty(TwoProposals{a, forked, fork.consistency(6, 12), fork.at(6)}) == leader_of_5);
  CHECK_FALSE(guilty(TwoProposals{a, forked, {}, {}}));
  CHECK_FALSE(guilty(TwoProposals{a, forked, fork.consistency(6, 12), log.at(6)}));
  CHECK_FALSE(guilty(TwoProposals{a, forked, fork.consistency(5, 12), fork.at(5)}));
  CHECK_FALSE(guilty(TwoProposals{a, forked, fork.consistency(6, 11), fork.at(6)}));
  // One log: its own proof shows the same root, and no other proof holds.
  CHECK_FALSE(guilty(TwoProposals{a, honest, log.consistency(6, 12), log.at(6)}));
  CHECK_FALSE(guilty(TwoProposals{a, honest, log.consistency(6, 12), fork.at(6)}));
  CHECK_FALSE(guilty(TwoProposals{a, honest, fork.consistency(6, 12), fork.at(6)}));
}

TEST_CASE_METHOD(EvidenceFixture,
                 "proposals of different views, in the wrong order or not the leader's prove nothing") {
  const auto a = signed_header(log, {5}, 5, 8);
  const auto b = signed_header(fork, {5}, 5, 9);
  CHECK(guilty(TwoProposals{a, b, {}, {}}) == leader_of_5);
  CHECK_FALSE(guilty(TwoProposals{b, a, {}, {}}));
  CHECK_FALSE(guilty(TwoProposals{a, signed_header(fork, {9}, 5, 9), {}, {}}));
  for (const bool first : {true, false}) {
    auto pair = TwoProposals{a, b, {}, {}};
    auto& forged = first ? pair.a : pair.b;
    const auto digest = proposal_digest(cluster.domain, forged);
    forged.signature = cluster.sign({2}, digest);
    CHECK_FALSE(guilty(pair));
    forged.signature = flipped_v(cluster.sign(leader_of_5, digest));
    CHECK_FALSE(guilty(pair));
  }
  auto empty = b;
  empty.first = {10};
  CHECK_FALSE(guilty(TwoProposals{a, cluster.signed_header(empty), {}, {}}));
}

// ---- Two votes

TEST_CASE_METHOD(EvidenceFixture, "two LOCKs of one view and index with different roots prove their signer guilty") {
  const auto a = vote(Phase::lock, 5, log.at(8));
  CHECK(guilty(TwoVotes{a, vote(Phase::lock, 5, fork.at(8)), {}, {}}) == NodeId{3});
  CHECK_FALSE(guilty(TwoVotes{a, a, {}, {}}));
  CHECK_FALSE(guilty(TwoVotes{a, vote(Phase::lock, 6, fork.at(8)), {}, {}}));
  CHECK_FALSE(guilty(TwoVotes{a, vote(Phase::final, 5, fork.at(8)), {}, {}}));
  CHECK_FALSE(guilty(TwoVotes{a, vote(Phase::lock, 5, fork.at(8), 2), {}, {}}));
}

TEST_CASE_METHOD(EvidenceFixture,
                 "LOCKs of different indexes prove nothing: a lock certificate may change the branch") {
  CHECK_FALSE(guilty(TwoVotes{vote(Phase::lock, 5, log.at(6)), vote(Phase::lock, 5, fork.at(9)), fork.consistency(6, 9),
                              fork.at(6).root}));
}

TEST_CASE_METHOD(EvidenceFixture, "two FINALs of one view that no log contains prove their signer guilty") {
  const auto a = vote(Phase::final, 5, log.at(6));
  const auto forked = vote(Phase::final, 5, fork.at(9));
  const auto honest = vote(Phase::final, 5, log.at(9));
  CHECK(guilty(TwoVotes{a, vote(Phase::final, 5, fork.at(6)), {}, {}}) == NodeId{3});
  CHECK(guilty(TwoVotes{a, forked, fork.consistency(6, 9), fork.at(6).root}) == NodeId{3});
  CHECK_FALSE(guilty(TwoVotes{forked, a, fork.consistency(6, 9), fork.at(6).root}));
  CHECK_FALSE(guilty(TwoVotes{a, forked, {}, fork.at(6).root}));
  CHECK_FALSE(guilty(TwoVotes{a, honest, log.consistency(6, 9), log.at(6).root}));
  CHECK_FALSE(guilty(TwoVotes{a, honest, log.consistency(6, 9), fork.at(6).root}));
  CHECK_FALSE(guilty(TwoVotes{a, honest, fork.consistency(6, 9), fork.at(6).root}));
  CHECK_FALSE(guilty(TwoVotes{a, vote(Phase::final, 7, fork.at(9)), fork.consistency(6, 9), fork.at(6).root}));
  CHECK_FALSE(guilty(TwoVotes{a, a, {}, {}}));
}

TEST_CASE_METHOD(EvidenceFixture, "votes that their signer did not sign prove nothing") {
  auto a = vote(Phase::lock, 5, log.at(8));
  auto b = vote(Phase::lock, 5, fork.at(8), 2);
  b.signer = {3};
  CHECK_FALSE(guilty(TwoVotes{a, b, {}, {}}));
  b = vote(Phase::lock, 5, fork.at(8));
  b.signature = flipped_v(b.signature);
  CHECK_FALSE(guilty(TwoVotes{a, b, {}, {}}));
  a.signer = b.signer = {200};
  CHECK_FALSE(guilty(TwoVotes{a, b, {}, {}}));
}

// ---- Hidden lock

TEST_CASE_METHOD(EvidenceFixture, "who signed FINAL and reports a lower lock in a later view is guilty") {
  const auto final = vote(Phase::final, 5, log.at(8));
  const auto report = [&](std::uint64_t view, Lock lock, std::uint16_t node = 3) {
    return guilty(HiddenLock{final, cluster.change({node}, {view}, lock)});
  };
  CHECK(report(6, {{4}, log.at(12)}) == NodeId{3});
  CHECK(report(9, {{5}, log.at(7)}) == NodeId{3});
  CHECK(report(6, TestCluster::no_lock()) == NodeId{3});
  CHECK_FALSE(report(6, {{5}, log.at(8)}));
  CHECK_FALSE(report(6, {{5}, log.at(9)}));
  CHECK_FALSE(report(7, {{6}, fork.at(5)}));
  // What was reported before the vote, or by another.
  CHECK_FALSE(report(5, {{4}, log.at(7)}));
  CHECK_FALSE(report(4, {{3}, log.at(7)}));
  CHECK_FALSE(report(6, {{4}, log.at(7)}, 2));
}

TEST_CASE_METHOD(EvidenceFixture, "a LOCK that was never certified may be left out of a report") {
  CHECK_FALSE(guilty(HiddenLock{vote(Phase::lock, 5, log.at(8)), cluster.change({3}, {6}, TestCluster::no_lock())}));
}

TEST_CASE_METHOD(EvidenceFixture, "a hidden lock is proven by both signatures") {
  const HiddenLock good{vote(Phase::final, 5, log.at(8)), cluster.change({3}, {6}, TestCluster::no_lock())};
  CHECK(guilty(good) == NodeId{3});
  auto bad = good;
  bad.final.signature = flipped_v(bad.final.signature);
  CHECK_FALSE(guilty(bad));
  bad = good;
  bad.change.signature = bad.final.signature;
  CHECK_FALSE(guilty(bad));
}

// ---- Invalid proposal

namespace {

struct InvalidFixture : EvidenceFixture {
  /// Six requests of `log`, then `proposed`, as the leader of view 5 signs them.
  InvalidProposal evidence(const Requests& proposed, std::uint32_t position) {
    whole = {};
    for (std::uint64_t i = 1; i <= 6; ++i) whole.append(log.request(i));
    for (const auto& request : proposed) whole.append(request);
    InvalidProposal out;
    out.header = cluster.signed_header(whole.header({5}, 7, whole.size()));
    out.parent = whole.range(6);
    out.requests = whole.requests(7, whole.size());
    out.position = position;
    return out;
  }
  TestLog whole;
};

}  // namespace

TEST_CASE_METHOD(InvalidFixture, "a request that is bad by form, size or signature proves its leader guilty") {
  const auto good = log.request(7);
  for (const auto& bad : {cluster.unsigned_request(50), cluster.request(50, "NO"), cluster.request(50, ""),
                          cluster.request(50, "default", {}), cluster.request(50, "default", {Bytes(1'024)})}) {
    CHECK(guilty(evidence({good, bad}, 1)) == leader_of_5);
    CHECK_FALSE(guilty(evidence({good, bad}, 0)));
    CHECK_FALSE(guilty(evidence({good, bad}, 2)));
  }
  CHECK_FALSE(guilty(evidence({good}, 0)));
}

TEST_CASE_METHOD(InvalidFixture, "payloads that were changed on the way prove nothing") {
  auto proof = evidence({log.request(7), log.request(8)}, 1);
  const auto with_body = [&](const Bytes& payload) {
    const auto& honest = *log.request(8);
    const auto donor = make_request(cluster.domain, "default", 1, {}, std::vector<Bytes>{payload}, {});
    auto request = honest;
    request.canonical.assign(honest.header().begin(), honest.header().end());
    request.canonical.insert(request.canonical.end(), donor->body().begin(), donor->body().end());
    Reader in(request.canonical);
    auto tampered = read_request(in, cluster.domain, UINT32_MAX);
    REQUIRE(tampered);
    REQUIRE(tampered->leaf == honest.leaf);
    proof.requests = std::make_shared<const Requests>(Requests{log.request(7), tampered});
    return guilty(proof);
  };
  CHECK_FALSE(with_body({9, 9}));
  CHECK_FALSE(with_body(Bytes(2'000)));
}

TEST_CASE_METHOD(InvalidFixture, "an invalid proposal is the leader's own, and gives the root that it signed") {
  const auto proof = evidence({log.request(7), cluster.unsigned_request(50)}, 1);
  CHECK(guilty(proof) == leader_of_5);
  auto bad = proof;
  bad.header.signature = cluster.sign({0}, proposal_digest(cluster.domain, bad.header));
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.header.view = {6};
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.parent = whole.range(5);
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.parent = CompactRange(6, {});
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.parent = fork.range(6);
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.requests = std::make_shared<const Requests>(Requests{log.request(8), cluster.unsigned_request(50)});
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.requests = std::make_shared<const Requests>(Requests{log.request(7), cluster.unsigned_request(51)});
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.requests = std::make_shared<const Requests>(Requests{cluster.unsigned_request(50)});
  CHECK_FALSE(guilty(bad));
  bad.requests = nullptr;
  CHECK_FALSE(guilty(bad));
}

TEST_CASE_METHOD(InvalidFixture, "a nonce that is in the parent's log is taken") {
  auto proof = evidence({log.request(7), cluster.request(3, "other")}, 1);
  CHECK_FALSE(guilty(proof));
  proof.earlier = log.request(3);
  proof.earlier_index = {3};
  proof.earlier_proof = whole.inclusion(3, 6);
  CHECK(guilty(proof) == leader_of_5);
  auto bad = proof;
  bad.position = 0;
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.earlier_index = {4};
  CHECK_FALSE(guilty(bad));
  bad.earlier_index = {0};
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.earlier_proof.pop_back();
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.earlier_proof = whole.inclusion(3, 8);
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.earlier = log.request(4);
  bad.earlier_index = {4};
  bad.earlier_proof = whole.inclusion(4, 6);
  CHECK_FALSE(guilty(bad));
  // One that was never in that log.
  bad = proof;
  bad.earlier = cluster.request(3, "elsewhere");
  CHECK_FALSE(guilty(bad));
}

TEST_CASE_METHOD(InvalidFixture, "another sender's nonce is not taken") {
  TestCluster other;
  other.user = dev_secret_key(7, "bob");
  auto proof = evidence({log.request(7), other.request(3)}, 1);
  proof.earlier = log.request(3);
  proof.earlier_index = {3};
  proof.earlier_proof = whole.inclusion(3, 6);
  CHECK_FALSE(guilty(proof));
}

TEST_CASE_METHOD(InvalidFixture, "a batch that repeats a sender's nonce is bad at its second place") {
  auto proof = evidence({log.request(7), cluster.request(60), log.request(8), cluster.request(60, "other")}, 3);
  proof.earlier = (*proof.requests)[1];
  proof.earlier_index = {8};
  CHECK(guilty(proof) == leader_of_5);
  auto bad = proof;
  bad.earlier_index = {9};
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.position = 1;
  CHECK_FALSE(guilty(bad));
  // A request is not its own predecessor, and what comes after it is none.
  bad = proof;
  bad.earlier = (*proof.requests)[3];
  bad.earlier_index = {10};
  CHECK_FALSE(guilty(bad));
  bad.position = 1;
  CHECK_FALSE(guilty(bad));
  bad = proof;
  bad.earlier_index = {UINT64_MAX};
  CHECK_FALSE(guilty(bad));
}
