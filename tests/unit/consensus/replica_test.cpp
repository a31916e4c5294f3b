// One core, step by step: what may leave it, and when.

#include <catch2/catch.hpp>

#include "tests/unit/consensus/fixtures.h"

using namespace zell;
using namespace zell::consensus_test;

namespace {

const NodeId leader{0}, self{1};

Challenge challenge_of(NodeId node, View view) {
  return {{node, view, Reason::manual, {}}, nullptr, {}};
}

struct Follower {
  Genesis genesis = make_genesis({1, 1, 1, 1});
  BatchPtr first = make_batch({0}, {}, {make_request(1, 1)});
  BatchPtr second = make_batch({0}, after({}, *first), {make_request(1, 2)});
  Driven node{genesis, self};

  Follower() { node.connect(4); }
  void settle() {
    node.make_durable();
    (void)node.released();
  }
};

bool sends_view_change(const std::vector<Send>& sends) {
  return std::any_of(sends.begin(), sends.end(),
                     [](const Send& send) { return std::holds_alternative<ViewChange>(*send.message); });
}

}  // namespace

TEST_CASE("a LOCK leaves only when what it stands on is durable") {
  Follower f;
  f.settle();
  f.node.hear(leader, proposal_of(*f.first));
  CHECK(Driven::votes(f.node.released(), Phase::lock).empty());
  f.node.make_durable();
  auto locks = Driven::votes(f.node.released(), Phase::lock);
  REQUIRE(locks.size() == 1);
  CHECK(locks[0].point == f.first->header.end);
}

TEST_CASE("FINAL follows a lock certificate only, and is durable before it leaves") {
  Follower f;
  f.node.hear(leader, proposal_of(*f.first));
  f.node.hear(leader, proposal_of(*f.second));
  f.node.make_durable();
  CHECK(Driven::votes(f.node.released(), Phase::final).empty());
  f.node.hear(leader, CertificateMessage{make_certificate(Phase::lock, {0}, f.first->header.end, {0, 1, 2})});
  CHECK(Driven::votes(f.node.released(), Phase::final).empty());
  f.node.make_durable();
  auto finals = Driven::votes(f.node.released(), Phase::final);
  REQUIRE(finals.size() == 1);
  CHECK(finals[0].point == f.first->header.end);
  CHECK(f.node.status().finalised.index == Index{});
  f.node.hear(leader, CertificateMessage{make_certificate(Phase::final, {0}, f.first->header.end, {0, 1, 2})});
  CHECK(f.node.status().finalised == f.first->header.end);
}

TEST_CASE("after a failed commit nothing is signed any more, and the node says so") {
  Follower f;
  f.settle();
  f.node.hear(leader, proposal_of(*f.first));
  f.node.step(PersistFailed{"disk full"});
  f.node.hear(leader, proposal_of(*f.second));
  f.node.step(ChallengeNow{});
  f.node.step(PersistFailed{"again"});
  CHECK(f.node.released().empty());
  CHECK(f.node.status().stopped_code == "storage-failed");
  CHECK(events<Stopped>(f.node).size() == 1);
  f.node.step(Submit{{make_request(1, 1)}});
  CHECK(events<RequestUpdate>(f.node).back().reason == "stopped");
}

TEST_CASE("a node that stopped keeps nothing more of what peers serve") {
  Follower f;
  f.node.hear({2}, CertificateMessage{make_certificate(Phase::lock, {0}, f.second->header.end, {0, 2, 3})});
  f.settle();
  f.node.step(PersistFailed{"disk full"});
  REQUIRE(f.node.status().stopped_code == "storage-failed");
  f.node.hear({2}, Chunk{{}, {f.first, f.second}, std::nullopt});
  CHECK(f.node.status().unfinalised_batches == 0);
  CHECK(f.node.status().side_batches == 0);
}

TEST_CASE("challenges of more than a third of the stake move the view, fewer do not") {
  Follower f;
  f.settle();
  f.node.hear({2}, challenge_of({2}, {0}));
  CHECK(f.node.status().view == View{0});
  f.node.hear({2}, challenge_of({2}, {0}));  // the same member again
  CHECK(f.node.status().view == View{0});
  f.node.hear({3}, challenge_of({3}, {0}));
  CHECK(f.node.status().view == View{1});
  CHECK_FALSE(f.node.status().active);
  CHECK_FALSE(sends_view_change(f.node.released()));  // the new view is not durable yet
  f.node.make_durable();
  CHECK(sends_view_change(f.node.released()));
}

