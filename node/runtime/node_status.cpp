#include "node/runtime/node_status.h"

#include <unistd.h>

#include <chrono>

namespace zell {

std::int64_t unix_ms_now() {
  auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

NodeStatus make_status(const Genesis& genesis, const SigningDomain& domain, const ReplicaStatus& core,
                       ProcessFacts facts) {
  NodeStatus out;
  out.name = genesis.members[facts.self.value].name;
  out.node = facts.self;
  out.cluster = domain.cluster;
  out.cluster_name = genesis.cluster_name;
  out.epoch = domain.epoch;
  out.standing = core.standing;
  out.rejoins_above = core.rejoins_above;
  out.view = core.view;
  out.active = core.active;
  out.leader = core.leader;
  out.view_since_unix_ms = unix_ms_now() - (facts.now - core.view_since).count() / 1'000;
  out.view_because = std::move(facts.view_because);
  out.log_level = to_string(facts.log_level);
  out.sequenced = core.sequenced;
  out.locked = core.locked;
  out.finalised = core.finalised;
  out.known_final = std::max(core.known_final, core.finalised.index);
  out.behind = out.known_final.value - core.finalised.index.value;
  out.pool_requests = core.pool_requests;
  out.pool_bytes = core.pool_bytes;
  out.view_timeout_ms = static_cast<std::uint32_t>(core.view_timeout.count() / 1'000);
  out.challenging = core.challenging;
  out.evidence_count = core.evidence_count;
  // The core knows only that nothing can be stored; that the disk is full is what an operator can mend.
  const bool disk_full = core.stopped_code == "storage-failed" && facts.storage_failure == "disk-full";
  out.stopped_code = disk_full ? facts.storage_failure : core.stopped_code;
  out.stopped_why = core.stopped_why;
  for (auto& peer : facts.peers) {
    if (peer.node != facts.self) out.peers.push_back(std::move(peer));
  }
  out.uptime_ms = static_cast<std::uint64_t>((facts.now - facts.started_at).count() / 1'000);
  out.pid = getpid();
  out.version = std::move(facts.version);
  out.protocol_version = protocol_version;
  return out;
}

Health make_health(const Genesis& genesis, const ReplicaStatus& core, const MemberSet& connected) {
  Health out;
  out.healthy = core.stopped_code.empty();
  const auto& parameters = genesis.parameters;
  auto pipeline = std::uint64_t{parameters.batches_in_flight} * parameters.batch_max_requests;
  bool behind = core.known_final.value > core.finalised.index.value + pipeline;
  if (!out.healthy) {
    out.reason = core.stopped_code + ": " + core.stopped_why;
  } else if (core.standing == Standing::learner) {
    out.reason = "lost its vote state and follows only, until it has rejoined";
  } else if (!genesis.is_quorum(connected)) {
    out.reason = "not connected to members of more than 2/3 of the stake";
  } else if (!core.active) {
    out.reason = "between two views";
  } else if (behind) {
    out.reason = "behind: fetching the finalised log";
  }
  out.ready = out.reason.empty();
  return out;
}

}  // namespace zell
