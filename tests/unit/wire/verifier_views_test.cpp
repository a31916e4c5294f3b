// What the verifier lets into the core: challenges, view changes, catching up, and what a node signs itself.

#include "tests/unit/wire/verifier_fixture.h"

using namespace zell;
using namespace zell::testing;

// ---- Challenges

TEST_CASE_METHOD(VerifierFixture, "a challenge is signed by its node, for its view and reason") {
  CHECK(code(Challenge{cluster.challenge({1}, {0}, Reason::manual), {}, {}}) == "ok");
  auto part = cluster.challenge({1}, {0}, Reason::stalled);
  part.reason = Reason::manual;
  CHECK(code(Challenge{part, {}, {}}) == "bad-signature");
  part = cluster.challenge({1}, {0}, Reason::stalled);
  part.node = {2};
  CHECK(code(Challenge{part, {}, {}}) == "bad-signature");
  part = cluster.challenge({1}, {0}, Reason::stalled);
  part.signature = flipped_v(part.signature);
  CHECK(code(Challenge{part, {}, {}}) == "bad-signature");
  CHECK(code(Challenge{cluster.challenge({1}, {0}, static_cast<Reason>(7)), {}, {}}) == "bad-signature");
}

TEST_CASE_METHOD(VerifierFixture, "only a challenge for censorship carries requests, each of them checked") {
  CHECK(code(Challenge{cluster.challenge({1}, {0}, Reason::censored), {}, {log.request(1)}}) == "ok");
  CHECK(code(Challenge{cluster.challenge({1}, {0}, Reason::stalled), {}, {log.request(1)}}) == "bad-challenge");
  CHECK(code(Challenge{cluster.challenge({1}, {0}, Reason::censored), {}, {cluster.unsigned_request(1)}}) ==
        "bad-signature");
  CHECK(code(Challenge{cluster.challenge({1}, {0}, Reason::censored),
                       {},
                       Requests(max_requests_in_challenge + 1, log.request(1))}) == "too-many-requests");
}

TEST_CASE_METHOD(VerifierFixture, "a challenge's evidence, if it has any, fits its reason and its view") {
  auto other = log.header({1}, 1, 4);
  other.end.root = {};
  const auto two = std::make_shared<const Evidence>(
      TwoProposals{cluster.signed_header(log.header({1}, 1, 4)), cluster.signed_header(other), {}, {}});
  const auto votes = std::make_shared<const Evidence>(
      TwoVotes{cluster.vote(Phase::lock, {1}, log.at(3), {1}), cluster.vote(Phase::lock, {1}, {{3}, {}}, {1}), {}, {}});
  CHECK(verifier.check_evidence(*two).ok());
  CHECK(verifier.check_evidence(*votes).ok());
  CHECK(code(Challenge{cluster.challenge({2}, {1}, Reason::equivocation), two, {}}) == "ok");
  CHECK(code(Challenge{cluster.challenge({2}, {1}, Reason::equivocation), nullptr, {}}) == "ok");
  CHECK(code(Challenge{cluster.challenge({2}, {1}, Reason::invalid_proposal), nullptr, {}}) == "ok");
  CHECK(code(Challenge{cluster.challenge({2}, {2}, Reason::equivocation), two, {}}) == "bad-challenge");
  CHECK(code(Challenge{cluster.challenge({2}, {5}, Reason::equivocation), two, {}}) == "bad-challenge");
  CHECK(code(Challenge{cluster.challenge({2}, {1}, Reason::invalid_proposal), two, {}}) == "bad-challenge");
  CHECK(code(Challenge{cluster.challenge({2}, {1}, Reason::stalled), two, {}}) == "bad-challenge");
  CHECK(code(Challenge{cluster.challenge({2}, {1}, Reason::equivocation), votes, {}}) == "bad-challenge");
  auto weak = std::get<TwoProposals>(*two);
  weak.b = weak.a;
  CHECK(
      code(Challenge{cluster.challenge({2}, {1}, Reason::equivocation), std::make_shared<const Evidence>(weak), {}}) ==
      "bad-evidence");
}