TEST_CASE("an operator's challenge counts as this node's own and no more") {
  Follower f;
  f.settle();
  f.node.step(ChallengeNow{});
  CHECK(f.node.status().view == View{0});
  CHECK(f.node.status().challenging == Reason::manual);
  f.node.hear(self, challenge_of(self, {0}));
  CHECK(f.node.status().view == View{0});
  f.node.hear({2}, challenge_of({2}, {0}));
  CHECK(f.node.status().view == View{1});
}

TEST_CASE("a node that has moved never signs for the view that it left, not even what it held ready") {
  Follower f;
  f.settle();
  f.node.hear(leader, proposal_of(*f.first));  // its LOCK waits for the disk
  f.node.hear({2}, challenge_of({2}, {0}));
  f.node.hear({3}, challenge_of({3}, {0}));
  REQUIRE(f.node.status().view == View{1});
  f.node.hear(leader, proposal_of(*f.second));
  f.node.hear(leader, CertificateMessage{make_certificate(Phase::lock, {0}, f.first->header.end, {0, 2, 3})});
  f.node.make_durable();
  auto sends = f.node.released();
  CHECK(Driven::votes(sends, Phase::lock).empty());
  CHECK(Driven::votes(sends, Phase::final).empty());
}

TEST_CASE("a node that restarts sends the LOCK that it had stored, and no other for that index") {
  Follower before;
  Recovered recovered = fresh_member();
  recovered.state.last_lock = recovered.state.tip = before.first->header.end;
  recovered.unfinalised = {before.first};
  Driven node(before.genesis, self, recovered);
  node.connect(4);
  node.make_durable();
  auto other = make_batch({0}, {}, {make_request(2, 1)});
  node.hear(leader, proposal_of(*other));
  node.make_durable();
  for (const auto& vote : Driven::votes(node.released(), Phase::lock)) CHECK(vote.point == before.first->header.end);
}

TEST_CASE("a batch that was fetched and cut anew on the way is no proposal and accuses no leader after a restart") {
  Follower f;
  auto whole = make_batch({0}, {}, {make_request(1, 1), make_request(1, 2)});
  auto part = make_batch({0}, {}, {make_request(1, 1)});  // as if the leader had signed it
  auto rest = make_batch({0}, after({}, *part), {make_request(1, 2)});
  f.node.hear(leader, CertificateMessage{make_certificate(Phase::lock, {0}, whole->header.end, {0, 2, 3})});
  f.node.hear({3}, Chunk{{}, {part, rest}, std::nullopt});
  REQUIRE(f.node.status().sequenced == whole->header.end);

  Recovered recovered;
  recovered.state = *f.node.persisted().state;
  recovered.unfinalised = f.node.persisted().batches;
  Driven again(f.genesis, self, recovered);
  again.connect(4);
  again.hear({2}, Fetch{Fetch::Kind::leader_news, {0}, {}, {}});
  again.make_durable();
  for (const auto& send : again.released()) CHECK_FALSE(std::holds_alternative<Proposal>(*send.message));
  again.hear(leader, proposal_of(*whole));
  CHECK(again.status().sequenced == whole->header.end);
  CHECK(again.status().evidence_count == 0);
  CHECK_FALSE(again.status().challenging);
}

TEST_CASE("where a node voted FINAL its log keeps an end: its next FINAL extends it") {
  Follower f;
  f.node.hear(leader, proposal_of(*f.first));
  f.node.hear(leader, proposal_of(*f.second));
  f.node.hear(leader, CertificateMessage{make_certificate(Phase::lock, {0}, f.first->header.end, {0, 1, 2})});
  f.settle();
  const auto whole = make_batch({0}, {}, make_requests(1, 1, 3));
  f.node.hear({3}, CertificateMessage{make_certificate(Phase::lock, {0}, whole->header.end, {0, 2, 3})});
  f.node.hear({3}, Chunk{{}, {whole}, std::nullopt});
  f.node.make_durable();
  const auto finals = Driven::votes(f.node.released(), Phase::final);
  REQUIRE(finals.size() == 1);
  CHECK(finals[0].point == whole->header.end);
}

