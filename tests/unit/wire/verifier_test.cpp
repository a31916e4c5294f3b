// What the verifier lets into the core: votes, certificates, requests, proposals. Each rule has a twin that breaks it
// alone.

#include <atomic>
#include <set>
#include <thread>

#include "tests/unit/wire/verifier_fixture.h"

using namespace zell;
using namespace zell::testing;

// ---- Votes

TEST_CASE_METHOD(VerifierFixture, "a vote counts only if its own signer signed it") {
  const auto good = cluster.vote(Phase::lock, {1}, log.end(), {2});
  CHECK(code(good) == "ok");
  CHECK(verifier.check_vote(good).ok());
  auto bad = good;
  bad.signer = {1};
  CHECK(code(bad) == "bad-signature");
  bad = good;
  bad.signer = {4};
  CHECK(code(bad) == "bad-signature");
  bad = good;
  bad.phase = Phase::final;
  CHECK(code(bad) == "bad-signature");
  bad = good;
  bad.view = {2};
  CHECK(code(bad) == "bad-signature");
  bad = good;
  bad.point.index = {1};
  CHECK(code(bad) == "bad-signature");
}

TEST_CASE_METHOD(VerifierFixture, "a vote with a flipped v or a high s is refused") {
  auto vote = cluster.vote(Phase::lock, {1}, log.end(), {2});
  const auto good = vote.signature;
  vote.signature = flipped_v(good);
  CHECK(code(vote) == "bad-signature");
  vote.signature = high_s(good);
  CHECK(code(vote) == "bad-signature");
  vote.signature = high_s(high_s(good));
  CHECK(code(vote) == "ok");
  vote.signature.bytes[64] = 0;
  CHECK(code(vote) == "bad-signature");
  vote.signature = {};
  CHECK(code(vote) == "bad-signature");
}

// ---- Certificates

TEST_CASE_METHOD(VerifierFixture, "a certificate needs more than two thirds of the stake") {
  CHECK(code(CertificateMessage{cluster.certificate(Phase::lock, {0}, log.end(), {0, 1, 2})}) == "ok");
  CHECK(code(CertificateMessage{cluster.certificate(Phase::final, {0}, log.end(), {0, 1, 2, 3})}) == "ok");
  CHECK(code(CertificateMessage{cluster.certificate(Phase::lock, {0}, log.end(), {0, 1})}) == "bad-certificate");
  CHECK(code(CertificateMessage{cluster.certificate(Phase::lock, {0}, log.end(), {})}) == "bad-certificate");
}

TEST_CASE_METHOD(VerifierFixture, "the empty log is neither voted for nor certified") {
  const LogPoint nothing{{0}, empty_root()};
  for (auto phase : {Phase::lock, Phase::final}) {
    CHECK(code(CertificateMessage{cluster.certificate(phase, {0}, nothing)}) == "bad-certificate");
    CHECK(code(cluster.vote(phase, {0}, nothing, {1})) == "bad-vote");
  }
}

TEST_CASE("stake, not the number of members, makes a certificate") {
  const TestCluster cluster({3, 1, 1, 1});
  const Verifier verifier(cluster.genesis, TestCluster::scheme(), nullptr);
  const LogPoint point{{1}, {}};
  CHECK(verifier.check_certificate(cluster.certificate(Phase::lock, {0}, point, {0, 1, 2})).ok());
  CHECK_FALSE(verifier.check_certificate(cluster.certificate(Phase::lock, {0}, point, {0, 1})).ok());
  CHECK_FALSE(verifier.check_certificate(cluster.certificate(Phase::lock, {0}, point, {1, 2, 3})).ok());
}

TEST_CASE_METHOD(VerifierFixture, "a certificate's signers are distinct members in order") {
  CHECK_FALSE(verifier.check_certificate(cluster.certificate(Phase::lock, {0}, log.end(), {0, 1, 1})).ok());
  CHECK_FALSE(verifier.check_certificate(cluster.certificate(Phase::lock, {0}, log.end(), {0, 2, 1})).ok());
  auto outside = cluster.certificate(Phase::lock, {0}, log.end(), {0, 1, 2});
  outside.signatures.push_back({{4}, outside.signatures[0].signature});
  CHECK_FALSE(verifier.check_certificate(outside).ok());
}