TEST_CASE_METHOD(VerifierFixture, "a challenge certificate needs more than a third of the stake, each member once") {
  const auto a = cluster.challenge({0}, {3}, Reason::stalled);
  const auto b = cluster.challenge({1}, {5}, Reason::manual);
  CHECK(code(ChallengeCertificate{{a, b}}) == "ok");
  CHECK(code(ChallengeCertificate{{a}}) == "bad-challenge");
  CHECK(code(ChallengeCertificate{{}}) == "bad-challenge");
  CHECK(code(ChallengeCertificate{{b, a}}) == "bad-challenge");
  CHECK(code(ChallengeCertificate{{a, a}}) == "bad-challenge");
  auto forged = b;
  forged.signature = a.signature;
  CHECK(code(ChallengeCertificate{{a, forged}}) == "bad-signature");
}

TEST_CASE_METHOD(VerifierFixture, "challenges count against their view and every view below") {
  auto at = [](std::uint16_t node, std::uint64_t view) { return SignedChallenge{{node}, {view}, Reason::manual, {}}; };
  using List = std::vector<SignedChallenge>;
  CHECK(challenged_view(cluster.genesis, List{at(0, 3), at(1, 5)}) == View{3});
  CHECK(challenged_view(cluster.genesis, List{at(0, 9), at(1, 5), at(2, 7)}) == View{7});
  CHECK_FALSE(challenged_view(cluster.genesis, List{at(0, 9)}));
  CHECK_FALSE(challenged_view(cluster.genesis, List{at(0, 9), at(0, 8)}));
  CHECK_FALSE(challenged_view(cluster.genesis, List{at(0, 9), at(200, 9)}));
  CHECK_FALSE(challenged_view(cluster.genesis, List{}));
}

// ---- View changes

TEST_CASE_METHOD(VerifierFixture, "a view change proves its lock, which is below its view") {
  const Lock lock{{2}, log.end()};
  const auto lc = cluster.certificate(Phase::lock, {2}, log.end());
  const auto fc = cluster.certificate(Phase::final, {2}, log.end());
  CHECK(code(ViewChange{cluster.change({1}, {3}, lock), lc, {}}) == "ok");
  CHECK(code(ViewChange{cluster.change({1}, {3}, lock), fc, fc}) == "ok");
  CHECK(code(ViewChange{cluster.change({1}, {2}, lock), lc, {}}) == "bad-view-change");
  CHECK(code(ViewChange{cluster.change({1}, {3}, lock), {}, {}}) == "bad-certificate");
  CHECK(code(ViewChange{cluster.change({1}, {3}, {{1}, log.end()}), lc, {}}) == "bad-certificate");
  CHECK(code(ViewChange{cluster.change({1}, {3}, {{2}, log.at(3)}), lc, {}}) == "bad-certificate");
  CHECK(code(ViewChange{cluster.change({1}, {3}, lock), lc, lc}) == "bad-certificate");
  CHECK(
      code(ViewChange{cluster.change({1}, {3}, lock), cluster.certificate(Phase::lock, {2}, log.end(), {0, 1}), {}}) ==
      "bad-certificate");
  auto forged = cluster.change({1}, {3}, lock);
  forged.node = {0};
  CHECK(code(ViewChange{forged, lc, {}}) == "bad-signature");
  forged = cluster.change({1}, {3}, lock);
  forged.signature = high_s(forged.signature);
  CHECK(code(ViewChange{forged, lc, {}}) == "bad-signature");
}

TEST_CASE_METHOD(VerifierFixture, "no lock needs no certificate, in any view but the first") {
  CHECK(code(ViewChange{cluster.change({1}, {1}, TestCluster::no_lock()), {}, {}}) == "ok");
  CHECK(code(ViewChange{cluster.change({1}, {0}, TestCluster::no_lock()), {}, {}}) == "bad-view-change");
  CHECK(code(ViewChange{cluster.change({1}, {1}, {{0}, {{0}, {}}}), {}, {}}) == "bad-certificate");
  CHECK(code(ViewChange{cluster.change({1}, {1}, {{0}, log.at(1)}), {}, {}}) == "bad-certificate");
  CHECK(code(ViewChange{cluster.change({1}, {1}, TestCluster::no_lock()),
                        cluster.certificate(Phase::lock, {0}, TestCluster::no_lock().point),
                        {}}) == "bad-certificate");
}

