// What a core does with what only faulty peers say, or a third of the stake that is faulty.

#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/consensus/fixtures.h"

using namespace zell;
using namespace zell::consensus_test;
using std::chrono::milliseconds;

namespace {

const NodeId leader{0}, self{1};

LogPoint made_up_point(std::uint64_t index, std::uint8_t tag) {
  LogPoint out{{index}, {}};
  out.root.bytes[0] = tag;
  return out;
}

CertificateMessage certificate_of(Phase phase, View view, const LogPoint& point) {
  return {make_certificate(phase, view, point, {0, 2, 3})};
}

/// What the leader of view 0 cut as 1..5, which is final, and 6..10, which is locked; and one batch of all of it.
struct CutAnew {
  BatchPtr whole = make_batch({0}, {}, make_requests(1, 1, 10)), front = make_batch({0}, {}, make_requests(1, 1, 5));
  Certificate lc = make_certificate(Phase::lock, {0}, whole->header.end, {0, 2, 3});
  Certificate fc = make_certificate(Phase::final, {0}, front->header.end, {0, 2, 3});
};

struct Node : Driven {
  explicit Node(Recovered recovered = fresh_member()) : Driven(make_genesis({1, 1, 1, 1}), self, std::move(recovered)) {
    connect(4);
    make_durable();
    (void)released();
  }
};

}  // namespace

TEST_CASE("of certificates whose logs are nowhere, so many are fetched, and so many remembered to notice a conflict") {
  Node node;
  constexpr std::uint64_t last = 2 * max_members + 1;
  for (std::uint64_t index = 1; index <= last; ++index) {
    node.hear({2}, certificate_of(Phase::final, {0}, made_up_point(index, 1)));
  }
  CHECK(node.status().wants == 2 * max_members);
  node.hear({2}, certificate_of(Phase::final, {0}, made_up_point(last - 256, 2)));
  CHECK(node.status().stopped_code.empty());
  node.hear({2}, certificate_of(Phase::final, {0}, made_up_point(last - 255, 2)));
  CHECK(node.status().stopped_code == "safety-violation");
}

TEST_CASE("a log that contradicts what is final here is neither fetched nor voted for") {
  const auto first = make_batch({0}, {}, {make_request(1, 1)});
  Node node(member_with_final(*first));
  node.hear({2}, certificate_of(Phase::lock, {2}, made_up_point(1, 1)));
  CHECK(node.status().wants == 0);
  CHECK(sent<Vote>(node).empty());
}

TEST_CASE("a NewView whose base contradicts what is final here is noted, and not followed") {
  const auto first = make_batch({0}, {}, {make_request(1, 1)});
  Node node(member_with_final(*first));
  node.hear({2}, NewView{{2}, {{1}, made_up_point(1, 1)}, {}, {}, {}});
  CHECK(noted(node, "a justified base contradicts what is final here: a third of the stake or more is faulty"));
  CHECK(node.status().view == View{0});
}

TEST_CASE("whoever serves another log than the final one is shown the certificate, at a limited rate") {
  const auto first = make_batch({0}, {}, {make_request(1, 1)});
  const auto other = make_batch({0}, {}, {make_request(2, 1)});
  const auto above = make_batch({0}, after({}, *other), {make_request(2, 2)});
  Node node(member_with_final(*first));
  node.hear({2}, certificate_of(Phase::final, {0}, made_up_point(5, 1)));  // now it wants a log
  const auto answers_to_chunk = [&] {
    node.hear({3}, Chunk{{1}, {above}, std::nullopt});
    return sent<CertificateMessage>(node).size();
  };
  CHECK(answers_to_chunk() == 1);
  CHECK(answers_to_chunk() == 0);
  node.pass(milliseconds(50));
  CHECK(answers_to_chunk() == 1);
}

TEST_CASE("a chunk that begins with another empty log is not followed") {
  Node node;
  node.hear({2}, certificate_of(Phase::final, {0}, made_up_point(5, 1)));
  auto batch = *make_batch({0}, {}, {make_request(1, 1)});
  batch.header.parent_root.bytes[0] ^= 1;
  node.hear({3}, Chunk{{0}, {std::make_shared<const Batch>(batch)}, std::nullopt});
  CHECK(sent<CertificateMessage>(node).empty());
  CHECK(node.status().side_batches == 0);
}

TEST_CASE("a certified log that takes a nonce twice stops a node, however it comes to follow it") {
  const auto first = make_batch({0}, {}, {make_request(1, 1)});
  const auto again = make_batch({0}, after({}, *first), {make_request(1, 1, 7)});
  const auto& end = again->header.end;
  const auto fc = certificate_of(Phase::final, {0}, end);
  struct Case {
    CertificateMessage told;
    std::optional<Certificate> served_with;
  };
  const std::vector<Case> cases{
      {fc, fc.certificate},                                   // finalises what it is served
      {fc, std::nullopt},                                     // has the log of a certificate that it knew
      {certificate_of(Phase::lock, {2}, end), std::nullopt},  // has the base of its view
  };
  for (const auto& one : cases) {
    Node node;
    node.hear({2}, one.told);
    node.hear({2}, Chunk{{}, {first, again}, one.served_with});
    CHECK(node.status().stopped_code == "safety-violation");
    CHECK(node.status().finalised.index == Index{0});
    CHECK(sent<Vote>(node).empty());
  }
}

