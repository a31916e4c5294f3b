// Requests on their way into the log, at the bounds: of a batch, a message, a quota, a nonce window.

#include <catch2/catch.hpp>

#include "node/consensus/mempool.h"
#include "tests/unit/consensus/fixtures.h"

using namespace zell;
using namespace zell::consensus_test;
using std::chrono::milliseconds;

namespace {

const NodeId leader{0}, follower{1};

/// A leader whose first batch is not final, so that what comes then is batched together.
Driven busy_leader(const Genesis& genesis) {
  Driven node(genesis, leader);
  node.connect(4);
  node.hear({3}, Forward{{make_request(9, 1)}});  // the next in turn is node 2
  REQUIRE(sent<Proposal>(node).size() == 1);
  return node;
}

Requests proposed(Driven& node) {
  Requests out;
  for (const auto& proposal : sent<Proposal>(node)) {
    out.insert(out.end(), proposal.requests->begin(), proposal.requests->end());
  }
  return out;
}

}  // namespace

TEST_CASE("a request counts as taken in once, and is told how long it took to be final") {
  Driven node(make_genesis({1, 1, 1, 1}), follower);
  node.connect(4);
  const auto request = make_request(1, 1);
  node.step(Submit{{request}});
  node.step(Submit{{request}});
  CHECK(node.status().taken_in == 1);
  node.pass(std::chrono::milliseconds(30));
  const auto batch = make_batch({0}, {}, {request});
  node.hear(leader, proposal_of(*batch));
  node.hear(leader, CertificateMessage{make_certificate(Phase::final, {0}, batch->header.end, {0, 2, 3})});
  const auto last = events<RequestUpdate>(node).back();
  CHECK(last.state == RequestState::finalised);
  CHECK(last.since_taken == std::chrono::milliseconds(30));
}

TEST_CASE("where a request stands follows the log") {
  Driven node(make_genesis({1, 1, 1, 1}), follower);
  node.connect(4);
  const auto request = make_request(1, 1);
  const auto stands = [&] { return node.core().lookup(request->id).state; };
  CHECK(stands() == RequestState::unknown);
  const auto batch = make_batch({0}, {}, {request});
  node.hear(leader, proposal_of(*batch));
  CHECK(stands() == RequestState::sequenced);
  REQUIRE(node.core().unfinalised().size() == 1);
  CHECK(node.core().unfinalised().front()->header.end == batch->header.end);
  node.hear(leader, CertificateMessage{make_certificate(Phase::lock, {0}, batch->header.end, {0, 2, 3})});
  CHECK(stands() == RequestState::locked);
  const auto later = make_batch({0}, after({}, *batch), {make_request(1, 2)});
  node.hear(leader, proposal_of(*later));
  CHECK(node.core().lookup(later->requests->front()->id).state == RequestState::sequenced);
  node.hear(leader, CertificateMessage{make_certificate(Phase::final, {0}, batch->header.end, {0, 2, 3})});
  CHECK(stands() == RequestState::unknown);  // the store knows
  CHECK(node.core().unfinalised().size() == 1);
}

TEST_CASE("a leader's batch ends below its limit in bytes, and what did not fit is the first of the next") {
  auto genesis = patient_genesis();
  const auto each = make_request(1, 1)->canonical.size();
  genesis.parameters.batch_max_bytes = static_cast<std::uint32_t>(2 * each + each / 2);
  auto node = busy_leader(genesis);
  node.hear({2}, Forward{make_requests(1, 1, 5)});
  node.pass(milliseconds(2));
  node.step(Tick{});
  Requests seen;
  for (const auto& proposal : sent<Proposal>(node)) {
    CHECK(proposal.requests->size() <= 2);
    seen.insert(seen.end(), proposal.requests->begin(), proposal.requests->end());
  }
  REQUIRE(seen.size() == 5);
  for (std::uint64_t i = 0; i < 5; ++i) CHECK(seen[i]->nonce == i + 1);
}

