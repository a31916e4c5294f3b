#pragma once
// Who signed what. Internal to wire/.

#include "node/crypto/keys.h"
#include "node/wire/messages.h"

namespace zell {

/// A member's signature counts only if recovery yields the member's key: a flipped v passes plain verification, and the
/// EVM would refuse it.
struct SignerCheck {
  const Genesis& genesis;
  const SignatureScheme& scheme;
  SigningDomain domain;

  [[nodiscard]] bool signed_by(NodeId node, const Hash& digest, const Signature& signature) const {
    return node.value < genesis.size() && scheme.recover(digest, signature) == genesis.members[node.value].key;
  }
  [[nodiscard]] bool good(const Vote& vote) const {
    return (vote.phase == Phase::lock || vote.phase == Phase::final) &&
           signed_by(vote.signer, vote_digest(domain, vote.phase, vote.view, vote.point), vote.signature);
  }
  [[nodiscard]] bool good(const ProposalHeader& header) const {
    return signed_by(genesis.leader(header.view), proposal_digest(domain, header), header.signature);
  }
  [[nodiscard]] bool good(const SignedChallenge& challenge) const {
    return challenge.reason >= Reason::unresponsive && challenge.reason <= Reason::manual &&
           signed_by(challenge.node, challenge_digest(domain, challenge.view, challenge.reason), challenge.signature);
  }
  [[nodiscard]] bool good(const SignedViewChange& change) const {
    return signed_by(change.node, view_change_digest(domain, change.view, change.lock), change.signature);
  }
};

/// True if the log that ends in `end` is shown to have a root at `point.index` that is not `point.root`: the root there
/// is `root_at_point`, as `consistency` proves. An honest signer of both would need a collision of SHA-256.
[[nodiscard]] bool shown_to_diverge(const LogPoint& point, const LogPoint& end, const Hash& root_at_point,
                                    const std::vector<Hash>& consistency);

/// The member that the evidence proves guilty. Code "bad-evidence".
[[nodiscard]] Result<NodeId> prove_guilt(const Evidence& evidence, const SignerCheck& signers);

}  // namespace zell
