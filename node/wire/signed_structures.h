#pragma once
// The EIP-712 digest of everything that is signed. Field order and types: PROTOCOL.md, "Signed structures".

#include <string_view>

#include "node/types/genesis.h"
#include "node/types/vote.h"

namespace zell {

enum class Reason : std::uint8_t {
  unresponsive = 1,
  stalled = 2,
  censored = 3,
  equivocation = 4,
  invalid_proposal = 5,
  manual = 6
};
[[nodiscard]] std::string_view to_string(Reason reason);

/// What every digest of one cluster and epoch starts from. Cheap to copy.
struct SigningDomain {
  ClusterId cluster;
  Epoch epoch;
  Hash separator;  ///< EIP-712's domainSeparator
  std::uint32_t reference_timestamp = 0;

  [[nodiscard]] static SigningDomain of(const Genesis& genesis);
};

[[nodiscard]] Hash request_digest(const SigningDomain&, std::string_view app, std::uint64_t nonce,
                                  std::uint32_t payload_count, const Hash& payloads_root);
/// keccak(digest || sender's compressed key).
[[nodiscard]] RequestId request_id(const Hash& digest, const PublicKey& sender);
[[nodiscard]] Hash vote_digest(const SigningDomain&, Phase, View, const LogPoint&);
[[nodiscard]] Hash proposal_digest(const SigningDomain&, const ProposalHeader&);
[[nodiscard]] Hash challenge_digest(const SigningDomain&, View, Reason);
[[nodiscard]] Hash view_change_digest(const SigningDomain&, View, const Lock&);
[[nodiscard]] Hash new_view_digest(const SigningDomain&, View, const Lock& base, const Hash& changes_hash);
[[nodiscard]] Hash heartbeat_digest(const SigningDomain&, View, const LogPoint& tip, std::uint64_t counter);
[[nodiscard]] Hash hello_digest(const SigningDomain&, const Address& from, const Address& to, const Nonce32& nonce_from,
                                const Nonce32& nonce_to, std::uint8_t role, std::uint32_t version);
[[nodiscard]] Hash membership_digest(const SigningDomain&, const Hash& next_set);
/// ZellDurableView(bytes32 cluster,uint32 epoch,uint64 view,bytes32 nonce): a member's answer to a rejoining node.
[[nodiscard]] Hash durable_view_digest(const SigningDomain&, View, const Nonce32&);

}  // namespace zell
