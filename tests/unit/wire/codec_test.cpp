// The wire and store formats: one encoding a value, every bound kept, nothing believed before it is counted.

#include <catch2/catch.hpp>
#include <iostream>

#include "tests/unit/wire/random_messages.h"

using namespace zell;
using zell::testing::RandomMessages;
using zell::testing::small_context;

namespace {

constexpr std::uint64_t seed = 20'261'122;
constexpr std::size_t kinds = std::variant_size_v<Message>;
constexpr std::size_t frame_header_bytes = 1 + 1 + 4;

const DecodeContext context = small_context();

std::string code_of(const Bytes& bytes) {
  auto out = decode_message(bytes, context);
  return out.ok() ? "ok" : out.error().code;
}

Bytes encoded(const Message& message) {
  return encode_message(message, context.domain.epoch);
}

/// A message of one kind as bytes, all its fields as `body` writes them.
template <class Body>
Bytes by_hand(std::uint8_t type, Body body) {
  Writer out;
  out.u8(wire_version);
  out.u8(type);
  out.u32(0);
  body(out);
  return out.take();
}

void zeros(Writer& out, std::size_t count) {
  out.raw(Bytes(count));
}

Certificate certificate_by(std::vector<std::uint16_t> nodes) {
  Certificate out{Phase::lock, {1}, {{5}, {}}, {}};
  for (auto node : nodes) out.signatures.push_back({{node}, {}});
  return out;
}

}  // namespace

TEST_CASE("every message survives a round trip, and has one encoding only") {
  INFO("seed " << seed);
  RandomMessages random(seed, context);
  for (std::size_t i = 0; i < 100 * kinds; ++i) {
    const auto message = random.message(i % kinds);
    const auto bytes = encoded(message);
    const auto decoded = decode_message(bytes, context);
    INFO("message " << i << ", a " << name_of(message));
    REQUIRE(decoded.ok());
    CHECK(decoded->index() == message.index());
    CHECK(encoded(*decoded) == bytes);
  }
}

TEST_CASE("what is decoded is what was encoded") {
  INFO("seed " << seed);
  RandomMessages random(seed + 1, context);
  for (int i = 0; i < 50; ++i) {
    const auto sent = std::get<Proposal>(random.message(1));
    const auto bytes = encoded(sent);
    const auto message = decode_message(bytes, context);
    REQUIRE(message.ok());
    const auto& got = std::get<Proposal>(*message);
    CHECK(got.header == sent.header);
    CHECK(got.lc == sent.lc);
    CHECK(got.fc == sent.fc);
    REQUIRE(got.requests->size() == sent.requests->size());
    for (std::size_t k = 0; k < got.requests->size(); ++k) {
      const auto& a = *(*got.requests)[k];
      const auto& b = *(*sent.requests)[k];
      CHECK(a.canonical == b.canonical);
      CHECK(a.header_bytes == b.header_bytes);
      CHECK(a.app == b.app);
      CHECK(a.nonce == b.nonce);
      CHECK(a.id == b.id);
      CHECK(a.leaf == b.leaf);
      CHECK(a.signature == b.signature);
      CHECK(a.payloads_root == b.payloads_root);
    }
    const auto change = std::get<ViewChange>(random.message(7));
    CHECK(std::get<ViewChange>(*decode_message(encoded(change), context)).signed_part == change.signed_part);
    const auto vote = random.message(2);
    CHECK(std::get<Vote>(*decode_message(encoded(vote), context)) == std::get<Vote>(vote));
  }
}

TEST_CASE("every truncation of a message, and every byte too many, is refused") {
  INFO("seed " << seed);
  RandomMessages random(seed + 2, context);
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    auto bytes = encoded(random.message(kind));
    INFO("kind " << kind);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      if (code_of(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))) != "bad-message") {
        FAIL("cut to " << size << " of " << bytes.size());
      }
    }
    bytes.push_back(0);
    CHECK(code_of(bytes) == "bad-message");
  }
}