TEST_CASE(
    "two conflicting finality certificates stop a node for good: both are kept, shown to all, and name who signed "
    "both") {
  Follower f;
  f.settle();
  f.node.hear(leader, proposal_of(*f.first));
  f.node.hear(leader, CertificateMessage{make_certificate(Phase::final, {0}, f.first->header.end, {0, 1, 2})});
  f.settle();
  REQUIRE(f.node.status().finalised == f.first->header.end);
  auto other = make_batch({0}, {}, {make_request(2, 1)});
  f.node.hear({3}, CertificateMessage{make_certificate(Phase::final, {0}, other->header.end, {0, 2, 3})});
  CHECK(f.node.status().stopped_code == "safety-violation");
  CHECK(f.node.status().evidence_count == 2);  // n1 and n3 signed both
  REQUIRE(f.node.persisted().conflict);
  CHECK(f.node.persisted().evidence.size() == 2);
  auto sends = f.node.released();
  REQUIRE(sends.size() == 1);
  CHECK(std::get<Conflict>(*sends[0].message).b.point == other->header.end);
  f.node.hear(leader, proposal_of(*f.second));
  f.node.hear({3}, std::get<Conflict>(*sends[0].message));  // the others say so too
  f.node.make_durable();
  CHECK(f.node.released().empty());

  Recovered recovered = fresh_member();
  recovered.conflict = f.node.persisted().conflict;
  Driven again(f.genesis, self, recovered);
  CHECK(again.status().stopped_code == "safety-violation");
  again.step(PeerUp{leader});
  again.hear(leader, proposal_of(*f.first));
  again.make_durable();
  sends = again.released();
  REQUIRE(sends.size() == 1);  // whoever connects learns why
  CHECK(std::holds_alternative<Conflict>(*sends[0].message));
}

TEST_CASE("a finality certificate below what is final here is compared with the log, and its conflict believed") {
  auto genesis = make_genesis({1, 1, 1, 1});
  auto first = make_batch({0}, {}, {make_request(1, 1), make_request(1, 2)});
  Recovered recovered = member_with_final(*first);
  Driven node(genesis, self, recovered);
  node.connect(4);
  auto lower = make_certificate(Phase::final, {1}, make_batch({1}, {}, {make_request(3, 1)})->header.end, {0, 2, 3});
  node.hear({3}, CertificateMessage{lower});
  REQUIRE(node.checks().size() == 1);
  CHECK(node.checks()[0].certificate == lower);
  CHECK(node.status().stopped_code.empty());
  node.hear(self, Conflict{lower, *recovered.fc, {}, {}});
  CHECK(node.status().stopped_code == "safety-violation");
}

TEST_CASE("a certificate that conflicts with the newest one is noticed after a restart too") {
  auto first = make_batch({0}, {}, {make_request(1, 1)});
  Recovered recovered = member_with_final(*first);
  Driven node(make_genesis({1, 1, 1, 1}), self, recovered);
  node.connect(4);
  node.hear({3}, CertificateMessage{make_certificate(
                     Phase::final, {0}, make_batch({0}, {}, {make_request(2, 1)})->header.end, {0, 2, 3})});
  CHECK(node.status().stopped_code == "safety-violation");
}

TEST_CASE("a leader's own copy of an early proposal takes the place of one that came from someone else") {
  Follower f;
  f.settle();
  Batch changed = *f.second;  // the leader's signed header over other bodies
  changed.requests = std::make_shared<const Requests>(Requests{make_request(1, 2, 7)});
  f.node.hear({3}, proposal_of(changed));
  f.node.hear(leader, proposal_of(*f.second));
  f.node.hear({3}, proposal_of(changed));
  f.node.hear(leader, proposal_of(*f.first));
  CHECK(f.node.status().sequenced == f.second->header.end);
}

TEST_CASE(
    "a node that meets something that it signed and does not remember becomes a learner, and signs nothing more") {
  const Lock no_lock{{0}, {{0}, empty_root()}};
  auto beyond = make_batch({0}, {}, {make_request(1, 1)});
  beyond = make_batch({0}, after({}, *beyond), {make_request(1, 2)});
  struct Case {
    NodeId who;
    Message message;
  };
  const std::vector<Case> cases{
      {self, ViewChange{{self, {2}, no_lock, {}}, {}, {}}},
      {self, challenge_of(self, {1})},
      {self, NewView{{1}, no_lock, {}, {}, {}}},  // leader of view 1
      {leader, proposal_of(*beyond)},
      {leader, proposal_of(*make_batch({4}, {}, {make_request(1, 1)}))},  // leader of view 4 as well
      {self, CertificateMessage{make_certificate(Phase::lock, {0}, beyond->header.end, {1, 2, 3})}},
  };
  for (const auto& one : cases) {
    Driven node(make_genesis({1, 1, 1, 1}), one.who);
    node.connect(4);
    REQUIRE(node.status().standing == Standing::member);
    node.hear({3}, one.message);
    CHECK(node.status().standing == Standing::learner);
    REQUIRE(node.persisted().state);
    CHECK(node.persisted().state->standing == Standing::learner);
  }
}

