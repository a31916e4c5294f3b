#pragma once
// What a node says of itself.

#include "node/base/log_line.h"
#include "node/config/genesis_file.h"
#include "node/consensus/io.h"
#include "node/http/node_api.h"

namespace zell {

/// What the core does not know about the process around it.
struct ProcessFacts {
  NodeId self;
  std::string version;
  Instant started_at, now;
  std::vector<PeerStatus> peers;  ///< by member; this node's own entry is left out of the result
  std::string storage_failure;    ///< the store's error code; empty while it works
  LogLevel log_level = LogLevel::info;
  std::vector<Complaint> view_because;
};

/// Milliseconds since 1970, by the system's clock.
[[nodiscard]] std::int64_t unix_ms_now();
[[nodiscard]] NodeStatus make_status(const Genesis& genesis, const SigningDomain& domain, const ReplicaStatus& core,
                                     ProcessFacts facts);
/// Ready: takes part, is active in its view, at most a full pipeline behind, and connected to a quorum.
[[nodiscard]] Health make_health(const Genesis& genesis, const ReplicaStatus& core, const MemberSet& connected);

}  // namespace zell
