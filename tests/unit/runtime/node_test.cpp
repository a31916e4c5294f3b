// Whole nodes, in one process: what a client, an operator and a restart see.

#include "node/runtime/node.h"

#include "node/consensus/nonces.h"
#include "tests/unit/runtime/node_fixture.h"

namespace zell {
namespace {

using namespace std::chrono_literals;

Requests numbered(TestCluster& cluster, std::uint64_t first, std::size_t count, std::string_view user = "alice") {
  Requests out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(cluster.request(first + i, "payload " + std::to_string(first + i), user));
  }
  return out;
}

}  // namespace

TEST_CASE("a cluster of one: a request submitted through the API is finalised, and a restart resumes") {
  TestCluster cluster(1);
  cluster.start(0);
  auto request = cluster.request(1, "hello");
  auto reply = cluster.submit(0, {request});
  REQUIRE(reply.results.size() == 1);
  CHECK(reply.results[0].state == RequestState::finalised);
  CHECK(reply.results[0].index == Index{1});
  CHECK(reply.results[0].id == request->id);
  auto certificate = cluster.api(0).certificate();
  REQUIRE(certificate);
  CHECK(certificate->point.index == Index{1});

  cluster.stop(0);
  {
    auto store = open_store(cluster.folder_of(0), cluster.genesis(), {0});
    REQUIRE(store.ok());
    auto recovered = (*store)->recover([](const Batch&) {});
    REQUIRE(recovered.ok());
    CHECK((recovered->fc && recovered->fc->point.index == Index{1}));  // else it would have to vote again
  }
  cluster.start(0);
  CHECK(cluster.api(0).status().finalised.index == Index{1});
  reply = cluster.submit(0, {cluster.request(2, "again")});
  CHECK(reply.results[0].index == Index{2});
  // A page ends at a certificate: the first one was stored when the node stopped, the newest need not be yet.
  for (std::uint64_t index = 1; index <= 2; ++index) {
    auto page = cluster.read(0, {Index{index}, 1 << 20, false, 0ms});
    REQUIRE(page.ok());
    REQUIRE(page->fc);
    CHECK(page->fc->point.index >= Index{index});
  }
}

TEST_CASE("requests of one call are finalised in the order in which they came, across checking jobs") {
  TestCluster cluster(1);
  cluster.start(0);
  auto reply = cluster.submit(0, numbered(cluster, 1, 300));
  REQUIRE(reply.results.size() == 300);
  for (std::size_t i = 0; i < 300; ++i) {
    CHECK(reply.results[i].state == RequestState::finalised);
    CHECK(reply.results[i].index == Index{i + 1});
  }
}

TEST_CASE("a bad request of a call is refused with its reason; the others are taken in") {
  TestCluster cluster(1);
  cluster.start(0);
  auto good = cluster.request(1, "good");
  auto forged = make_request(cluster.domain(), "default", 2, good->sender, std::vector<Bytes>{{1}}, good->signature);
  auto bad_app = make_request(cluster.domain(), "No App!", 3, good->sender, std::vector<Bytes>{{1}}, good->signature);
  auto reply = cluster.submit(0, {forged, good, bad_app});
  REQUIRE(reply.results.size() == 3);
  CHECK(reply.results[0].state == RequestState::refused);
  CHECK(reply.results[0].reason == "bad-signature");
  CHECK_FALSE(reply.results[0].hint.empty());
  CHECK(reply.results[1].state == RequestState::finalised);
  CHECK(reply.results[2].reason == "bad-app");
}

TEST_CASE("a request that was signed for another cluster is refused, and so is one whose nonce is too old") {
  TestCluster cluster(1);
  cluster.start(0);
  auto elsewhere = cluster.genesis();
  elsewhere.chain_id += 1;
  const std::vector<Bytes> payloads{{1}};
  const auto foreign = sign_request(SigningDomain::of(elsewhere), secp256k1_scheme(), dev_secret_key(1, "alice"),
                                    "default", 1, payloads);
  // As it is read here, from its bytes.
  auto reply =
      cluster.submit(0, {make_request(cluster.domain(), "default", 1, foreign->sender, payloads, foreign->signature)});
  CHECK(reply.results.at(0).reason == "bad-signature");
  CHECK(reply.results.at(0).hint.find("this cluster's id") != std::string::npos);

  Requests many;
  for (std::uint64_t nonce = 10; nonce < 10 + nonces_per_sender; ++nonce) many.push_back(cluster.request(nonce, "x"));
  for (const auto& report : cluster.submit(0, many).results) REQUIRE(report.state == RequestState::finalised);
  reply = cluster.submit(0, {cluster.request(9, "late"), cluster.request(9, "late", "bob")});
  CHECK(reply.results.at(0).state == RequestState::refused);
  CHECK(reply.results.at(0).reason == "nonce-too-old");
  CHECK_FALSE(reply.results.at(0).hint.empty());
  // Somebody else's nonces are not touched by it.
  CHECK(reply.results.at(1).state == RequestState::finalised);
}