TEST_CASE("a lock certificate that finality has left behind locks nothing that is shown") {
  Node node;
  const auto locked = make_batch({0}, {}, make_requests(1, 1, 3));
  node.hear({2}, certificate_of(Phase::lock, {0}, locked->header.end));
  node.hear({2}, Chunk{{}, {locked}, std::nullopt});
  REQUIRE(node.status().locked == locked->header.end);
  const auto final = make_batch({0}, {}, {make_request(2, 1)});
  node.hear({2}, certificate_of(Phase::final, {0}, final->header.end));
  node.hear({2}, Chunk{{}, {final}, std::nullopt});
  REQUIRE(node.status().finalised == final->header.end);
  CHECK(node.status().locked == final->header.end);
  const auto next = make_batch({0}, after({}, *final), {make_request(2, 2)});
  node.hear(leader, proposal_of(*next));
  CHECK(node.core().lookup(next->requests->front()->id).state == RequestState::sequenced);
}

TEST_CASE("only evidence against the leader of this very view makes a node join a challenge") {
  const auto one = make_batch({0}, {}, {make_request(1, 1)})->header;
  const auto other = make_batch({0}, {}, {make_request(2, 1)})->header;
  const auto told = [](View view, Evidence evidence) {
    return Challenge{{{3}, view, Reason::equivocation, {}}, std::make_shared<const Evidence>(std::move(evidence)), {}};
  };
  Node node;
  node.hear({3},
            told({0}, TwoVotes{{Phase::lock, {0}, one.end, {2}, {}}, {Phase::lock, {0}, other.end, {2}, {}}, {}, {}}));
  auto elsewhere = one, elsewhere_too = other;
  elsewhere.view = elsewhere_too.view = {4};
  node.hear({3}, told({0}, TwoProposals{elsewhere, elsewhere_too, {}, {}}));
  CHECK_FALSE(node.status().challenging);
  CHECK(node.status().evidence_count == 0);
  node.hear({3}, told({0}, TwoProposals{one, other, {}, {}}));
  CHECK(node.status().challenging == Reason::equivocation);
  CHECK(node.status().evidence_count == 1);
}

TEST_CASE(
    "a leader whose proposals a certificate contradicts takes what is certified, and proposes nothing in their place") {
  Driven node(make_genesis({1, 1, 1, 1}), leader);
  node.connect(4);
  node.hear({3}, Forward{{make_request(1, 1)}});
  REQUIRE(sent<Proposal>(node).size() == 1);
  const auto other = make_batch({0}, {}, {make_request(2, 1)});
  const auto fc = make_certificate(Phase::final, {0}, other->header.end, {1, 2, 3});
  node.hear({2}, CertificateMessage{fc});
  node.hear({2}, Chunk{{}, {other}, fc});
  CHECK(node.status().finalised == other->header.end);
  CHECK(node.status().standing == Standing::learner);
  node.hear({3}, Forward{{make_request(1, 2)}});
  CHECK(sent<Proposal>(node).empty());
}

TEST_CASE("a leader that says where a batch stood before in two ways has equivocated") {
  Node node;
  const auto batch = make_batch({0}, {}, {make_request(1, 1)});
  auto other = proposal_of(*batch);
  other.header.parent_root.bytes[0] ^= 1;
  node.hear(leader, proposal_of(*batch));
  node.hear(leader, other);
  CHECK(node.status().challenging == Reason::equivocation);
}

TEST_CASE("a leader's first word on a place where another log is certified brings it no votes again") {
  Node node;
  const auto certified = make_batch({0}, {}, make_requests(1, 1, 2));
  node.hear({2}, certificate_of(Phase::lock, {0}, certified->header.end));
  node.hear({2}, Chunk{{}, {certified}, std::nullopt});
  REQUIRE(node.status().locked == certified->header.end);
  node.make_durable();
  (void)node.released();
  node.hear(leader, proposal_of(*make_batch({0}, {}, {make_request(2, 1)})));
  CHECK(sent<Vote>(node).empty());
}

TEST_CASE("a question of no known kind is not answered") {
  Node node;
  node.hear({2}, Fetch{static_cast<Fetch::Kind>(9), {0}, {}, {}});
  node.make_durable();
  CHECK(node.released().empty());
}