TEST_CASE("a node that connects is sent its own newest view change") {
  Follower f;
  f.settle();
  f.node.hear({3}, ViewChange{{{3}, {1}, {{0}, {{0}, empty_root()}}, {}}, {}, {}});
  f.node.step(PeerDown{{3}, false});
  f.settle();
  f.node.step(PeerUp{{3}});
  auto sends = f.node.released();
  CHECK(std::any_of(sends.begin(), sends.end(), [](const Send& send) {
    const auto* change = std::get_if<ViewChange>(send.message.get());
    return change && send.node == NodeId{3} && change->signed_part.node == NodeId{3};
  }));
}

TEST_CASE("a learner takes in no request: it may not challenge a leader that ignores it") {
  Recovered recovered = fresh_member();
  recovered.state.standing = Standing::learner;
  Driven node(make_genesis({1, 1, 1, 1}), self, recovered);
  node.connect(4);
  node.step(Submit{{make_request(1, 1)}});
  const auto answers = events<RequestUpdate>(node);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].state == RequestState::refused);
  CHECK(answers[0].reason == "learner");
}

TEST_CASE("a learner votes again after the answers of others who hold more than two thirds: its own is not counted") {
  Recovered recovered = fresh_member();
  recovered.state.standing = Standing::learner;
  const Lock no_lock{{0}, {{0}, empty_root()}};
  NewView news{{1}, no_lock, {}, {}, {}};
  for (std::uint16_t node : {0, 1, 2}) news.changes.push_back({{node}, {1}, no_lock, {}});
  const auto standing_after = [&](const std::vector<NodeId>& answer) {
    Driven node(make_genesis({1, 1, 1, 1}), {3}, recovered);
    node.connect(4);
    for (auto from : answer) node.hear(from, ViewAnswer{from, {0}, {}, {}});
    const bool others = std::find(answer.begin(), answer.end(), NodeId{3}) == answer.end();
    CHECK(node.status().rejoins_above == (others ? std::optional<View>{View{0}} : std::nullopt));
    node.hear({1}, news);
    CHECK(node.status().view == View{1});
    return node.status().standing;
  };
  CHECK(standing_after({{0}, {1}, {3}}) == Standing::learner);
  CHECK(standing_after({{0}, {1}, {2}}) == Standing::rejoined);
}

TEST_CASE("the certificates that ride on a proposal count like any") {
  Follower f;
  f.node.hear(leader, proposal_of(*f.first));
  auto second = proposal_of(*f.second);
  second.lc = make_certificate(Phase::lock, {0}, f.first->header.end, {0, 2, 3});
  f.node.hear(leader, second);
  CHECK(f.node.status().locked == f.first->header.end);
  auto third = proposal_of(*make_batch({0}, after(after({}, *f.first), *f.second), {make_request(1, 3)}));
  third.fc = make_certificate(Phase::final, {0}, f.first->header.end, {0, 2, 3});
  f.node.hear(leader, third);
  CHECK(f.node.status().finalised == f.first->header.end);
}

TEST_CASE("who is to lead a view whose base it does not hold yet proposes nothing before it has fetched it") {
  Follower f;
  f.settle();
  f.node.hear({2}, CertificateMessage{make_certificate(Phase::lock, {1}, f.first->header.end, {0, 2, 3})});
  REQUIRE(f.node.status().active);
  REQUIRE(f.node.status().leader == self);
  f.node.step(Submit{{make_request(2, 1)}});
  CHECK(sent<Proposal>(f.node).empty());
  f.node.hear({2}, Chunk{{}, {f.first}, std::nullopt});
  const auto proposals = sent<Proposal>(f.node);
  REQUIRE(proposals.size() == 1);
  CHECK(proposals[0].header.parent() == f.first->header.end);
}