TEST_CASE_METHOD(VerifierFixture, "one bad signature spoils a certificate, even beside one that was seen good") {
  const auto good = cluster.certificate(Phase::lock, {0}, log.end());
  CHECK(verifier.check_certificate(good).ok());
  CHECK(verifier.check_certificate(good).ok());
  for (std::size_t i = 0; i < 3; ++i) {
    auto bad = good;
    bad.signatures[i].signature = flipped_v(bad.signatures[i].signature);
    CHECK_FALSE(verifier.check_certificate(bad).ok());
    bad.signatures[i].signature = high_s(good.signatures[i].signature);
    CHECK_FALSE(verifier.check_certificate(bad).ok());
  }
  auto other = good;
  other.phase = Phase::final;
  CHECK_FALSE(verifier.check_certificate(other).ok());
  other = good;
  other.view = {1};
  CHECK_FALSE(verifier.check_certificate(other).ok());
  other = good;
  other.point = log.at(3);
  CHECK_FALSE(verifier.check_certificate(other).ok());
  other = good;
  other.phase = {};
  CHECK_FALSE(verifier.check_certificate(other).ok());
}

TEST_CASE_METHOD(VerifierFixture,
                 "what a node signed is not checked when it comes back in a certificate, all else is") {
  auto good = cluster.certificate(Phase::lock, {0}, log.end());
  // A signature that no check would let through: so it is seen that there was none.
  auto& own = good.signatures[1];
  own.signature = flipped_v(own.signature);
  CHECK_FALSE(verifier.check_certificate(good).ok());
  verifier.remember_own({Phase::lock, {0}, log.end(), own.node, own.signature});
  CHECK(verifier.check_certificate(good).ok());

  // It stands for that vote alone, and for that member.
  auto other = good;
  other.view = {1};
  CHECK_FALSE(verifier.check_certificate(other).ok());
  other = good;
  other.phase = Phase::final;
  CHECK_FALSE(verifier.check_certificate(other).ok());
  other = good;
  other.signatures[2].signature = own.signature;
  CHECK_FALSE(verifier.check_certificate(other).ok());
  other = good;
  other.signatures[0].signature = flipped_v(other.signatures[0].signature);
  CHECK_FALSE(verifier.check_certificate(other).ok());
}

// ---- Requests