TEST_CASE("a changed byte is refused or gives another message, never the same one") {
  INFO("seed " << seed);
  RandomMessages random(seed + 3, context);
  for (std::size_t i = 0; i < 40 * kinds; ++i) {
    auto bytes = encoded(random.message(i % kinds));
    bytes[random.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
    const auto decoded = decode_message(bytes, context);
    if (decoded.ok()) CHECK(encoded(*decoded) == bytes);
  }
}

TEST_CASE("another wire version, type or epoch is refused by its own code") {
  RandomMessages random(seed, context);
  auto bytes = encoded(random.message(2));
  CHECK(code_of(bytes) == "ok");
  bytes[0] = 2;
  CHECK(code_of(bytes) == "wrong-version");
  bytes[0] = wire_version;
  bytes[1] = 0;
  CHECK(code_of(bytes) == "unknown-type");
  bytes[1] = static_cast<std::uint8_t>(kinds + 1);
  CHECK(code_of(bytes) == "unknown-type");
  bytes[1] = 3;
  bytes[5] = 1;
  CHECK(code_of(bytes) == "wrong-epoch");
  CHECK(code_of(encode_message(random.message(2), {1})) == "wrong-epoch");
}

TEST_CASE("a message longer than a frame is refused unread") {
  CHECK(code_of(Bytes(max_frame_bytes + 1, 1)) == "bad-message");
}

TEST_CASE("a member outside the cluster is refused wherever one is named") {
  RandomMessages random(seed, context);
  const std::uint16_t outside = static_cast<std::uint16_t>(context.member_count);
  auto vote = std::get<Vote>(random.message(2));
  vote.signer = {outside};
  CHECK(code_of(encoded(vote)) == "bad-message");
  auto change = std::get<ViewChange>(random.message(7));
  change.signed_part.node = {outside};
  CHECK(code_of(encoded(change)) == "bad-message");
  auto answer = std::get<ViewAnswer>(random.message(12));
  answer.node = {outside};
  CHECK(code_of(encoded(answer)) == "bad-message");
  CHECK(code_of(encoded(CertificateMessage{certificate_by({0, outside})})) == "bad-message");
  CHECK(code_of(encoded(CertificateMessage{certificate_by({0, 6})})) == "ok");
}

TEST_CASE("lists by member are in member order, each member once") {
  CHECK(code_of(encoded(CertificateMessage{certificate_by({1, 1})})) == "bad-message");
  CHECK(code_of(encoded(CertificateMessage{certificate_by({2, 1})})) == "bad-message");
  const SignedChallenge by_1{{1}, {1}, Reason::manual, {}}, by_2{{2}, {1}, Reason::manual, {}};
  CHECK(code_of(encoded(ChallengeCertificate{{by_1, by_2}})) == "ok");
  CHECK(code_of(encoded(ChallengeCertificate{{by_2, by_1}})) == "bad-message");
  CHECK(code_of(encoded(ChallengeCertificate{{by_1, by_1}})) == "bad-message");
  const SignedViewChange change_1{{1}, {1}, {}, {}}, change_2{{2}, {1}, {}, {}};
  CHECK(code_of(encoded(NewView{{1}, {}, {}, {change_1, change_2}, {}})) == "ok");
  CHECK(code_of(encoded(NewView{{1}, {}, {}, {change_2, change_1}, {}})) == "bad-message");
  CHECK(code_of(encoded(NewView{{1}, {}, {}, {change_1, change_1}, {}})) == "bad-message");
}

TEST_CASE("unknown values of an enumeration and of a flag are refused") {
  RandomMessages random(seed, context);
  const auto with = [](Bytes bytes, std::size_t at, std::uint8_t value) {
    bytes[frame_header_bytes + at] = value;
    return code_of(bytes);
  };
  const auto vote = encoded(random.message(2));
  CHECK(with(vote, 0, 0) == "bad-message");
  CHECK(with(vote, 0, 3) == "bad-message");
  const auto fetch = encoded(random.message(9));
  CHECK(with(fetch, 0, 0) == "bad-message");
  CHECK(with(fetch, 0, 4) == "bad-message");
  const auto challenge = encoded(Challenge{{{1}, {1}, Reason::manual, {}}, nullptr, {}});
  CHECK(with(challenge, 2 + 8, 0) == "bad-message");
  CHECK(with(challenge, 2 + 8, 7) == "bad-message");
  CHECK(with(challenge, 2 + 8 + 1 + 65, 2) == "bad-message");
  const auto heartbeat = encoded(Heartbeat{});
  CHECK(with(heartbeat, 8 + 40 + 8 + 65, 0) == "ok");
  CHECK(with(heartbeat, 8 + 40 + 8 + 65, 2) == "bad-message");
}

TEST_CASE("a count that the rest of the message cannot hold is refused before anything is allocated") {
  constexpr std::uint32_t huge = 0xffffffff;
  CHECK(code_of(by_hand(1, [](Writer& out) { out.u32(huge); })) == "bad-message");
  CHECK(code_of(by_hand(2, [](Writer& out) { zeros(out, 8 + 8 + 32 + 40 + 65), out.u32(huge); })) == "bad-message");
  CHECK(code_of(by_hand(4, [](Writer& out) { out.u8(1), zeros(out, 8 + 40), out.u32(huge); })) == "bad-message");
  CHECK(code_of(by_hand(7, [](Writer& out) { out.u32(huge); })) == "bad-message");
  CHECK(code_of(by_hand(9, [](Writer& out) { zeros(out, 8 + 48 + 1), out.u32(huge); })) == "bad-message");
  CHECK(code_of(by_hand(11, [](Writer& out) { zeros(out, 8), out.u32(huge); })) == "bad-message");
}

TEST_CASE("a Forward holds at most its bound of requests") {
  RandomMessages random(seed, context);
  const auto request = random.request();
  CHECK(code_of(encoded(Forward{Requests(max_requests_in_forward, request)})) == "ok");
  CHECK(code_of(encoded(Forward{Requests(max_requests_in_forward + 1, request)})) == "bad-message");
}

TEST_CASE("a Forward holds at most its bound of bytes") {
  const Bytes large(max_loose_request_bytes / 4 - 200);
  const auto request = make_request(context.domain, "default", 1, {}, std::vector<Bytes>{large}, {});
  CHECK(code_of(encoded(Forward{Requests(4, request)})) == "ok");
  CHECK(code_of(encoded(Forward{Requests(5, request)})) == "bad-message");
}

TEST_CASE("a Challenge holds at most its bound of requests") {
  RandomMessages random(seed, context);
  const auto request = random.request();
  const SignedChallenge part{{1}, {1}, Reason::censored, {}};
  CHECK(code_of(encoded(Challenge{part, nullptr, Requests(max_requests_in_challenge, request)})) == "ok");
  CHECK(code_of(encoded(Challenge{part, nullptr, Requests(max_requests_in_challenge + 1, request)})) == "bad-message");
}

TEST_CASE("a batch holds at most the cluster's bounds, and exactly what its header spans") {
  RandomMessages random(seed, context);
  const auto request = make_request(context.domain, "default", 1, {}, std::vector<Bytes>{Bytes(8)}, {});
  const auto proposal = [&](std::size_t count, Index first, Index last) {
    Proposal out;
    out.header.first = first;
    out.header.end.index = last;
    out.requests = std::make_shared<const Requests>(count, request);
    return code_of(encoded(out));
  };
  CHECK(proposal(16, {1}, {16}) == "ok");
  CHECK(proposal(17, {1}, {17}) == "bad-message");
  CHECK(proposal(3, {1}, {4}) == "bad-message");
  CHECK(proposal(3, {0}, {2}) == "bad-message");
  CHECK(proposal(0, {1}, {0}) == "bad-message");
  CHECK(proposal(0, {1}, {1}) == "bad-message");
  CHECK(proposal(1, {UINT64_MAX}, {UINT64_MAX}) == "ok");
  CHECK(proposal(2, {UINT64_MAX}, {0}) == "bad-message");

  Proposal large;
  large.header.first = {1};
  const Bytes third(context.parameters.batch_max_bytes / 3 - 160);
  const auto big = make_request(context.domain, "default", 1, {}, std::vector<Bytes>{third}, {});
  large.header.end.index = {3};
  large.requests = std::make_shared<const Requests>(3, big);
  CHECK(code_of(encoded(large)) == "ok");
  large.header.end.index = {4};
  large.requests = std::make_shared<const Requests>(4, big);
  CHECK(code_of(encoded(large)) == "bad-message");
}

TEST_CASE("proofs hold at most 64 hashes") {
  const auto challenge = [](std::size_t hashes) {
    TwoVotes votes;
    votes.a.phase = votes.b.phase = Phase::final;
    votes.consistency.resize(hashes);
    return code_of(
        encoded(Challenge{{{1}, {1}, Reason::equivocation, {}}, std::make_shared<const Evidence>(votes), {}}));
  };
  CHECK(challenge(max_proof_hashes) == "ok");
  CHECK(challenge(max_proof_hashes + 1) == "bad-message");
}

TEST_CASE("first_bad is not on the wire") {
  RandomMessages random(seed, context);
  auto proposal = std::get<Proposal>(random.message(1));
  const auto bytes = encoded(proposal);
  proposal.first_bad = 0;
  CHECK(encoded(proposal) == bytes);
  CHECK_FALSE(std::get<Proposal>(*decode_message(bytes, context)).first_bad);
}

TEST_CASE("batches, certificates and evidence survive a round trip on their own") {
  INFO("seed " << seed);
  RandomMessages random(seed + 4, context);
  for (std::size_t i = 0; i < 200; ++i) {
    Writer out;
    const auto batch = random.batch();
    const auto certificate = random.certificate();
    const auto evidence = random.evidence(i % std::variant_size_v<Evidence>);
    write_batch(out, *batch);
    write_certificate(out, certificate);
    write_evidence(out, evidence);
    Reader in(out.bytes());
    const auto batch_again = read_batch(in, context);
    REQUIRE(batch_again);
    CHECK(batch_again->header == batch->header);
    CHECK(batch_again->request_bytes == batch->request_bytes);
    CHECK(read_certificate(in, context) == certificate);
    const auto evidence_again = read_evidence(in, context);
    REQUIRE(evidence_again);
    CHECK(in.at_end());
    Writer again;
    write_batch(again, *batch_again);
    write_certificate(again, certificate);
    write_evidence(again, *evidence_again);
    CHECK(again.bytes() == out.bytes());
  }
}

TEST_CASE("damaged batches and evidence are null, and fail their reader") {
  RandomMessages random(seed + 5, context);
  for (std::size_t kind = 0; kind < std::variant_size_v<Evidence>; ++kind) {
    Writer out;
    write_evidence(out, random.evidence(kind));
    Reader in(ByteView(out.bytes()).first(out.size() - 1));
    CHECK_FALSE(read_evidence(in, context));
    CHECK_FALSE(in.ok());
  }
  Writer out;
  write_batch(out, *random.batch());
  Reader in(ByteView(out.bytes()).first(out.size() - 1));
  CHECK_FALSE(read_batch(in, context));
  CHECK_FALSE(in.ok());
  const std::uint8_t unknown_kind[] = {5};
  Reader unknown(unknown_kind);
  CHECK_FALSE(read_evidence(unknown, context));
}

TEST_CASE("the durable state survives a round trip; a truncated or newer one is refused") {
  INFO("seed " << seed);
  RandomMessages random(seed + 6, context);
  for (int i = 0; i < 200; ++i) {
    const auto state = random.durable_state();
    auto bytes = encode_durable_state(state);
    const auto again = decode_durable_state(bytes, context);
    REQUIRE(again.ok());
    CHECK(*again == state);
    const auto cut = decode_durable_state(ByteView(bytes).first(1 + random.below(bytes.size() - 1)), context);
    REQUIRE_FALSE(cut.ok());
    CHECK(cut.error().code == "bad-state");
    bytes.push_back(0);
    CHECK_FALSE(decode_durable_state(bytes, context).ok());
    bytes[0] = 2;
    CHECK(decode_durable_state(bytes, context).error().code == "wrong-version");
  }
  CHECK_FALSE(decode_durable_state({}, context).ok());
}

TEST_CASE("every message has a name and a lane") {
  RandomMessages random(seed, context);
  CHECK(name_of(random.message(1)) == "Proposal");
  CHECK(name_of(random.message(3)) == "Certificate");
  CHECK(name_of(random.message(12)) == "ViewAnswer");
  for (std::size_t kind : {2, 3, 5, 6, 7, 8}) CHECK(lane_of(random.message(kind)) == Lane::urgent);
  for (std::size_t kind : {1, 4}) CHECK(lane_of(random.message(kind)) == Lane::normal);
  CHECK(lane_of(random.message(10)) == Lane::bulk);
}
