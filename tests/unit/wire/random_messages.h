#pragma once
// Seeded messages of every kind, for round trips and for the fuzzers' corpus: well-formed, but signed by nobody.

#include <bit>

#include "node/base/prng.h"
#include "node/wire/codec.h"
#include "node/wire/request_codec.h"

namespace zell::testing {

/// Seven members and small limits, so that bounds are near.
inline DecodeContext small_context() {
  DecodeContext out;
  out.domain.cluster.bytes.fill(0xc1);
  out.domain.separator.bytes.fill(0x5e);
  out.parameters.batch_max_requests = 16;
  out.parameters.batch_max_bytes = 4 << 10;
  out.parameters.request_max_bytes = 1 << 10;
  out.member_count = 7;
  return out;
}

class RandomMessages {
 public:
  RandomMessages(std::uint64_t seed, const DecodeContext& context) : prng_(seed), context_(context) {}

  Message message() { return message(below(std::variant_size_v<Message>)); }
  /// Of the kind that Message has at `kind`.
  Message message(std::size_t kind) {
    switch (kind) {
      case 0:
        return Forward{requests(below(6))};
      case 1:
        return proposal();
      case 2:
        return vote();
      case 3:
        return CertificateMessage{certificate()};
      case 4:
        return heartbeat();
      case 5:
        return challenge();
      case 6:
        return challenge_certificate();
      case 7:
        return view_change();
      case 8:
        return new_view();
      case 9:
        return Fetch{static_cast<Fetch::Kind>(1 + below(3)), view(), index(), point()};
      case 10:
        return chunk();
      case 11:
        return ViewQuery{fixed<Nonce32>()};
      case 12:
        return ViewAnswer{node(), view(), fixed<Nonce32>(), fixed<Signature>()};
      default:
        return Conflict{certificate(), certificate(), fixed<Hash>(), hashes()};
    }
  }

  Evidence evidence() { return evidence(below(std::variant_size_v<Evidence>)); }
  Evidence evidence(std::size_t kind) {
    switch (kind) {
      case 0:
        return TwoProposals{header(1), header(3), hashes(), point()};
      case 1:
        return TwoVotes{vote(), vote(), hashes(), fixed<Hash>()};
      case 2:
        return HiddenLock{vote(), signed_change()};
      default:
        return invalid_proposal();
    }
  }

  DurableState durable_state() {
    DurableState out;
    out.epoch = {static_cast<std::uint32_t>(below(9))};
    out.standing = static_cast<Standing>(1 + below(3));
    out.view = view();
    out.active = coin();
    out.base = point();
    out.rejoin_view = view();
    if (coin()) out.last_lock = point();
    if (coin()) out.last_final = point();
    if (coin()) out.highest_lc = certificate();
    out.tip = point();
    return out;
  }

  RequestPtr request() {
    std::vector<Bytes> payloads(1 + below(3));
    for (auto& payload : payloads) payload = bytes(below(40));
    return make_request(context_.domain, coin() ? "default" : "orders", prng_.next(), fixed<PublicKey>(), payloads,
                        fixed<CompactSignature>());
  }

  Certificate certificate() {
    Certificate out{static_cast<Phase>(1 + below(2)), view(), point(), {}};
    for (auto member : members()) out.signatures.push_back({member, fixed<Signature>()});
    return out;
  }

  BatchPtr batch() {
    auto out = std::make_shared<Batch>();
    const auto count = 1 + below(4);
    out->header = header(count);
    out->requests = std::make_shared<const Requests>(requests(count));
    for (const auto& each : *out->requests) out->request_bytes += static_cast<std::uint32_t>(each->canonical.size());
    return out;
  }

  std::uint64_t below(std::uint64_t bound) { return prng_.below(bound); }

 private:
  bool coin() { return below(2) == 1; }
  View view() { return {coin() ? below(10) : prng_.next()}; }
  Index index() { return {below(1'000)}; }
  LogPoint point() { return {index(), fixed<Hash>()}; }
  NodeId node() { return {static_cast<std::uint16_t>(below(context_.member_count))}; }
  template <class Fixed>
  Fixed fixed() {
    Fixed out;
    for (auto& byte : out.bytes) byte = static_cast<std::uint8_t>(prng_.next());
    return out;
  }
  Bytes bytes(std::size_t size) {
    Bytes out(size);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(prng_.next());
    return out;
  }
  std::vector<Hash> hashes(std::size_t count) {
    std::vector<Hash> out(count);
    for (auto& hash : out) hash = fixed<Hash>();
    return out;
  }
  std::vector<Hash> hashes() { return hashes(below(5)); }
  std::vector<NodeId> members() {
    std::vector<NodeId> out;
    for (std::uint16_t i = 0; i < context_.member_count; ++i) {
      if (coin()) out.push_back({i});
    }
    return out;
  }
  Requests requests(std::size_t count) {
    Requests out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(request());
    return out;
  }
  std::optional<Certificate> maybe_certificate() {
    if (coin()) return std::nullopt;
    return certificate();
  }

  ProposalHeader header(std::uint64_t count) {
    const std::uint64_t first = 1 + below(1'000);
    return {view(), {first}, fixed<Hash>(), {{first + count - 1}, fixed<Hash>()}, fixed<Signature>()};
  }
  Vote vote() { return {static_cast<Phase>(1 + below(2)), view(), point(), node(), fixed<Signature>()}; }
  Lock lock() { return {view(), point()}; }
  SignedViewChange signed_change() { return {node(), view(), lock(), fixed<Signature>()}; }
  SignedChallenge signed_challenge() { return {node(), view(), static_cast<Reason>(1 + below(6)), fixed<Signature>()}; }

  Message proposal() {
    const auto from = batch();
    return Proposal{from->header, from->requests, maybe_certificate(), maybe_certificate(), std::nullopt};
  }
  Message heartbeat() {
    return Heartbeat{view(), point(), prng_.next(), fixed<Signature>(), maybe_certificate(), maybe_certificate()};
  }
  Message challenge() {
    return Challenge{signed_challenge(), coin() ? std::make_shared<const Evidence>(evidence()) : nullptr,
                     requests(below(3))};
  }
  Message challenge_certificate() {
    ChallengeCertificate out;
    for (auto member : members()) {
      out.challenges.push_back(signed_challenge());
      out.challenges.back().node = member;
    }
    return out;
  }
  Message view_change() { return ViewChange{signed_change(), maybe_certificate(), maybe_certificate()}; }
  Message new_view() {
    NewView out{view(), lock(), maybe_certificate(), {}, fixed<Signature>()};
    for (auto member : members()) {
      out.changes.push_back(signed_change());
      out.changes.back().node = member;
    }
    return out;
  }
  Message chunk() {
    Chunk out{index(), {}, maybe_certificate()};
    for (auto left = below(4); left > 0; --left) out.batches.push_back(batch());
    return out;
  }
  Evidence invalid_proposal() {
    const auto from = batch();
    InvalidProposal out;
    out.header = from->header;
    out.requests = from->requests;
    const auto size = below(64);
    out.parent = CompactRange(size, hashes(static_cast<std::size_t>(std::popcount(size))));
    out.position = static_cast<std::uint32_t>(below(4));
    if (coin()) {
      out.earlier = request();
      out.earlier_index = index();
      out.earlier_proof = hashes();
    }
    return out;
  }

  Prng prng_;
  DecodeContext context_;
};

}  // namespace zell::testing