TEST_CASE_METHOD(VerifierFixture, "a NewView is its leader's, of a quorum's view changes, from their highest lock") {
  const Lock low{{0}, log.at(9)}, high{{1}, log.at(4)};
  const auto lc = cluster.certificate(Phase::lock, {1}, log.at(4));
  const auto from = [&](NodeId node, const Lock& lock) { return cluster.change(node, {2}, lock); };
  const auto none = TestCluster::no_lock();
  CHECK(code(cluster.new_view({2}, high, lc, {from({0}, none), from({1}, low), from({3}, high)})) == "ok");
  CHECK(code(cluster.new_view({2}, none, {}, {from({0}, none), from({1}, none), from({3}, none)})) == "ok");

  SECTION("too little stake") {
    CHECK(code(cluster.new_view({2}, high, lc, {from({1}, low), from({3}, high)})) == "bad-new-view");
  }
  SECTION("a member twice, or out of order") {
    CHECK(code(cluster.new_view({2}, high, lc, {from({1}, low), from({3}, high), from({3}, high)})) == "bad-new-view");
    CHECK(code(cluster.new_view({2}, high, lc, {from({3}, high), from({1}, low), from({0}, low)})) == "bad-new-view");
  }
  SECTION("a base that is not the maximum") {
    const auto low_lc = cluster.certificate(Phase::lock, {0}, log.at(9));
    CHECK(code(cluster.new_view({2}, low, low_lc, {from({0}, none), from({1}, low), from({3}, high)})) ==
          "bad-new-view");
    CHECK(code(cluster.new_view({2}, none, {}, {from({0}, none), from({1}, low), from({3}, none)})) == "bad-new-view");
  }
  SECTION("a base that none of them reported") {
    CHECK(code(cluster.new_view({2}, high, lc, {from({0}, none), from({1}, low), from({3}, none)})) == "bad-new-view");
  }
  SECTION("a base without its proof") {
    CHECK(code(cluster.new_view({2}, high, {}, {from({0}, none), from({1}, low), from({3}, high)})) ==
          "bad-certificate");
    CHECK(code(cluster.new_view({2}, high, cluster.certificate(Phase::lock, {1}, log.at(3)),
                                {from({0}, none), from({1}, low), from({3}, high)})) == "bad-certificate");
  }
  SECTION("a finality certificate proves a lock too") {
    CHECK(code(cluster.new_view({2}, high, cluster.certificate(Phase::final, {1}, log.at(4)),
                                {from({0}, none), from({1}, low), from({3}, high)})) == "ok");
  }
  SECTION("a view change for another view") {
    CHECK(code(cluster.new_view({2}, high, lc, {from({0}, none), cluster.change({1}, {3}, low), from({3}, high)})) ==
          "bad-new-view");
  }
  SECTION("a lock that is not below the view") {
    const Lock same{{2}, log.at(4)};
    CHECK(code(cluster.new_view({2}, same, cluster.certificate(Phase::lock, {2}, log.at(4)),
                                {from({0}, none), from({1}, low), from({3}, same)})) == "bad-view-change");
  }
  SECTION("view 0 has none") {
    const auto zero = [&](NodeId node) { return cluster.change(node, {0}, none); };
    CHECK(code(cluster.new_view({0}, none, {}, {zero({0}), zero({1}), zero({2})})) == "bad-view-change");
  }
  SECTION("another member's signature, or a changed list") {
    auto forged = cluster.new_view({2}, high, lc, {from({0}, none), from({1}, low), from({3}, high)});
    forged.signature =
        cluster.sign({1}, new_view_digest(cluster.domain, {2}, high, changes_hash(cluster.domain, forged.changes)));
    CHECK(code(forged) == "bad-signature");
    forged = cluster.new_view({2}, high, lc, {from({0}, none), from({1}, low), from({3}, high)});
    forged.changes[0] = from({0}, low);
    CHECK(code(forged) == "bad-signature");
  }
  SECTION("a view change that its member did not sign") {
    auto forged = from({1}, low);
    forged.signature = flipped_v(forged.signature);
    CHECK(code(cluster.new_view({2}, high, lc, {from({0}, none), forged, from({3}, high)})) == "bad-signature");
  }
}