TEST_CASE("of a call with more requests than a node takes in at once, the first become final and the rest is busy") {
  TestCluster cluster(1);
  cluster.start(0);
  const auto requests = numbered(cluster, 1, 1'500);
  const auto reply = cluster.submit(0, requests);
  REQUIRE(reply.results.size() == 1'500);
  for (std::size_t i = 0; i < 1'500; ++i) {
    const auto& result = reply.results[i];
    CHECK(result.id == requests[i]->id);
    if (i < Admission::least_requests) {
      REQUIRE(result.state == RequestState::finalised);
    } else {
      REQUIRE(result.state == RequestState::refused);
      REQUIRE(result.reason == "busy");
    }
  }
  // What is known needs no room, and what was refused may come again.
  const auto again = cluster.submit(0, requests);
  for (std::size_t i = 0; i < Admission::least_requests; ++i) REQUIRE(again.results[i].index == Index{i + 1});
  const auto rest = cluster.submit(0, {requests.begin() + Admission::least_requests, requests.end()});
  CHECK(rest.results.front().state == RequestState::finalised);
  CHECK(rest.results.back().state == RequestState::finalised);
}

TEST_CASE("resubmitting a finalised request answers with its index; another with its nonce is a duplicate") {
  TestCluster cluster(1);
  cluster.start(0);
  auto request = cluster.request(7, "once");
  CHECK(cluster.submit(0, {request}).results[0].index == Index{1});
  auto again = cluster.submit(0, {request, request}, RequestState::initialised, 0ms);
  REQUIRE(again.results.size() == 2);
  for (const auto& report : again.results) {
    CHECK(report.state == RequestState::finalised);
    CHECK(report.index == Index{1});
  }
  auto other = cluster.submit(0, {cluster.request(7, "twice")});
  CHECK(other.results[0].state == RequestState::refused);
  CHECK(other.results[0].reason == "duplicate");

  cluster.stop(0);  // now only the store knows it
  cluster.start(0);
  again = cluster.submit(0, {request});
  CHECK(again.results[0].state == RequestState::finalised);
  CHECK(again.results[0].index == Index{1});
  CHECK(cluster.submit(0, {cluster.request(7, "twice")}).results[0].reason == "duplicate");
  CHECK(cluster.submit(0, {cluster.request(8, "next")}).results[0].index == Index{2});
}

TEST_CASE("a lookup answers at once, waits, gives up in time, and is forgotten when cancelled") {
  TestCluster cluster(1);
  cluster.start(0);
  auto request = cluster.request(1, "wanted");
  auto unknown = cluster.lookup(0, request->id);
  REQUIRE(unknown.ok());
  CHECK(unknown->state == RequestState::unknown);
  auto late = cluster.lookup(0, request->id, RequestState::finalised, 30ms);
  REQUIRE(late.ok());
  CHECK(late->timed_out);

  std::optional<RequestReport> report;
  bool cancelled_ran = false;
  auto wait_for = [&](auto done) { return cluster.api(0).lookup(request->id, RequestState::finalised, 10s, done); };
  (void)wait_for([&](Result<RequestReport> got) { report = *got; });
  auto cancelled = wait_for([&](const Result<RequestReport>&) { cancelled_ran = true; });
  cluster.api(0).cancel(cancelled);
  CHECK(cluster.submit(0, {request}).results[0].index == Index{1});
  REQUIRE(cluster.loop().run_until([&] { return report.has_value(); }));
  CHECK(report->state == RequestState::finalised);
  CHECK(report->index == Index{1});
  CHECK_FALSE(cancelled_ran);
  auto known = cluster.lookup(0, request->id);
  REQUIRE(known.ok());
  CHECK(known->index == Index{1});

  cluster.stop(0);
  cluster.start(0);
  known = cluster.lookup(0, request->id);
  REQUIRE(known.ok());
  CHECK(known->state == RequestState::finalised);
  CHECK(known->index == Index{1});
}

TEST_CASE("the log is read from memory and from the store, in pages that end at a certificate") {
  TestCluster cluster(1);
  cluster.start(0);
  for (std::uint64_t i = 1; i <= 20; ++i)
    CHECK(cluster.submit(0, {cluster.request(i, std::string(500, 'x'))}).results[0].index == Index{i});
  auto check_all = [&] {
    Index next{1};
    while (next.value <= 20) {
      auto page = cluster.read(0, {next, 2'000, false, 0ms});
      REQUIRE(page.ok());
      REQUIRE(page->fc);
      REQUIRE_FALSE(page->finalised.empty());
      CHECK(page->finalised.front()->header.first <= next);
      CHECK(page->finalised.back()->header.end == page->fc->point);
      CHECK(page->finalised_index == Index{20});
      next = page->fc->point.index.next();
    }
    CHECK(next == Index{21});
  };
  check_all();
  cluster.stop(0);
  cluster.start(0);
  check_all();

  auto empty = cluster.read(0, {Index{21}, 2'000, true, 30ms});
  REQUIRE(empty.ok());
  CHECK(empty->finalised.empty());
  CHECK_FALSE(empty->fc);
  CHECK(cluster.read(0, {Index{0}, 2'000, false, 0ms}).error().code == "bad-range");

  std::optional<LogPage> awaited;
  cluster.api(0).read_log({Index{21}, 2'000, false, 10s}, [&](Result<LogPage> page) { awaited = std::move(*page); });
  CHECK_FALSE(awaited);
  cluster.submit(0, {cluster.request(21, "news")});
  REQUIRE(cluster.loop().run_until([&] { return awaited.has_value(); }));
  REQUIRE(awaited->fc);
  CHECK(awaited->fc->point.index == Index{21});
}

TEST_CASE("inclusion and consistency proofs hold against the newest certificate") {
  TestCluster cluster(1);
  cluster.start(0);
  auto requests = numbered(cluster, 1, 1'500);
  cluster.submit(0, {requests.begin(), requests.begin() + 750});
  cluster.submit(0, {requests.begin() + 750, requests.end()});
  cluster.stop(0);  // leaves of whole blocks come from the store now
  cluster.start(0);
  cluster.submit(0, {cluster.request(9'999, "last")});
  for (std::uint64_t index : {1u, 700u, 1'024u, 1'025u, 1'501u}) {
    auto proof = cluster.ask<InclusionProof>([&](auto done) { cluster.api(0).prove(Index{index}, done); });
    if (!proof.ok()) FAIL(proof.error().what);
    CHECK(verify_inclusion(proof->request->leaf, index - 1, proof->certificate.point.index.value, proof->path,
                           proof->certificate.point.root));
    if (index <= 1'500) CHECK(proof->request->id == requests[index - 1]->id);
  }
  auto by_id = cluster.ask<InclusionProof>([&](auto done) { cluster.api(0).prove(requests[41]->id, done); });
  REQUIRE(by_id.ok());
  CHECK(by_id->index == Index{42});
  auto consistency =
      cluster.ask<ConsistencyProof>([&](auto done) { cluster.api(0).prove_consistency(Index{900}, Index{0}, done); });
  REQUIRE(consistency.ok());
  CHECK(consistency->second.index == Index{1'501});
  CHECK(consistency->certificate);
  CHECK(verify_consistency(900, consistency->first.root, 1'501, consistency->second.root, consistency->path));

  auto prove = [&](auto what) {
    return cluster.ask<InclusionProof>([&](auto done) { cluster.api(0).prove(what, done); }).error().code;
  };
  CHECK(prove(Index{1'502}) == "not-final");
  CHECK(prove(RequestId{}) == "unknown-request");
  auto range =
      cluster.ask<ConsistencyProof>([&](auto done) { cluster.api(0).prove_consistency(Index{5}, Index{4}, done); });
  CHECK(range.error().code == "bad-range");
  auto evidence = cluster.ask<std::vector<EvidencePtr>>([&](auto done) { cluster.api(0).read_evidence(done); });
  REQUIRE(evidence.ok());
  CHECK(evidence->empty());
}

TEST_CASE("a node that starts from a replay point knows what is below it: nonces, proofs, requests") {
  TestCluster cluster(1);
  auto setup = cluster.setup_of(0);
  setup.requests_between_replay_points = 1'100;
  REQUIRE(cluster.try_start(0, setup).ok());
  const auto requests = numbered(cluster, 1, 1'501);
  cluster.submit(0, {requests.begin(), requests.begin() + 750});
  cluster.submit(0, {requests.begin() + 750, requests.end() - 1});
  cluster.submit(0, {requests.back()});  // with it the certificate of those before is stored, and then the point
  cluster.stop(0);
  {
    auto store = open_store(cluster.folder_of(0), cluster.genesis(), NodeId{0});
    REQUIRE(store.ok());
    std::vector<ReplayPoint> points;
    REQUIRE((*store)->recover([](const Batch&) {}, [&](const ReplayPoint& point) { points.push_back(point); }).ok());
    REQUIRE(points.size() == 1);
    CHECK(points[0].index >= Index{1'100});
    REQUIRE(points[0].senders.size() == 1);
    CHECK(points[0].senders[0].sender == requests[0]->sender);
    CHECK(points[0].senders[0].nonces.back() == points[0].index.value);
  }
  cluster.start(0);
  CHECK(cluster.api(0).status().finalised.index == Index{1'501});
  CHECK(cluster.submit(0, {requests[0]}).results[0].index == Index{1});
  auto refused = [&](std::uint64_t nonce) {
    return cluster.submit(0, {cluster.request(nonce, "another")}).results[0].reason;
  };
  CHECK(refused(1) == "nonce-too-old");
  CHECK(refused(600) == "duplicate");
  CHECK(refused(1'500) == "duplicate");
  CHECK(cluster.submit(0, {cluster.request(1'502, "next")}).results[0].index == Index{1'502});
  for (std::uint64_t index : {1u, 1'024u, 1'025u, 1'502u}) {
    auto proof = cluster.ask<InclusionProof>([&](auto done) { cluster.api(0).prove(Index{index}, done); });
    if (!proof.ok()) FAIL(proof.error().what);
    CHECK(verify_inclusion(proof->request->leaf, index - 1, proof->certificate.point.index.value, proof->path,
                           proof->certificate.point.root));
  }
}

TEST_CASE("status and health tell a node's place; waiting calls are answered when it stops") {
  TestCluster cluster(1);
  cluster.start(0);
  auto status = cluster.api(0).status();
  CHECK(status.name == "n1");
  CHECK(status.cluster == cluster.domain().cluster);
  CHECK(status.standing == Standing::member);
  CHECK(status.active);
  CHECK(status.version == "test");
  CHECK(status.peers.empty());
  CHECK(cluster.api(0).health().ready);
  std::string code;
  cluster.api(0).lookup(RequestId{}, RequestState::finalised, 60s,
                        [&](const Result<RequestReport>& report) { code = report.error().code; });
  std::string log_code;
  cluster.api(0).read_log({Index{1}, 100, false, 60s},
                          [&](const Result<LogPage>& page) { log_code = page.error().code; });
  (void)cluster.lookup(0, RequestId{});
  cluster.stop(0);
  CHECK(code == "stopped");
  CHECK(log_code == "stopped");
}

TEST_CASE("a second node on one folder, a foreign folder and a taken port are refused, and leave nothing behind") {
  TestCluster cluster(2);
  cluster.start(0);
  auto second = cluster.setup_of(0);
  second.config.control_socket.clear();
  CHECK(cluster.try_start(1, second).error().code == "locked");
  auto foreign = cluster.setup_of(1);
  foreign.config.name = "n2";
  foreign.config.data_folder = cluster.folder_of(0);
  CHECK_FALSE(cluster.try_start(1, foreign).ok());
  auto clash = cluster.setup_of(1);
  clash.config.listen.port = cluster.node(0).peer_port();
  auto error = cluster.try_start(1, clash).error();
  CHECK(error.code == "port-in-use");
  CHECK(error.what.find(std::to_string(clash.config.listen.port)) != std::string::npos);
  clash = cluster.setup_of(1);
  clash.config.api.port = cluster.node(0).api_port();
  CHECK(cluster.try_start(1, clash).error().code == "port-taken");
  clash = cluster.setup_of(1);
  clash.config.control_socket = cluster.setup_of(0).config.control_socket;
  CHECK(cluster.try_start(1, clash).error().code == "in-use");
  cluster.start(1);  // nothing of the failed attempts is in the way
}

TEST_CASE("four nodes finalise alike, go on without a leader, and the one that was away catches up") {
  TestCluster cluster(4);
  cluster.start_all();
  auto all_ready = [&] {
    for (std::size_t i = 0; i < 4; ++i) {
      if (!cluster.api(i).health().ready) return false;
    }
    return true;
  };
  REQUIRE(cluster.loop().run_until(all_ready));
  auto reply = cluster.submit(2, numbered(cluster, 1, 50));
  CHECK(reply.results[49].state == RequestState::finalised);
  auto foreign = cluster.lookup(3, reply.results[0].id, RequestState::finalised);
  REQUIRE(foreign.ok());
  CHECK(foreign->index == reply.results[0].index);

  cluster.stop(0);
  reply = cluster.submit(2, numbered(cluster, 100, 50));
  CHECK(reply.results[49].state == RequestState::finalised);
  CHECK(cluster.api(2).status().view.value >= 1);
  CHECK(cluster.log_of(2).find("view entered") != std::string::npos);

  cluster.start(0);
  REQUIRE(cluster.loop().run_until([&] { return cluster.api(0).status().finalised.index == Index{100}; }));
  CHECK(cluster.api(0).status().finalised == cluster.api(3).status().finalised);
  REQUIRE(cluster.loop().run_until(all_ready));

  auto view = cluster.api(1).status().view;
  CHECK(cluster.node(1).challenge());
  CHECK(cluster.node(2).challenge());
  REQUIRE(cluster.loop().run_until([&] { return cluster.api(3).status().view > view && all_ready(); }));
  reply = cluster.submit(0, numbered(cluster, 200, 5));
  CHECK(reply.results[4].state == RequestState::finalised);
}

/// A quorum that signs two logs: what only a third of the stake or more can do together.
void store_another_log(TestCluster& cluster, std::size_t member, const SecretKey& liar, std::uint64_t length) {
  auto store = open_store(cluster.folder_of(member), cluster.genesis(), NodeId{static_cast<std::uint16_t>(member)});
  REQUIRE(store.ok());
  auto recovered = (*store)->recover([](const Batch&) {});
  REQUIRE(recovered.ok());
  auto batch = std::make_shared<Batch>();
  CompactRange range;
  batch->header.first = {1};
  batch->header.parent_root = range.root();
  auto requests = numbered(cluster, 500, length, "bob");
  for (const auto& request : requests) {
    range.append(request->leaf);
    batch->request_bytes += static_cast<std::uint32_t>(request->canonical.size());
  }
  batch->header.end = {{range.size()}, range.root()};
  batch->requests = std::make_shared<const Requests>(std::move(requests));
  Delta delta;
  delta.fc = Certificate{Phase::final, {0}, batch->header.end, {}};
  auto digest = vote_digest(cluster.domain(), Phase::final, {0}, batch->header.end);
  delta.fc->signatures.push_back({NodeId{0}, secp256k1_scheme().sign(liar, digest)});
  delta.batches.push_back(std::move(batch));
  delta.state = recovered->state;
  delta.state->tip = delta.fc->point;
  REQUIRE((*store)->commit(std::span(&delta, 1)).ok());
}

TEST_CASE("nodes that hold two histories find out when they meet, stop, and stay stopped") {
  const std::uint64_t other_length = GENERATE(1u, 5u, 9u);  // shorter than the first one's log, as long, longer
  TestCluster cluster(2, 9);
  cluster.start(0);
  for (std::uint64_t i = 1; i <= 5; i += 2) {
    REQUIRE(cluster.submit(0, numbered(cluster, i, i == 5 ? 1 : 2)).results[0].state == RequestState::finalised);
  }
  store_another_log(cluster, 1, dev_secret_key(1, "n1"), other_length);
  cluster.start(1);
  auto stopped = [&](std::size_t i) { return cluster.api(i).status().stopped_code == "safety-violation"; };
  REQUIRE(cluster.loop().run_until([&] { return stopped(0) && stopped(1); }));
  auto evidence = cluster.ask<std::vector<EvidencePtr>>([&](auto done) { cluster.api(1).read_evidence(done); });
  REQUIRE(evidence.ok());
  REQUIRE(evidence->size() == 1);
  CHECK(cluster.submit(0, {cluster.request(900, "more")}).results[0].reason == "stopped");
  cluster.stop(0);
  cluster.stop(1);
  cluster.start(0);
  CHECK(stopped(0));
  CHECK(cluster.read(0, {Index{1}, 1 << 20, false, 0ms})->fc->point.index == Index{5});
}

}  // namespace zell