TEST_CASE("a nonce that the batch itself makes too old is left out, and all others are proposed") {
  auto node = busy_leader(patient_genesis());
  node.hear({1}, Forward{make_requests(1, 1'001, 1'024)});
  // Taken in turn: when nonce 5 comes, sender 1's window is full; one request of node 4 still comes after it.
  auto from_three = make_requests(2, 1, 1'023);
  from_three.push_back(make_request(1, 5));
  node.hear({2}, Forward{from_three});
  node.hear({3}, Forward{make_requests(3, 1, 1'024)});
  for (int i = 0; i < 2; ++i) {  // it is noticed, and what is left waits for its turn again
    node.pass(milliseconds(2));
    node.step(Tick{});
  }
  const auto all = proposed(node);
  CHECK(all.size() == 1'024 + 1'023 + 1'024);
  CHECK(std::none_of(all.begin(), all.end(),
                     [](const RequestPtr& one) { return one->sender == some_key(1) && one->nonce == 5; }));
  CHECK(node.status().stopped_code.empty());
}

TEST_CASE("a member that forwards more than its quota is noted, and the others' requests are taken") {
  auto genesis = patient_genesis();
  genesis.parameters.forward_quota = 3;
  auto node = busy_leader(genesis);
  node.hear({1}, Forward{make_requests(1, 1, 4)});
  node.hear({2}, Forward{make_requests(2, 1, 3)});
  CHECK(noted(node, "forward quota exceeded"));
  node.pass(milliseconds(2));
  node.step(Tick{});
  CHECK(proposed(node).size() == 6);
}

TEST_CASE("more requests than a Forward holds go out in several, and again while the leader is silent on them") {
  auto genesis = patient_genesis();
  genesis.parameters.forward_quota = 2'000;
  Driven node(genesis, follower);
  for (std::uint16_t peer : {2, 3}) node.step(PeerUp{{peer}});
  for (const auto& request : make_requests(1, 1, max_requests_in_forward + 10)) node.step(Submit{{request}});
  node.step(PeerUp{leader});
  auto forwards = sent<Forward>(node);
  REQUIRE(forwards.size() == 2);
  CHECK(forwards[0].requests.size() == max_requests_in_forward);
  CHECK(forwards[1].requests.size() == 10);
  node.pass(milliseconds(genesis.parameters.censorship_timeout_ms / 2));
  node.step(Tick{});
  forwards = sent<Forward>(node);
  REQUIRE(forwards.size() == 1);
  CHECK(forwards[0].requests.size() == max_requests_in_forward);
}

TEST_CASE("a request that full batches pass over is censored once n times the quota of others went before it") {
  auto genesis = patient_genesis();
  genesis.parameters.batch_max_requests = 2;
  genesis.parameters.forward_quota = 1;
  Driven node(genesis, follower);
  node.connect(4);
  node.step(Submit{{make_request(1, 1)}});
  node.pass(milliseconds(genesis.parameters.censorship_timeout_ms + 1));
  node.step(Tick{});
  CompactRange range;
  for (std::uint64_t others = 2; others <= 6; others += 2) {
    CHECK_FALSE(node.status().challenging);
    const auto batch = make_batch({0}, range, make_requests(2, others, 2));
    range = after(range, *batch);
    node.hear(leader, proposal_of(*batch));
  }
  CHECK(node.status().challenging == Reason::censored);  // 6 others, n * Q = 4
}

TEST_CASE("what one challenger calls censored is kept up to a bound, and what others say is kept beside it") {
  Driven node(patient_genesis(), follower);
  node.connect(4);
  const auto censored = [&](NodeId challenger, Requests what) {
    node.hear(challenger, Challenge{{challenger, {0}, Reason::censored, {}}, nullptr, std::move(what)});
  };
  censored({2}, make_requests(1, 1, 300));
  CHECK(node.status().pool_requests == 256);
  CHECK(node.status().view == View{0});
}

TEST_CASE("a chunk that does not hold together is noted, and nothing of it is kept") {
  Driven node(make_genesis({1, 1, 1, 1}), follower);
  node.connect(4);
  const auto first = make_batch({0}, {}, make_requests(1, 1, 2));
  const auto second = make_batch({0}, after({}, *first), make_requests(1, 3, 2));
  const auto fc = make_certificate(Phase::final, {0}, second->header.end, {0, 2, 3});
  node.hear({2}, CertificateMessage{fc});  // now it wants them
  node.hear({2}, Chunk{});
  CHECK(events<Noted>(node).empty());
  auto gap = *second;
  gap.header.parent_root = {};
  node.hear({2}, Chunk{{0}, {first, std::make_shared<const Batch>(gap)}, fc});
  CHECK(noted(node, "a chunk's batches do not follow each other"));
  auto other = *first;
  other.requests = std::make_shared<const Requests>(make_requests(2, 1, 2));
  node.hear({2}, Chunk{{0}, {std::make_shared<const Batch>(other), second}, fc});
  CHECK(noted(node, "a chunk's requests do not yield its root"));
  CHECK(node.status().finalised.index == Index{0});
  node.hear({2}, Chunk{{0}, {first, second}, fc});
  CHECK(node.status().finalised == second->header.end);
}

TEST_CASE("a request that a challenge brought is its challenger's no more once it is submitted here") {
  Driven node(patient_genesis(), follower);
  node.connect(4);
  const auto relay = [&](Requests what) {
    node.hear({2}, Challenge{{{2}, {0}, Reason::censored, {}}, nullptr, std::move(what)});
  };
  const auto first = make_requests(1, 1, max_relayed_per_node);
  relay(first);
  for (const auto& request : first) node.step(Submit{{request}});
  relay(make_requests(2, 1, 10));
  CHECK(node.status().pool_requests == max_relayed_per_node + 10);
}

TEST_CASE("a leader's own requests beyond its quota wait until there is room") {
  auto genesis = patient_genesis();
  genesis.parameters.forward_quota = 2;
  genesis.parameters.batches_in_flight = 1;
  auto node = busy_leader(genesis);
  for (const auto& request : make_requests(1, 1, 3)) node.step(Submit{{request}});
  CHECK(sent<Proposal>(node).empty());
  const auto finalise_tip = [&] {
    node.hear({1}, CertificateMessage{make_certificate(Phase::final, {0}, node.status().sequenced, {1, 2, 3})});
  };
  finalise_tip();
  CHECK(proposed(node).size() == 2);
  finalise_tip();
  CHECK(proposed(node).size() == 1);
}

TEST_CASE("more bytes than a Forward may hold go out in several, and so again while the leader is silent on them") {
  const auto genesis = patient_genesis();
  Driven node(genesis, follower);
  for (std::uint16_t peer : {2, 3}) node.step(PeerUp{{peer}});
  for (std::uint64_t nonce = 1; nonce <= 5; ++nonce) node.step(Submit{{make_request(1, nonce, 0, 200 << 10)}});
  node.step(PeerUp{leader});
  auto forwards = sent<Forward>(node);
  REQUIRE(forwards.size() == 2);
  CHECK(forwards[0].requests.size() == 3);  // 512 KiB are reached by the third
  CHECK(forwards[1].requests.size() == 2);
  node.pass(milliseconds(genesis.parameters.censorship_timeout_ms / 2));
  node.step(Tick{});
  forwards = sent<Forward>(node);
  REQUIRE(forwards.size() == 1);
  CHECK(forwards[0].requests.size() == 3);
}

TEST_CASE("a challenge carries so many censored requests, and so many bytes of them, as its receivers admit") {
  const auto genesis = patient_genesis();
  const auto carried = [&](const Requests& owed) {
    Driven node(genesis, follower);
    node.connect(4);
    for (const auto& request : owed) node.step(Submit{{request}});
    node.pass(milliseconds(genesis.parameters.censorship_timeout_ms));
    node.step(Tick{});
    node.hear(leader, proposal_of(*make_batch({0}, {}, {make_request(9, 1)})));
    const auto challenges = sent<Challenge>(node);
    REQUIRE(challenges.size() == 1);
    return challenges[0].censored.size();
  };
  CHECK(carried(make_requests(1, 1, max_requests_in_challenge + 1)) == max_requests_in_challenge);
  Requests large;
  for (std::uint64_t nonce = 1; nonce <= 9; ++nonce) large.push_back(make_request(1, nonce, 0, 300 << 10));
  CHECK(carried(large) == 7);  // 2 MiB are reached by the seventh
}

TEST_CASE("what the leader leaves lying is passed on to the others after the view timeout, so much at a time") {
  const auto genesis = make_genesis({1, 1, 1, 1});
  const auto passed_on = [&](const Requests& requests) {
    Driven node(genesis, follower);
    node.connect(4);
    for (const auto& request : requests) node.step(Submit{{request}});
    const auto to_others = [&] {
      node.make_durable();
      std::vector<std::size_t> out;
      for (const auto& send : node.released()) {
        const auto* forward = std::get_if<Forward>(send.message.get());
        if (forward && send.node == NodeId{2}) out.push_back(forward->requests.size());
      }
      return out;
    };
    node.pass(milliseconds(genesis.parameters.view_timeout_ms - 1));
    node.step(Tick{});
    CHECK(to_others().empty());
    node.pass(milliseconds(genesis.parameters.view_timeout_ms / 2));
    node.step(Tick{});
    const auto once = to_others();
    node.pass(milliseconds(10));
    node.step(Tick{});
    CHECK(to_others().empty());
    REQUIRE(once.size() == 1);
    return once.front();
  };
  CHECK(passed_on(make_requests(1, 1, 3)) == 3);
  CHECK(passed_on(make_requests(1, 1, max_requests_in_challenge + 1)) == max_requests_in_challenge);
  Requests large;
  for (std::uint64_t nonce = 1; nonce <= 5; ++nonce) large.push_back(make_request(1, nonce, 0, 200 << 10));
  CHECK(passed_on(large) == 3);  // 512 KiB are reached by the third
}

TEST_CASE("what another node passes on is forwarded, up to a bound for each, and not passed on again") {
  const auto genesis = make_genesis({1, 1, 1, 1});
  Driven node(genesis, follower);
  node.connect(4);
  node.hear({2}, Forward{make_requests(1, 1, max_relayed_per_node + 1)});
  CHECK(node.status().pool_requests == max_relayed_per_node);
  std::size_t forwarded = 0;
  for (const auto& forward : sent<Forward>(node)) forwarded += forward.requests.size();
  CHECK(forwarded == max_relayed_per_node);
  node.pass(milliseconds(2 * genesis.parameters.view_timeout_ms));
  node.step(Tick{});
  node.make_durable();
  for (const auto& send : node.released()) {
    if (std::holds_alternative<Forward>(*send.message)) CHECK(send.node == leader);
  }
}

TEST_CASE("what others pass on leaves half of the pool to what is submitted here, and each no more than its share") {
  ReplicaOptions options;
  options.pool_max_requests = 20;
  options.pool_max_bytes = 8 << 20;
  LocalPool pool(options);
  std::uint64_t nonce = 0;
  const auto relayed = [&](NodeId by, std::size_t payload_bytes) {
    std::size_t taken = 0;
    for (;; ++taken) {
      const auto request = make_request(1, ++nonce, 0, payload_bytes);
      if (!pool.has_room_for_relayed(*request, by, 4)) return taken;
      (void)pool.add(request, false, by);
    }
  };
  CHECK(relayed({2}, 300 << 10) == 3);  // of 1 MiB, an eighth of the pool
  CHECK(relayed({2}, 1 << 10) > 0);
  CHECK(relayed({3}, 1) == 20 / 2 - pool.count());
  CHECK(pool.count() == 10);
  CHECK(pool.has_room(*make_request(1, ++nonce)));
}

TEST_CASE("a request is passed on too when the leader proposed it or a rival of its nonce to one node alone") {
  const auto genesis = make_genesis({1, 1, 1, 1});
  const auto request = make_request(1, 1), rival = make_request(1, 1, 9);
  for (const auto& shown : {request, rival}) {
    Driven node(genesis, follower);
    node.connect(4);
    node.step(Submit{{request}});
    node.hear(leader, proposal_of(*make_batch({0}, {}, {shown})));
    (void)sent<Vote>(node);
    node.pass(milliseconds(2 * genesis.parameters.view_timeout_ms));
    node.step(Tick{});
    const auto forwards = sent<Forward>(node);
    REQUIRE(forwards.size() == 2);  // to the two others
    CHECK(forwards[0].requests.front()->id == request->id);
  }
}

TEST_CASE("a batch that has no bytes left for the largest request censors nobody") {
  const auto owed = make_request(1, 1);
  for (bool room : {false, true}) {
    auto genesis = patient_genesis();
    const auto& largest = genesis.parameters.request_max_bytes;
    genesis.parameters.batch_max_bytes = static_cast<std::uint32_t>(owed->canonical.size() + largest - (room ? 0 : 1));
    Driven node(genesis, follower);
    node.connect(4);
    node.step(Submit{{owed}});
    node.pass(milliseconds(genesis.parameters.censorship_timeout_ms));
    node.step(Tick{});
    node.hear(leader, proposal_of(*make_batch({0}, {}, {make_request(9, 1)})));
    CHECK(node.status().challenging.has_value() == room);
  }
}

TEST_CASE("of two requests with one nonce a leader proposes the first, and nothing for the other") {
  auto genesis = patient_genesis();
  genesis.parameters.batch_max_requests = 1;
  genesis.parameters.batches_in_flight = 1;
  auto node = busy_leader(genesis);
  node.hear({1}, Forward{{make_request(1, 1)}});
  node.hear({2}, Forward{{make_request(1, 1, 7)}});
  Requests all;
  for (int rounds = 0; rounds < 3; ++rounds) {
    node.hear({1}, CertificateMessage{make_certificate(Phase::final, {0}, node.status().sequenced, {1, 2, 3})});
    for (const auto& request : proposed(node)) all.push_back(request);
  }
  CHECK(all.size() == 1);
}
