#pragma once
// Everything that one node says to another, as plain values. Byte formats: PROTOCOL.md, "Messages".

#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "node/crypto/log_tree.h"
#include "node/types/vote.h"
#include "node/wire/signed_structures.h"

namespace zell {

// Bounds of what one message carries; longer ones are refused. Beside them: batch_max_requests and batch_max_bytes for
// a batch, one entry a member for signatures.
inline constexpr std::size_t max_requests_in_forward = 1'024;
inline constexpr std::size_t max_requests_in_challenge = 64;
inline constexpr std::size_t max_loose_request_bytes = 4 << 20;  ///< of a Forward's or a Challenge's requests together
inline constexpr std::size_t max_proof_hashes = 64;              ///< enough for a log of 2^63 requests

/// node -> leader: requests that the sender holds as initialised. node -> node: what the leader leaves lying.
struct Forward {
  Requests requests;
};

/// leader -> all (and relayed verbatim). `lc` and `fc` ride along, unsigned by the proposal itself.
struct Proposal {
  ProposalHeader header;
  RequestsPtr requests;
  std::optional<Certificate> lc, fc;
  /// Set by the verifier, not on the wire: position of the first request that is bad by form, size or signature.
  std::optional<std::uint32_t> first_bad;
};

struct CertificateMessage {
  Certificate certificate;
};

/// leader -> all, when idle (and relayed verbatim). Counters of one leader never repeat in a view: a replay is no sign
/// of life.
struct Heartbeat {
  View view;
  LogPoint tip;
  std::uint64_t counter = 0;
  Signature signature;
  std::optional<Certificate> lc, fc;
};

struct SignedChallenge {
  NodeId node;
  View view;
  Reason reason{};
  Signature signature;
  friend bool operator==(const SignedChallenge&, const SignedChallenge&) = default;
};

struct SignedViewChange {
  NodeId node;
  View view;  ///< the view that is changed to
  Lock lock;  ///< highest ever held; "no lock" is view 0 and the epoch's first point
  Signature signature;
  friend bool operator==(const SignedViewChange&, const SignedViewChange&) = default;
};

// ---- Evidence: verifiable offline with the genesis alone, within one epoch.

/// Two different proposals of one view that overlap, adjoin with parent_root != root, or (proof given) diverge.
struct TwoProposals {
  ProposalHeader a, b;            ///< a.end.index <= b.end.index
  std::vector<Hash> consistency;  ///< used when they neither overlap nor adjoin; see verify_evidence
  LogPoint b_root_at_a;           ///< unused (index 0) unless `consistency` is used
};
/// Two LOCKs of one (view, index) or two FINALs of one view, by one signer, that no one log contains.
struct TwoVotes {
  Vote a, b;                      ///< a.point.index <= b.point.index
  std::vector<Hash> consistency;  ///< FINALs of different indexes: proves a root at a.index under b.root
  Hash b_root_at_a;               ///< that root; it differs from a.point.root
};
/// FINAL(v, i) and a ViewChange above v that reports a lock below (v, i).
struct HiddenLock {
  Vote final;
  SignedViewChange change;
};
/// A signed proposal whose bodies give its root and whose request `position` (from 0) is bad.
struct InvalidProposal {
  ProposalHeader header;
  CompactRange parent;  ///< at header.first - 1
  RequestsPtr requests;
  std::uint32_t position = 0;
  /// For a nonce that is taken: the earlier request of that sender and nonce, and its proof under header.parent_root
  /// (or, with an empty proof and earlier_index >= header.first, it is in `requests` itself).
  RequestPtr earlier;
  Index earlier_index;
  std::vector<Hash> earlier_proof;
};
using Evidence = std::variant<TwoProposals, TwoVotes, HiddenLock, InvalidProposal>;
using EvidencePtr = std::shared_ptr<const Evidence>;

// ---- View change

/// node -> all. `evidence` for equivocation and invalid_proposal; `censored` for censored (bounded).
struct Challenge {
  SignedChallenge signed_part;
  EvidencePtr evidence;
  Requests censored;
};
/// any -> all: > 1/3 of the stake that counts against a view. In member order, each member once.
struct ChallengeCertificate {
  std::vector<SignedChallenge> challenges;
};
/// node -> all. `lc` proves signed_part.lock unless that is "no lock"; it may be an FC.
struct ViewChange {
  SignedViewChange signed_part;
  std::optional<Certificate> lc, fc;
};
/// new leader -> all. The base is the highest lock among `changes`; base_lc proves it unless it is "no lock".
struct NewView {
  View view;
  Lock base;
  std::optional<Certificate> base_lc;
  std::vector<SignedViewChange> changes;  ///< > 2/3 of the stake, in member order, each member once
  Signature signature;
};
/// What ZellNewView's changesHash covers: Keccak-256 over (member u16 || view-change digest || signature) of each.
[[nodiscard]] Hash changes_hash(const SigningDomain& domain, const std::vector<SignedViewChange>& changes);

// ---- Catching up

/// Asks a peer. log: batches after `from` towards `target`, finalised ones first. leader_news: proposals of `view`
/// after `from` (none: no_proposals), the newest heartbeat, LC and FC. new_view: what proves `view`.
struct Fetch {
  static constexpr Index no_proposals{std::numeric_limits<std::uint64_t>::max()};
  enum class Kind : std::uint8_t { log = 1, leader_news = 2, new_view = 3 } kind{};
  View view;
  Index from;
  LogPoint target;
};
/// Batches that follow `from`. With `fc` its point is the end of the last batch; without, the end is what was asked
/// for.
struct Chunk {
  Index from;
  std::vector<BatchPtr> batches;
  std::optional<Certificate> fc;
};
/// A learner asks for durable views.
struct ViewQuery {
  Nonce32 nonce;
};
struct ViewAnswer {
  NodeId node;
  View view;  ///< the sender's durable view
  Nonce32 nonce;
  Signature signature;
};

// ---- The end of all trust

/// any -> all: two finality certificates that no one log contains, so a third of the stake or more is faulty. Who holds
/// it stops for good.
struct Conflict {
  Certificate a, b;               ///< FCs of one epoch; a.point.index <= b.point.index
  Hash b_root_at_a;               ///< of b's log at a's index; it differs from a.point.root
  std::vector<Hash> consistency;  ///< shows it, by RFC 6962; empty at equal indexes
};

using Message = std::variant<Forward, Proposal, Vote, CertificateMessage, Heartbeat, Challenge, ChallengeCertificate,
                             ViewChange, NewView, Fetch, Chunk, ViewQuery, ViewAnswer, Conflict>;
using MessagePtr = std::shared_ptr<const Message>;

/// A name for logs and counters, e.g. "Proposal".
[[nodiscard]] std::string_view name_of(const Message& message);

/// Votes, certificates, challenges and view changes go ahead of proposals and heartbeats, those ahead of bulk.
enum class Lane : std::uint8_t { urgent = 0, normal = 1, bulk = 2 };
[[nodiscard]] Lane lane_of(const Message& message);

}  // namespace zell