// ---- Catching up

TEST_CASE_METHOD(VerifierFixture, "a chunk's batches follow each other, and its certificate is of the last") {
  const auto batch = [&](std::uint64_t from, std::uint64_t to) {
    return std::make_shared<const Batch>(Batch{log.header({0}, from, to), log.requests(from, to), 0});
  };
  const auto fc = cluster.certificate(Phase::final, {0}, log.at(7));
  CHECK(code(Chunk{{2}, {batch(3, 4), batch(5, 7)}, fc}) == "ok");
  CHECK(code(Chunk{{2}, {batch(3, 4), batch(5, 7)}, {}}) == "ok");
  CHECK(code(Chunk{{2}, {}, {}}) == "ok");
  CHECK(code(Chunk{{1}, {batch(3, 4), batch(5, 7)}, fc}) == "bad-chunk");
  CHECK(code(Chunk{{2}, {batch(3, 4), batch(6, 7)}, fc}) == "bad-chunk");
  CHECK(code(Chunk{{2}, {batch(3, 4)}, fc}) == "bad-chunk");
  CHECK(code(Chunk{{2}, {nullptr}, {}}) == "bad-chunk");
  CHECK(code(Chunk{{2}, {batch(3, 7)}, cluster.certificate(Phase::lock, {0}, log.at(7))}) == "bad-certificate");
  CHECK(code(Chunk{{2}, {batch(3, 7)}, cluster.certificate(Phase::final, {0}, log.at(7), {0, 1})}) ==
        "bad-certificate");
  auto forked = Batch{log.header({0}, 5, 7), log.requests(5, 7), 0};
  forked.header.parent_root = {};
  CHECK(code(Chunk{{2}, {batch(3, 4), std::make_shared<const Batch>(forked)}, fc}) == "bad-chunk");
  auto short_one = Batch{log.header({0}, 5, 7), log.requests(5, 6), 0};
  CHECK(code(Chunk{{4}, {std::make_shared<const Batch>(short_one)}, fc}) == "bad-chunk");
  // The leaves of the log are headers: with a good root and certificate, payloads may still be another's.
  auto tampered = changed(log.request(4));
  tampered.canonical.back() ^= 1;
  Batch other = *batch(3, 4);
  other.requests = std::make_shared<const Requests>(Requests{log.request(3), shared(tampered)});
  CHECK(code(Chunk{{2}, {std::make_shared<const Batch>(other), batch(5, 7)}, fc}) == "bad-bodies");
  // A malformed one could not be read back from the store.
  other.requests = std::make_shared<const Requests>(Requests{log.request(3), cluster.request(4, "Not An App")});
  CHECK(code(Chunk{{2}, {std::make_shared<const Batch>(other), batch(5, 7)}, fc}) == "bad-chunk");
  other.requests = std::make_shared<const Requests>(
      Requests{log.request(3), cluster.request(4, "default", {Bytes(cluster.genesis.parameters.request_max_bytes)})});
  CHECK(code(Chunk{{2}, {std::make_shared<const Batch>(other), batch(5, 7)}, fc}) == "bad-chunk");
}

