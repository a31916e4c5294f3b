#pragma once
// Who the members are, what they hold, and the parameters they agreed on. The only place that computes a quorum.

#include <bitset>
#include <optional>
#include <string>
#include <vector>

#include "node/base/result.h"
#include "node/types/ids.h"

namespace zell {

inline constexpr std::size_t max_members = 256;  ///< bound of every per-member array, bitset and certificate
inline constexpr std::uint32_t protocol_version = 1;

using MemberSet = std::bitset<max_members>;

struct Member {
  std::string name;       ///< "n1": [a-z0-9-]{1,32}, distinct. Not part of the canonical bytes: a label only.
  PublicKey key;          ///< distinct
  std::uint64_t stake{};  ///< >= 1; the sum of all is below 2^64
};

/// Agreed parameters: part of the cluster id, so every node has the same. A whole pipeline fits in one frame:
/// batches_in_flight * batch_max_bytes <= 20 MiB.
struct Parameters {
  std::uint32_t view_timeout_ms = 1'000;        ///< T0: 50..600,000
  std::uint32_t view_timeout_cap_ms = 30'000;   ///< the slowest network promised; view_timeout_ms..3,600,000
  std::uint32_t heartbeat_ms = 200;             ///< an idle leader's; 1..view_timeout_ms / 2
  std::uint32_t censorship_timeout_ms = 2'000;  ///< from forwarding a request to being owed it: 1..600,000
  std::uint32_t batches_in_flight = 8;          ///< W: proposed above the newest finality certificate, 1..64
  std::uint32_t batch_max_requests = 4'096;     ///< 1..65,536
  std::uint32_t batch_max_bytes = 1 << 20;      ///< canonical bytes of one batch, 4 KiB..4 MiB; >= request_max_bytes
  std::uint32_t request_max_bytes = 256 << 10;  ///< header and body, 1 KiB..1 MiB
  std::uint32_t forward_quota = 1'024;          ///< Q: forwarded by one node and not yet proposed, 1..1,048,576
  friend bool operator==(const Parameters&, const Parameters&) = default;
};

struct Genesis {
  std::uint64_t chain_id = 0;  ///< 0: a local cluster
  std::string cluster_name;    ///< a label, not part of the canonical bytes
  std::string domain_name = "zell";
  std::string domain_version = "1";
  std::uint32_t reference_timestamp = 0;
  std::vector<Member> members;  ///< 1..max_members, in the order that names leaders
  Parameters parameters;

  /// What is wrong with it (code "bad-genesis"), or Ok: distinct keys and names, stakes >= 1, sum below 2^64, domain
  /// name and version of 1..64 printable ASCII characters, cluster name of at most 64 bytes, parameters in range. Does
  /// not check that the keys are points of the curve. All members below but canonical_bytes() REQUIRE a genesis that is
  /// valid.
  [[nodiscard]] Status validate() const;

  /// The bytes that are hashed into the cluster id: see PROTOCOL.md, "Genesis".
  [[nodiscard]] Bytes canonical_bytes() const;

  [[nodiscard]] std::size_t size() const { return members.size(); }
  [[nodiscard]] std::uint64_t total_stake() const;
  [[nodiscard]] std::uint64_t stake_of(const MemberSet& set) const;
  /// 3 * signed > 2 * S.
  [[nodiscard]] bool is_quorum(const MemberSet& set) const;
  /// 3 * signed > S: at least one correct node is among them.
  [[nodiscard]] bool is_challenge_quorum(const MemberSet& set) const;
  /// The largest number of members of any choice whose stake together stays below a third: faults tolerated by count,
  /// counting the heaviest first.
  [[nodiscard]] std::size_t tolerated_faults() const;
  /// Genesis order, round robin.
  [[nodiscard]] NodeId leader(View view) const;
  /// Whether `member` is one of those who check the signature of a request that `leader` proposes: the leader and
  /// then, in turn from place `chooser` mod (n - 1) among the others, members until they hold a quorum together. Any
  /// `chooser` gives a quorum, so it may come from whoever made the request. PROTOCOL.md, "Who checks a request's
  /// signature".
  [[nodiscard]] bool is_checker(NodeId member, NodeId leader, std::uint64_t chooser) const;
  [[nodiscard]] std::optional<NodeId> member_with_key(const PublicKey& key) const;
};

}  // namespace zell
