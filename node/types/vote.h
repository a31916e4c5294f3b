#pragma once
// Votes, certificates, and a batch as it is proposed and stored.

#include <optional>
#include <string_view>

#include "node/types/genesis.h"
#include "node/types/request.h"

namespace zell {

enum class Phase : std::uint8_t { lock = 1, final = 2 };

struct Vote {
  Phase phase{};
  View view;
  LogPoint point;
  NodeId signer;
  Signature signature;
  friend bool operator==(const Vote&, const Vote&) = default;
};

struct SignerSignature {
  NodeId node;
  Signature signature;
  friend bool operator==(const SignerSignature&, const SignerSignature&) = default;
};

/// > 2/3 of the stake signed `phase` for (view, point). Signatures are in member order, each member once.
struct Certificate {
  Phase phase{};
  View view;
  LogPoint point;
  std::vector<SignerSignature> signatures;

  [[nodiscard]] Rank rank() const { return {view, point.index}; }
  [[nodiscard]] Lock lock() const { return {view, point}; }
  [[nodiscard]] MemberSet signers() const;
  [[nodiscard]] bool has_signer(NodeId node) const;
  friend bool operator==(const Certificate&, const Certificate&) = default;
};
using CertificatePtr = std::shared_ptr<const Certificate>;

/// What a leader signs: requests first..last follow the log with root parent_root and give the log with root `root`.
struct ProposalHeader {
  View view;
  Index first;
  Hash parent_root;
  LogPoint end;  ///< last index and the root there
  Signature signature;

  [[nodiscard]] LogPoint parent() const { return {{first.value - 1}, parent_root}; }
  friend bool operator==(const ProposalHeader&, const ProposalHeader&) = default;
};

/// A run of requests in the log, as stored. `header.signature` is zero for a leader's own proposal (it is signed again
/// on resending: RFC 6979 gives the same bytes) and for batches that came under a certificate instead of a proposal.
struct Batch {
  ProposalHeader header;
  RequestsPtr requests;             ///< end.index - first + 1 of them
  std::uint32_t request_bytes = 0;  ///< sum of their canonical sizes

  [[nodiscard]] std::size_t count() const { return requests->size(); }
};
using BatchPtr = std::shared_ptr<const Batch>;

/// The requests of `batch` up to `end.index`, or those after `parent.index`, as a batch of its own without a signature.
/// REQUIRES: the index is inside the batch, below its end, and the root is the one there.
[[nodiscard]] BatchPtr batch_until(const Batch& batch, const LogPoint& end);
[[nodiscard]] BatchPtr batch_after(const Batch& batch, const LogPoint& parent);

}  // namespace zell
