// Decoding and checking what comes over the network, and votes.

#include "node/base/check.h"
#include "node/wire/codec.h"
#include "node/wire/verifier.h"
#include "tests/bench/made_up_log.h"
#include "tests/bench/piece.h"

namespace zell::bench {
namespace {

constexpr std::size_t batch_count = 256;
const NodeId follower{1};

const Parameters& parameters() {
  return four_members().parameters;
}

Run decode_request(std::size_t payloads) {
  auto bytes = unsigned_request(1, payloads)->canonical;
  return [bytes] {
    Reader in(bytes);
    auto request = read_request(in, four_members_domain(), parameters().request_max_bytes);
    ZELL_CHECK(request && check_request_form(*request, parameters()).ok());
    keep(request->id.bytes[0]);
  };
}

Proposal made_up_proposal(RequestPtr (*make)(std::uint64_t, std::size_t)) {
  Requests requests;
  for (std::uint64_t i = 1; i <= batch_count; ++i) requests.push_back(make(i, 1));
  CompactRange range;
  auto batch = extend(range, std::move(requests));
  return {batch->header, batch->requests, {}, {}, {}};
}

/// As a follower that has seen every request before: forwarded, or submitted to it.
Run check_proposal() {
  auto cache = std::shared_ptr<RequestCache>(make_request_cache(1'024));
  auto verifier = std::make_shared<Verifier>(four_members(), secp256k1_scheme(), cache.get());
  auto proposal = made_up_proposal(signed_request);
  for (const auto& request : *proposal.requests) ZELL_CHECK(verifier->check(request).ok());
  return [cache, verifier, proposal] {
    auto checked = verifier->check(proposal, follower);
    ZELL_CHECK(checked.ok() && !std::get<Proposal>((*checked)->get()).first_bad);
  };
}

Run encode_proposal() {
  Message proposal = made_up_proposal(unsigned_request);
  return [proposal] { keep(encode_message(proposal, {}).size()); };
}

Run decode_proposal() {
  auto bytes = encode_message(made_up_proposal(unsigned_request), {});
  DecodeContext context{four_members_domain(), parameters(), four_members().size()};
  return [bytes, context] { ZELL_CHECK(decode_message(bytes, context).ok()); };
}

Run one_vote() {
  auto verifier = std::make_shared<Verifier>(four_members(), secp256k1_scheme(), nullptr);
  auto secret = dev_secret_key(1, "n2");
  return [verifier, secret, index = std::uint64_t{0}]() mutable {
    Message vote = Vote{Phase::lock, {}, {{++index}, {}}, follower, {}};
    vote = sign_message(std::move(vote), follower, secret, secp256k1_scheme(), verifier->domain());
    ZELL_CHECK(verifier->check_vote(std::get<Vote>(vote)).ok());
  };
}

}  // namespace

std::vector<Piece> wire_pieces() {
  return {
      {"decode and check form, one payload", "request", 1, 2'000, [] { return decode_request(1); }},
      {"decode and check form, bundle of 100", "bundle", 1, 50, [] { return decode_request(100); }},
      {"encode a proposal of 256", "request", batch_count, 50, encode_proposal},
      {"decode a proposal of 256", "request", batch_count, 8, decode_proposal},
      {"check a proposal of 256 known ones", "request", batch_count, 8, check_proposal},
      {"sign and check a vote", "vote", 1, 50, one_vote},
  };
}

}  // namespace zell::bench