TEST_CASE_METHOD(VerifierFixture, "a learner's answer is signed by its node, for the very question") {
  ViewAnswer good{{3}, {4}, {}, {}};
  good.nonce.bytes.fill(9);
  good.signature = cluster.sign({3}, durable_view_digest(cluster.domain, good.view, good.nonce));
  CHECK(code(good) == "ok");
  CHECK(code(ViewQuery{good.nonce}) == "ok");
  CHECK(code(Fetch{}) == "ok");
  auto bad = good;
  bad.view = {5};
  CHECK(code(bad) == "bad-signature");
  bad = good;
  bad.nonce.bytes[0] = 1;
  CHECK(code(bad) == "bad-signature");
  bad = good;
  bad.node = {2};
  CHECK(code(bad) == "bad-signature");
}

// ---- What this node signs itself

TEST_CASE_METHOD(VerifierFixture, "what a node signs passes, and what is signed already is left alone") {
  const auto sign = [&](Message message, NodeId self) {
    return sign_message(std::move(message), self, cluster.secrets[self.value], TestCluster::scheme(), cluster.domain);
  };
  auto unsigned_proposal = proposal({1}, 1, 4);
  unsigned_proposal.header.signature = {};
  const auto none = TestCluster::no_lock();
  auto new_view = cluster.new_view(
      {1}, none, {}, {cluster.change({0}, {1}, none), cluster.change({1}, {1}, none), cluster.change({2}, {1}, none)});
  const auto signature = new_view.signature;
  new_view.signature = {};
  const std::vector<Message> own = {unsigned_proposal,
                                    Vote{Phase::lock, {1}, log.end(), {1}, {}},
                                    Heartbeat{{1}, log.end(), 3, {}, {}, {}},
                                    Challenge{{{1}, {1}, Reason::manual, {}}, {}, {}},
                                    ViewChange{{{1}, {1}, none, {}}, {}, {}},
                                    new_view,
                                    ViewAnswer{{1}, {1}, {}, {}}};
  for (const auto& message : own) {
    INFO(name_of(message));
    CHECK(code(message) == "bad-signature");
    CHECK(code(sign(message, {1})) == "ok");
    // Signed by somebody else and passed on: the signature stays.
    CHECK(code(sign(sign(message, {1}), {2})) == "ok");
  }
  CHECK(std::get<NewView>(sign(new_view, {1})).signature == signature);
  CHECK(std::get<Vote>(sign(own[1], {2})).signature.is_zero());
  CHECK(verifier.own(own[1])->get().index() == 2);
}

// ---- Conflicts

TEST_CASE_METHOD(VerifierFixture,
                 "a conflict is two finality certificates that no one log contains, and nothing less") {
  const LogPoint other{{4}, leaf_hash({})};
  const auto ours = cluster.certificate(Phase::final, {0}, log.at(4));
  const auto theirs = cluster.certificate(Phase::final, {2}, other, {1, 2, 3});
  const auto higher = cluster.certificate(Phase::final, {1}, log.at(9));
  CHECK(code(Conflict{ours, theirs, other.root, {}}) == "ok");
  CHECK(code(Conflict{theirs, higher, log.at(4).root, log.consistency(4, 9)}) == "ok");
  // One log has both; or nothing shows that it has not.
  CHECK(code(Conflict{ours, ours, log.at(4).root, {}}) == "bad-conflict");
  CHECK(code(Conflict{ours, higher, log.at(4).root, log.consistency(4, 9)}) == "bad-conflict");
  CHECK(code(Conflict{theirs, higher, log.at(4).root, {}}) == "bad-conflict");
  CHECK(code(Conflict{theirs, higher, log.at(5).root, log.consistency(5, 9)}) == "bad-conflict");
  CHECK(code(Conflict{higher, theirs, other.root, log.consistency(4, 9)}) == "bad-conflict");
  // Locks may differ: that is what view changes are for.
  CHECK(code(Conflict{cluster.certificate(Phase::lock, {0}, log.at(4)), theirs, other.root, {}}) == "bad-conflict");
  CHECK(code(Conflict{cluster.certificate(Phase::final, {0}, log.at(4), {0, 1}), theirs, other.root, {}}) ==
        "bad-certificate");
  auto forged = theirs;
  forged.signatures[0].signature = flipped_v(forged.signatures[0].signature);
  CHECK(code(Conflict{ours, forged, other.root, {}}) == "bad-certificate");
}
