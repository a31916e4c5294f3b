#pragma once
// Checks what a message claims by itself: signatures, stake, form. Nothing enters the core without it.

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "node/crypto/keys.h"
#include "node/wire/codec.h"
#include "node/wire/messages.h"
#include "node/wire/request_cache.h"

namespace zell {

/// Proof by type that the Verifier has checked the value. Only the Verifier makes one.
template <class T>
class Verified {
 public:
  [[nodiscard]] const T& get() const { return value_; }
  [[nodiscard]] const T* operator->() const { return &value_; }
  [[nodiscard]] const T& operator*() const { return value_; }

 private:
  friend class Verifier;
  explicit Verified(T value) : value_(std::move(value)) {}
  T value_;
};
using VerifiedMessage = std::shared_ptr<const Verified<Message>>;
using VerifiedRequest = Verified<RequestPtr>;

/// Stateless but for caches of what was found good; thread-safe. Checks:
///   Forward      each request's form and signature
///   Proposal     leader(view)'s signature, first <= end, count; each request: form, and signature as far as the
///   receiver
///                is one of its checkers (first_bad is set, not refused). One whose payloads are not those of its own
///                header is refused whole (code "bad-bodies"): the leader signs headers, so anyone on the way may have
///                changed payloads, and they prove nothing against it. first_bad counts against the leader only once
///                the headers are seen to give the signed root.
///   Vote, Heartbeat, Challenge (with evidence), ViewChange, NewView, ViewAnswer: signer's key by recovery, view > 0
///   where it must be certificates distinct members, > 2/3 of the stake, each signature; ride-along ones too
///   ChallengeCertificate  > 1/3 of the stake; what they count against: challenged_view()
///   ViewChange   lock is below view; lc proves lock (LC or FC of that very view and point)
///   NewView      leader(view) signed; > 2/3; lockViews < view; base is the highest; base_lc proves it
///   Challenge    evidence goes with equivocation and invalid_proposal only (not always: a nonce that is too old is
///   seen
///                by all and shown by none), and proves the leader of the challenged view guilty of just that; censored
///                requests go with censored only, each checked like a Forward's
///   Chunk        its FC, form (contiguous from from+1, headers' indexes match counts), payloads that are their
///   headers'.
///                Request signatures are not: the root is checked by the core.
///   Conflict     both FCs, and that no one log contains both
/// Fetch and ViewQuery claim nothing.
class Verifier {
 public:
  /// `genesis` and `scheme` must outlive it. `cache` may be null.
  Verifier(const Genesis& genesis, const SignatureScheme& scheme, RequestCache* cache);

  /// A member that `receiver` names checks its share of the request signatures in a Proposal, and all else; without it,
  /// all of them are checked.
  [[nodiscard]] Result<VerifiedMessage> check(Message message, std::optional<NodeId> receiver = {}) const;
  [[nodiscard]] Result<VerifiedRequest> check(RequestPtr request) const;
  /// What this node signed itself, on its way back into its own core. REQUIRES: it is well-formed and signed by us.
  [[nodiscard]] VerifiedMessage own(Message message) const;
  /// It comes back in certificates, and need not be checked there. REQUIRES: this node has just signed it.
  void remember_own(const Vote& vote) const;

  /// Code "bad-certificate".
  [[nodiscard]] Status check_certificate(const Certificate& certificate) const;
  [[nodiscard]] Status check_vote(const Vote& vote) const;
  /// The member that the evidence proves guilty; codes "bad-evidence".
  [[nodiscard]] Result<NodeId> check_evidence(const Evidence& evidence) const;
  [[nodiscard]] const SigningDomain& domain() const { return domain_; }
  [[nodiscard]] const Genesis& genesis() const { return genesis_; }
  /// May be null.
  [[nodiscard]] const RequestCache* cache() const { return cache_; }

 private:
  struct Impl;
  const Genesis& genesis_;
  SigningDomain domain_;
  const RequestCache* cache_;
  std::shared_ptr<const Impl> impl_;  // what it checks with, and the certificates that it remembers
};

/// Fills in the signature of a message that is this node's own and has none yet (all zero); relayed ones are left
/// alone.
[[nodiscard]] Message sign_message(Message message, NodeId self, const SecretKey& secret, const SignatureScheme& scheme,
                                   const SigningDomain& domain);

/// The highest view that more than a third of the stake challenges, or nullopt: a challenge against u counts against
/// every view <= u.
[[nodiscard]] std::optional<View> challenged_view(const Genesis& genesis, std::span<const SignedChallenge> challenges);

}  // namespace zell