TEST_CASE("a log that was cut anew on the way is cut where a certificate ends, and nothing certified is lost") {
  Node node;
  const auto [whole, front, lc, fc] = CutAnew();
  node.hear({2}, CertificateMessage{lc});
  node.hear({2}, Chunk{{}, {whole}, std::nullopt});
  REQUIRE(node.status().locked == whole->header.end);
  node.hear({3}, CertificateMessage{fc});
  CHECK(node.status().finalised == front->header.end);
  CHECK(node.status().sequenced == whole->header.end);
  node.make_durable();
  (void)node.released();
  // What the store was told leads to both points.
  std::set<LogPoint> ends;
  for (const auto& batch : node.persisted().batches) ends.insert(batch->header.end);
  CHECK(ends.contains(front->header.end));
  CHECK(node.persisted().dropped.empty());
  CHECK(node.status().standing == Standing::member);
}

TEST_CASE("a leader whose base was cut anew on the way stays a member, and leads on from the base") {
  Node node;
  const auto [whole, front, lc, fc] = CutAnew();
  node.hear({2}, CertificateMessage{lc});
  node.hear({2}, Chunk{{}, {whole}, std::nullopt});
  for (std::uint16_t peer : {2, 3}) node.hear({peer}, Challenge{{{peer}, {0}, Reason::manual, {}}, nullptr, {}});
  for (std::uint16_t peer : {2, 3}) node.hear({peer}, ViewChange{{{peer}, {1}, lc.lock(), {}}, lc, std::nullopt});
  node.make_durable();
  node.hear(self, ViewChange{{self, {1}, lc.lock(), {}}, lc, std::nullopt});
  REQUIRE(node.status().active);
  REQUIRE(node.status().view == View{1});
  node.hear({3}, CertificateMessage{fc});
  CHECK(node.status().finalised == front->header.end);
  CHECK(node.status().standing == Standing::member);
  node.hear({3}, Forward{{make_request(2, 1)}});
  const auto proposals = sent<Proposal>(node);
  REQUIRE(proposals.size() == 1);
  CHECK(proposals[0].header.first == Index{11});
}

TEST_CASE("a node to which its leader shows old news asks one peer after the other") {
  Node node;
  std::set<NodeId> asked;
  for (std::uint64_t counter = 1; counter <= 40; ++counter) {
    node.pass(milliseconds(100));
    node.hear(leader, Heartbeat{{0}, {{0}, empty_root()}, counter, {}, std::nullopt, std::nullopt});
    node.make_durable();
    for (const auto& send : node.released()) {
      const auto* fetch = std::get_if<Fetch>(send.message.get());
      if (fetch && send.to == Send::To::one) asked.insert(send.node);
    }
  }
  CHECK(asked.contains({2}));
  CHECK(asked.contains({3}));
  CHECK_FALSE(node.status().challenging.has_value());
}

TEST_CASE("who comes to lead cuts its log where a certificate ends, and stays a member") {
  Node node;
  const auto [whole, front, lc, fc] = CutAnew();
  node.hear({2}, CertificateMessage{lc});
  node.hear({2}, Chunk{{}, {whole}, std::nullopt});
  for (std::uint16_t peer : {2, 3}) node.hear({peer}, Challenge{{{peer}, {0}, Reason::manual, {}}, nullptr, {}});
  REQUIRE_FALSE(node.status().active);
  node.hear({3}, CertificateMessage{fc});
  CHECK(node.status().finalised == front->header.end);
  CHECK(node.status().standing == Standing::member);
}

TEST_CASE("a base inside a batch here is cut there, and nothing of an earlier leader stays above it") {
  Node node;
  const auto [whole, front, lc, fc] = CutAnew();
  node.hear(leader, proposal_of(*whole));
  REQUIRE(node.status().sequenced == whole->header.end);
  const auto base = make_certificate(Phase::lock, {0}, front->header.end, {0, 2, 3});
  NewView news{{2}, base.lock(), base, {}, {}};
  for (std::uint16_t member : {0, 2, 3}) news.changes.push_back({{member}, {2}, base.lock(), {}});
  node.hear({2}, news);
  CHECK(node.status().active);
  CHECK(node.status().sequenced == front->header.end);
  const auto next = make_batch({2}, after({}, *front), make_requests(2, 1, 3));
  node.hear({2}, proposal_of(*next));
  CHECK(node.status().sequenced == next->header.end);
}

TEST_CASE("what an earlier leader proposed above the first finality of a view does not stay") {
  const auto [whole, front, lc, older] = CutAnew();
  auto recovered = fresh_member();
  recovered.state.view = {2};
  recovered.state.active = true;
  recovered.state.base = front->header.end;
  recovered.state.tip = whole->header.end;
  recovered.unfinalised = {whole};
  const auto genesis = make_genesis({1, 1, 1, 1});
  const Verifier verifier(genesis, secp256k1_scheme(), nullptr);
  Replica core(genesis, self, ReplicaOptions{}, recovered, NonceWindows{});
  const auto seven = make_batch({0}, {}, make_requests(1, 1, 7));
  const auto fc = make_certificate(Phase::final, {2}, seven->header.end, {0, 2, 3});
  (void)core.step(Received{{2}, verifier.own(CertificateMessage{fc})}, Instant{1'000'000});
  CHECK(core.status().finalised == seven->header.end);
  CHECK(core.status().sequenced == seven->header.end);
}