TEST_CASE_METHOD(VerifierFixture, "a Forward is refused for one bad request") {
  CHECK(code(Forward{{log.request(1), log.request(2)}}) == "ok");
  CHECK(code(Forward{{}}) == "ok");
  CHECK(code(Forward{{log.request(1), cluster.unsigned_request(2)}}) == "bad-signature");
  CHECK(code(Forward{{cluster.request(1, "No")}}) == "bad-app");
  CHECK(code(Forward{{cluster.request(1, "")}}) == "bad-app");
  CHECK(code(Forward{{cluster.request(1, std::string(33, 'a'))}}) == "bad-app");
  CHECK(code(Forward{{cluster.request(1, "default", {})}}) == "no-payloads");
  CHECK(code(Forward{{cluster.request(1, "default", {Bytes(1'024)})}}) == "request-too-large");
  CHECK(code(Forward{{cluster.request(1, "default", std::vector<Bytes>(4'097))}}) == "too-many-payloads");
  CHECK(code(Forward{Requests(max_requests_in_forward + 1, log.request(1))}) == "too-many-requests");
}

TEST_CASE_METHOD(VerifierFixture, "a request's signature is for its own cluster, sender and content, low-s") {
  auto check = [&](Request request) { return verifier.check(shared(std::move(request))).ok(); };
  const auto good = cluster.request(77);
  CHECK(check(changed(good)));
  TestCluster elsewhere({1, 1, 1});
  const auto foreign =
      sign_request(elsewhere.domain, TestCluster::scheme(), cluster.user, "default", 77, std::vector<Bytes>{{1, 2, 3}});
  Reader in(foreign->canonical);
  CHECK_FALSE(check(*read_request(in, cluster.domain, UINT32_MAX)));
  Signature whole;
  std::copy(good->signature.bytes.begin(), good->signature.bytes.end(), whole.bytes.begin());
  whole.bytes[64] = 27;
  CHECK_FALSE(check(*make_request(cluster.domain, "default", 77, good->sender, std::vector<Bytes>{{1, 2, 3}},
                                  compact(high_s(whole)))));
  CHECK_FALSE(check(
      *make_request(cluster.domain, "default", 78, good->sender, std::vector<Bytes>{{1, 2, 3}}, good->signature)));
  CHECK_FALSE(check(*make_request(cluster.domain, "default", 77, cluster.genesis.members[0].key,
                                  std::vector<Bytes>{{1, 2, 3}}, good->signature)));
  CHECK_FALSE(
      check(*make_request(cluster.domain, "default", 77, PublicKey{}, std::vector<Bytes>{{1, 2, 3}}, good->signature)));
}

TEST_CASE_METHOD(VerifierFixture, "a remembered request is checked once, but its payloads always") {
  const auto request = cluster.request(500);
  CHECK_FALSE(cache->contains(*request));
  CHECK(verifier.check(request).ok());
  CHECK(cache->contains(*request));
  auto tampered = changed(request);
  tampered.canonical.back() ^= 1;
  auto status = verifier.check(shared(tampered));
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == "bad-payloads-root");
  auto resigned = changed(request);
  resigned.signature.bytes[5] ^= 1;
  CHECK_FALSE(cache->contains(resigned));
  CHECK_FALSE(verifier.check(shared(resigned)).ok());
  CHECK_FALSE(cache->contains(*cluster.unsigned_request(9)));
}

TEST_CASE_METHOD(VerifierFixture,
                 "a remembered request that comes again is not decoded again, and one that differs in a byte is") {
  const DecodeContext context{cluster.domain, cluster.genesis.parameters, cluster.genesis.size(), cache.get()};
  const auto decode = [&](const Bytes& frame) {
    const auto message = decode_message(frame, context);
    REQUIRE(message.ok());
    return std::get<Forward>(*message).requests.at(0);
  };
  const auto request = cluster.request(500);
  auto frame = encode_message(Forward{{request}}, Epoch{});
  CHECK(decode(frame) != decode(frame));
  REQUIRE(verifier.check(request).ok());
  CHECK(decode(frame) == request);
  frame.back() ^= 1;  // of its payload
  const auto tampered = decode(frame);
  CHECK(tampered != request);
  CHECK(tampered->canonical != request->canonical);
  CHECK_FALSE(verifier.check(tampered).ok());
}

TEST_CASE("the request cache holds no more bytes than it may, and large requests that are new") {
  const TestCluster cluster;
  const auto cache = make_request_cache(1'000, 10'000);
  std::vector<RequestPtr> requests;
  for (std::uint64_t nonce = 0; nonce < 40; ++nonce) {
    requests.push_back(cluster.request(nonce, "default", {Bytes(1'000)}));
    cache->remember(requests.back());
    CHECK(cache->contains(*requests.back()));
  }
  const auto held = std::count_if(requests.begin(), requests.end(), [&](const auto& r) { return cache->contains(*r); });
  CHECK(held >= 9);
  CHECK(held <= 18);
}

TEST_CASE("the request cache keeps the newest, is bounded, and may be used by many threads") {
  const TestCluster cluster;
  std::vector<RequestPtr> requests;
  for (std::uint64_t nonce = 0; nonce < 40; ++nonce) requests.push_back(cluster.request(nonce));
  const auto cache = make_request_cache(10);
  for (const auto& request : requests) {
    cache->remember(request);
    CHECK(cache->contains(*request));
  }
  for (std::size_t i = 30; i < 40; ++i) CHECK(cache->contains(*requests[i]));
  for (std::size_t i = 0; i < 20; ++i) CHECK_FALSE(cache->contains(*requests[i]));

  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        for (const auto& request : requests) {
          cache->remember(request);
          (void)cache->contains(*request);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

// ---- Proposals

TEST_CASE_METHOD(VerifierFixture, "a proposal is signed by its view's leader") {
  CHECK(code(proposal({0}, 1, 4)) == "ok");
  CHECK(code(proposal({5}, 4, 4)) == "ok");
  auto bad = proposal({0}, 1, 4);
  bad.header.signature = cluster.sign({1}, proposal_digest(cluster.domain, bad.header));
  CHECK(code(bad) == "bad-signature");
  bad = proposal({0}, 1, 4);
  bad.header.signature = flipped_v(bad.header.signature);
  CHECK(code(bad) == "bad-signature");
  bad = proposal({0}, 1, 4);
  bad.header.view = {4};
  CHECK(code(bad) == "bad-signature");
  bad = proposal({0}, 1, 4);
  bad.header.end.root = {};
  CHECK(code(bad) == "bad-signature");
}

TEST_CASE_METHOD(VerifierFixture, "a proposal holds what its header spans, within a batch's bounds") {
  auto bad = proposal({0}, 1, 4);
  bad.requests = log.requests(1, 3);
  CHECK(code(bad) == "bad-proposal");
  bad.requests = nullptr;
  CHECK(code(bad) == "bad-proposal");
  auto header = log.header({0}, 1, 4);
  header.first = {5};
  CHECK(code(Proposal{cluster.signed_header(header), std::make_shared<const Requests>(), {}, {}, {}}) ==
        "bad-proposal");
  header.first = {0};
  CHECK(code(Proposal{cluster.signed_header(header), log.requests(1, 5), {}, {}, {}}) == "bad-proposal");
  CHECK(code(proposal_of(Requests(64, log.request(1)))) == "ok");
  CHECK(code(proposal_of(Requests(65, log.request(1)))) == "bad-proposal");
  const auto large = cluster.request(1, "default", {Bytes(8'000)});
  CHECK(code(proposal_of(Requests(8, large))) == "ok");
  CHECK(code(proposal_of(Requests(9, large))) == "bad-proposal");
}

TEST_CASE_METHOD(VerifierFixture, "the first request of a proposal that is bad is pointed out, not refused") {
  CHECK_FALSE(first_bad({log.request(1), log.request(2)}));
  CHECK(first_bad({log.request(1), cluster.unsigned_request(2)}) == 1u);
  CHECK(first_bad({cluster.unsigned_request(1), cluster.unsigned_request(2)}) == 0u);
  CHECK(first_bad({log.request(1), cluster.request(9, "BAD")}) == 1u);
  CHECK(first_bad({log.request(1), log.request(2), cluster.request(9, "default", {})}) == 2u);
  CHECK(first_bad({cluster.request(9, "default", {Bytes(1'024)})}) == 0u);
  // A claim that came with the message counts for nothing.
  auto liar = proposal({0}, 1, 4);
  liar.first_bad = 2;
  CHECK_FALSE(std::get<Proposal>((*verifier.check(liar))->get()).first_bad);
}

TEST_CASE_METHOD(VerifierFixture, "a member checks the signatures that are its share, and the form of every request") {
  const auto found_by = [&](std::uint16_t receiver, const RequestPtr& request) {
    const auto out = verifier.check(proposal_of({request}), NodeId{receiver});
    REQUIRE(out.ok());
    return std::get<Proposal>((*out)->get()).first_bad.has_value();
  };
  std::set<std::uint16_t> not_found_by;
  for (std::uint64_t nonce = 1; nonce <= 32; ++nonce) {
    const auto bad = cluster.unsigned_request(nonce);
    MemberSet found;
    for (std::uint16_t receiver = 0; receiver < 4; ++receiver) {
      found[receiver] = found_by(receiver, bad);
      if (!found[receiver]) not_found_by.insert(receiver);
      CHECK_FALSE(found_by(receiver, cluster.request(nonce)));
      CHECK(found_by(receiver, cluster.request(nonce, "BAD")));
    }
    CHECK(found.count() == 3);
    CHECK(found[0]);
  }
  CHECK(not_found_by == std::set<std::uint16_t>{1, 2, 3});
}

TEST_CASE_METHOD(VerifierFixture, "a signature that a member did not check is not remembered as good") {
  for (std::uint64_t nonce = 1; nonce <= 8; ++nonce) {
    const auto bad = cluster.unsigned_request(nonce);
    for (std::uint16_t receiver = 0; receiver < 4; ++receiver)
      (void)verifier.check(proposal_of({bad}), NodeId{receiver});
    CHECK(code(Forward{{bad}}) == "bad-signature");
    CHECK(first_bad({bad}) == 0u);
  }
}

TEST_CASE_METHOD(VerifierFixture, "payloads that are not their header's are refused, and not held against the leader") {
  auto tampered = changed(log.request(2));
  tampered.canonical.back() ^= 1;
  auto sent = proposal({0}, 1, 4);
  sent.requests =
      std::make_shared<const Requests>(Requests{log.request(1), shared(tampered), log.request(3), log.request(4)});
  CHECK(code(sent) == "bad-bodies");
  // Nor is a size that only the changed payloads have.
  tampered.canonical.insert(tampered.canonical.end(), 2'000, 0);
  const auto grown = make_request(cluster.domain, "default", 2, log.request(2)->sender,
                                  std::vector<Bytes>{Bytes(2'000)}, log.request(2)->signature);
  tampered.canonical.assign(log.request(2)->header().begin(), log.request(2)->header().end());
  tampered.canonical.insert(tampered.canonical.end(), grown->body().begin(), grown->body().end());
  sent.requests =
      std::make_shared<const Requests>(Requests{log.request(1), shared(tampered), log.request(3), log.request(4)});
  CHECK(code(sent) == "bad-bodies");
}

TEST_CASE_METHOD(VerifierFixture, "certificates that ride along are checked, and an FC is a FINAL one") {
  const auto lc = cluster.certificate(Phase::lock, {0}, log.end());
  const auto fc = cluster.certificate(Phase::final, {0}, log.end());
  auto broken = lc;
  broken.signatures[1].signature = {};
  auto with = [&](std::optional<Certificate> lock, std::optional<Certificate> final) {
    auto sent = proposal({0}, 1, 4);
    sent.lc = lock;
    sent.fc = final;
    Heartbeat beat{{0}, log.end(), 1, {}, lock, final};
    beat.signature = cluster.sign({0}, heartbeat_digest(cluster.domain, beat.view, beat.tip, beat.counter));
    CHECK(code(sent) == code(beat));
    return code(sent);
  };
  CHECK(with(lc, fc) == "ok");
  CHECK(with(fc, std::nullopt) == "ok");
  CHECK(with(lc, lc) == "bad-certificate");
  CHECK(with(broken, fc) == "bad-certificate");
}

TEST_CASE_METHOD(VerifierFixture, "a heartbeat is signed by its view's leader, over tip and counter") {
  Heartbeat good{{2}, log.end(), 7, {}, {}, {}};
  good.signature = cluster.sign({2}, heartbeat_digest(cluster.domain, good.view, good.tip, good.counter));
  CHECK(code(good) == "ok");
  auto bad = good;
  bad.counter = 8;
  CHECK(code(bad) == "bad-signature");
  bad = good;
  bad.view = {6};
  CHECK(code(bad) == "bad-signature");
  bad = good;
  bad.tip = log.at(1);
  CHECK(code(bad) == "bad-signature");
  bad = good;
  bad.signature = cluster.sign({1}, heartbeat_digest(cluster.domain, good.view, good.tip, good.counter));
  CHECK(code(bad) == "bad-signature");
}

TEST_CASE_METHOD(VerifierFixture, "many threads may check at once, and agree") {
  const auto good = cluster.certificate(Phase::lock, {0}, log.end());
  auto bad = good;
  bad.signatures[2].signature = flipped_v(bad.signatures[2].signature);
  const auto sent = proposal({0}, 1, 12);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        if (!verifier.check_certificate(good).ok() || verifier.check_certificate(bad).ok()) ++wrong;
        if (!verifier.check(sent).ok()) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}
