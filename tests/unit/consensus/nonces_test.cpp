// Requests that wait while others take their nonces, or move the window past them.

#include <catch2/catch.hpp>

#include "tests/unit/consensus/fixtures.h"

using namespace zell;
using namespace zell::consensus_test;
using std::chrono::milliseconds;

namespace {

const NodeId leader{0}, follower{1};

}  // namespace

TEST_CASE("a request whose nonce becomes too old while it waits is not forwarded, and refused once that is final") {
  Driven node(make_genesis({1, 1, 1, 1}), follower);
  for (std::uint16_t peer : {2, 3}) node.step(PeerUp{{peer}});  // the leader can't be reached yet
  const auto late = make_request(1, 5);
  node.step(Submit{{late}});
  CHECK(node.core().lookup(late->id).state == RequestState::initialised);
  const auto batch = make_batch({0}, {}, make_requests(1, 1'000, nonces_per_sender));
  node.hear({2}, proposal_of(*batch));
  node.step(PeerUp{leader});
  CHECK(sent<Forward>(node).empty());
  CHECK(events<RequestUpdate>(node).back().state == RequestState::initialised);
  node.hear({2}, CertificateMessage{make_certificate(Phase::final, {0}, batch->header.end, {0, 2, 3})});
  const auto last = events<RequestUpdate>(node).back();
  CHECK(last.id == late->id);
  CHECK(last.state == RequestState::refused);
  CHECK(last.reason == "nonce-too-old");
  CHECK(node.core().lookup(late->id).state == RequestState::unknown);
}

TEST_CASE("a request is not refused for nonces that were cut from the log") {
  Driven node(patient_genesis(), follower);
  node.connect(4);
  const auto request = make_request(1, 1);
  node.step(Submit{{request}});
  // A log shown to this node alone makes its nonce too old; the true one is longer, and another such log follows it.
  const auto shown = make_batch({0}, {}, make_requests(1, 100'000, nonces_per_sender));
  node.hear(leader, proposal_of(*shown));
  node.pass(milliseconds(patient_genesis().parameters.censorship_timeout_ms));
  node.step(Tick{});  // it looks after what it has forwarded
  const auto first = make_batch({0}, {}, make_requests(2, 1, nonces_per_sender));
  const auto second = make_batch({0}, after({}, *first), {make_request(3, 1)});
  const auto end = after(after({}, *first), *second);
  node.hear(leader, proposal_of(*make_batch({0}, end, make_requests(1, 200'000, nonces_per_sender))));
  const auto fc = make_certificate(Phase::final, {0}, point_of(end), {0, 2, 3});
  node.hear({2}, CertificateMessage{fc});
  node.hear({2}, Chunk{{}, {first, second}, fc});
  REQUIRE(node.status().finalised == point_of(end));
  REQUIRE(node.status().sequenced.index.value == point_of(end).index.value + nonces_per_sender);
  for (const auto& update : events<RequestUpdate>(node)) CHECK(update.state != RequestState::refused);
  CHECK(node.status().pool_requests == 1);
}

TEST_CASE("a request whose nonce is too old on two branches is refused when it is so in what is final") {
  Driven node(patient_genesis(), follower);
  node.connect(4);
  node.step(Submit{{make_request(1, 1)}});
  node.hear(leader, proposal_of(*make_batch({0}, {}, make_requests(1, 100'000, nonces_per_sender))));
  node.pass(milliseconds(patient_genesis().parameters.censorship_timeout_ms));
  node.step(Tick{});
  // The true log makes it too old as well, further on.
  const auto first = make_batch({0}, {}, make_requests(2, 1, 2 * nonces_per_sender));
  const auto second = make_batch({0}, after({}, *first), make_requests(1, 200'000, nonces_per_sender));
  node.hear({2}, CertificateMessage{make_certificate(Phase::lock, {0}, second->header.end, {0, 2, 3})});
  node.hear({2}, Chunk{{}, {first, second}, std::nullopt});
  REQUIRE(node.status().sequenced == second->header.end);
  const auto refused = [&] {
    const auto updates = events<RequestUpdate>(node);
    return !updates.empty() && updates.back().state == RequestState::refused;
  };
  node.hear({2}, CertificateMessage{make_certificate(Phase::final, {0}, first->header.end, {0, 2, 3})});
  REQUIRE(node.status().finalised == first->header.end);
  CHECK_FALSE(refused());
  node.hear({2}, CertificateMessage{make_certificate(Phase::final, {0}, second->header.end, {0, 2, 3})});
  CHECK(refused());
}

TEST_CASE("a forwarded request whose nonce becomes too old is not forwarded again") {
  const auto genesis = patient_genesis();
  Driven node(genesis, follower);
  node.connect(4);
  node.step(Submit{{make_request(1, 5)}});
  REQUIRE(sent<Forward>(node).size() == 1);
  node.hear(leader, proposal_of(*make_batch({0}, {}, make_requests(1, 1'000, nonces_per_sender))));
  node.pass(milliseconds(genesis.parameters.censorship_timeout_ms / 2));
  node.step(Tick{});
  CHECK(sent<Forward>(node).empty());
}

TEST_CASE("nobody is owed a request whose nonce is too old") {
  const auto genesis = patient_genesis();
  const milliseconds timeout(genesis.parameters.censorship_timeout_ms);
  Driven node(genesis, follower);
  node.connect(4);
  node.step(Submit{{make_request(1, 5)}});
  node.pass(timeout - milliseconds(100));
  node.step(PeerDown{leader, false});  // the time so far counts, but it is not forwarded again soon
  node.step(PeerUp{leader});
  const auto batch = make_batch({0}, {}, make_requests(1, 1'000, nonces_per_sender));
  node.hear(leader, proposal_of(*batch));
  node.pass(milliseconds(100));
  node.step(Tick{});
  node.hear(leader, proposal_of(*make_batch({0}, after({}, *batch), {make_request(9, 1)})));
  CHECK_FALSE(node.status().challenging);
}

TEST_CASE("who comes to lead proposes none of its own requests whose nonces are too old by then") {
  Driven node(patient_genesis(), follower);
  for (std::uint16_t peer : {2, 3}) node.step(PeerUp{{peer}});
  const auto late = make_request(1, 5);
  node.step(Submit{{late}});
  const auto batch = make_batch({0}, {}, make_requests(1, 1'000, nonces_per_sender));
  const auto lc = make_certificate(Phase::lock, {0}, batch->header.end, {0, 2, 3});
  node.hear({2}, proposal_of(*batch));
  node.hear({2}, CertificateMessage{lc});
  for (std::uint16_t other : {2, 3}) node.hear({other}, Challenge{{{other}, {0}, Reason::manual, {}}, nullptr, {}});
  for (std::uint16_t other : {0, 2, 3}) node.hear({2}, ViewChange{{{other}, {1}, lc.lock(), {}}, lc, {}});
  REQUIRE(node.status().active);
  REQUIRE(node.status().leader == follower);
  CHECK(sent<Proposal>(node).empty());
  CHECK(node.status().pool_requests == 1);
  node.hear({2}, CertificateMessage{make_certificate(Phase::final, {0}, batch->header.end, {0, 2, 3})});
  CHECK(events<RequestUpdate>(node).back().id == late->id);
  CHECK(events<RequestUpdate>(node).back().reason == "nonce-too-old");
}

TEST_CASE(
    "a request gives way to one of its nonce on the branch that is certified, and is refused once that is final") {
  Driven node(patient_genesis(), follower);
  node.connect(4);
  const auto mine = make_request(1, 1);
  node.step(Submit{{mine}});
  node.hear(leader, proposal_of(*make_batch({0}, {}, {mine})));
  REQUIRE(node.core().lookup(mine->id).state == RequestState::sequenced);
  const auto other = make_batch({0}, {}, {make_request(1, 1, 7), make_request(2, 1)});
  node.hear({2}, CertificateMessage{make_certificate(Phase::lock, {0}, other->header.end, {0, 2, 3})});
  node.hear({2}, Chunk{{}, {other}, std::nullopt});
  REQUIRE(node.status().sequenced == other->header.end);
  CHECK(node.core().lookup(mine->id).state == RequestState::initialised);
  node.hear({2}, CertificateMessage{make_certificate(Phase::final, {0}, other->header.end, {0, 2, 3})});
  CHECK(events<RequestUpdate>(node).back().id == mine->id);
  CHECK(events<RequestUpdate>(node).back().reason == "duplicate");
}
