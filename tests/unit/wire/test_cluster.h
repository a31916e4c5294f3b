#pragma once
// A cluster whose keys the test holds: makes what its members would sign, and what they never would.

#include <functional>

#include "node/crypto/log_tree.h"
#include "node/wire/request_codec.h"
#include "node/wire/verifier.h"

namespace zell::testing {

class TestCluster {
 public:
  explicit TestCluster(std::vector<std::uint64_t> stakes = {1, 1, 1, 1}) {
    for (std::size_t i = 0; i < stakes.size(); ++i) {
      const auto name = "n" + std::to_string(i + 1);
      secrets.push_back(dev_secret_key(7, name));
      genesis.members.push_back({name, *scheme().public_key(secrets.back()), stakes[i]});
    }
    genesis.parameters.batch_max_bytes = 64 << 10;
    genesis.parameters.batch_max_requests = 64;
    genesis.parameters.request_max_bytes = 1 << 10;
    domain = SigningDomain::of(genesis);
  }

  [[nodiscard]] static const SignatureScheme& scheme() { return secp256k1_scheme(); }
  [[nodiscard]] Signature sign(NodeId node, const Hash& digest) const {
    return scheme().sign(secrets[node.value], digest);
  }

  [[nodiscard]] Vote vote(Phase phase, View view, LogPoint point, NodeId node) const {
    return {phase, view, point, node, sign(node, vote_digest(domain, phase, view, point))};
  }
  [[nodiscard]] Certificate certificate(Phase phase, View view, LogPoint point,
                                        std::vector<std::uint16_t> nodes = {0, 1, 2}) const {
    Certificate out{phase, view, point, {}};
    for (auto node : nodes) out.signatures.push_back({{node}, vote(phase, view, point, {node}).signature});
    return out;
  }
  [[nodiscard]] SignedChallenge challenge(NodeId node, View view, Reason reason) const {
    return {node, view, reason, sign(node, challenge_digest(domain, view, reason))};
  }
  [[nodiscard]] SignedViewChange change(NodeId node, View view, Lock lock) const {
    return {node, view, lock, sign(node, view_change_digest(domain, view, lock))};
  }
  [[nodiscard]] ProposalHeader signed_header(ProposalHeader header) const {
    header.signature = sign(genesis.leader(header.view), proposal_digest(domain, header));
    return header;
  }
  [[nodiscard]] NewView new_view(View view, Lock base, std::optional<Certificate> lc,
                                 std::vector<SignedViewChange> changes) const {
    NewView out{view, base, std::move(lc), std::move(changes), {}};
    out.signature = sign(genesis.leader(view), new_view_digest(domain, view, base, changes_hash(domain, out.changes)));
    return out;
  }
  [[nodiscard]] static Lock no_lock() { return {{0}, {{0}, empty_root()}}; }

  [[nodiscard]] RequestPtr request(std::uint64_t nonce, std::string_view app = "default",
                                   std::vector<Bytes> payloads = {{1, 2, 3}}) const {
    return sign_request(domain, scheme(), user, app, nonce, payloads);
  }
  /// Well-formed, but signed by nobody.
  [[nodiscard]] RequestPtr unsigned_request(std::uint64_t nonce) const {
    return make_request(domain, "default", nonce, *scheme().public_key(user), std::vector<Bytes>{{1}}, {});
  }

  Genesis genesis;
  std::vector<SecretKey> secrets;
  SecretKey user = dev_secret_key(7, "alice");
  SigningDomain domain;
};

/// Requests in log order, from index 1.
class TestLog {
 public:
  void append(const RequestPtr& request) {
    requests_.push_back(request);
    leaves_.push_back(request->leaf);
  }
  [[nodiscard]] std::uint64_t size() const { return leaves_.size(); }
  [[nodiscard]] LogPoint at(std::uint64_t index) const { return {{index}, tree_root(first(index))}; }
  [[nodiscard]] LogPoint end() const { return at(size()); }
  [[nodiscard]] CompactRange range(std::uint64_t index) const {
    CompactRange out;
    for (const auto& leaf : first(index)) out.append(leaf);
    return out;
  }
  [[nodiscard]] ProposalHeader header(View view, std::uint64_t from, std::uint64_t to) const {
    return {view, {from}, at(from - 1).root, at(to), {}};
  }
  [[nodiscard]] RequestsPtr requests(std::uint64_t from, std::uint64_t to) const {
    return std::make_shared<const Requests>(requests_.begin() + static_cast<std::ptrdiff_t>(from - 1),
                                            requests_.begin() + static_cast<std::ptrdiff_t>(to));
  }
  [[nodiscard]] const RequestPtr& request(std::uint64_t index) const { return requests_[index - 1]; }
  /// That the log of `size` requests begins with the one of `index`.
  [[nodiscard]] std::vector<Hash> consistency(std::uint64_t index, std::uint64_t size) const {
    return consistency_proof(index, first(size));
  }
  /// That request `index` is in the log of `size` requests.
  [[nodiscard]] std::vector<Hash> inclusion(std::uint64_t index, std::uint64_t size) const {
    return inclusion_proof(index - 1, first(size));
  }

 private:
  [[nodiscard]] std::span<const Hash> first(std::uint64_t count) const {
    return std::span(leaves_).first(static_cast<std::size_t>(count));
  }
  Requests requests_;
  std::vector<Hash> leaves_;
};

/// Another signature that plain verification accepts, but for another key's recovery.
[[nodiscard]] inline Signature flipped_v(Signature signature) {
  signature.bytes[64] = static_cast<std::uint8_t>(27 + 28 - signature.bytes[64]);
  return signature;
}

/// The twin (n - s, other v): it recovers the same key, but is not low-s.
[[nodiscard]] inline Signature high_s(Signature signature) {
  const auto order = *from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int digit = order[i] - signature.bytes[32 + i] - borrow;
    borrow = digit < 0 ? 1 : 0;
    signature.bytes[32 + i] = static_cast<std::uint8_t>(digit + 256 * borrow);
  }
  return flipped_v(signature);
}

}  // namespace zell::testing
