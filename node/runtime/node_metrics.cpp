#include "node/runtime/node_metrics.h"

#include <algorithm>
#include <map>

namespace zell {

namespace {

constexpr std::string_view lane_names[lane_count] = {"urgent", "normal", "bulk"};

void write_place(MetricsText& out, const MetricFacts& facts) {
  const auto& core = facts.core;
  out.gauge("zell_build_info", "1; the labels say which program this is.");
  out.add(1, {{"version", facts.status.version}, {"protocol", std::to_string(facts.status.protocol_version)}});
  out.gauge("zell_node_info", "1; the labels say which node of which cluster this is.");
  out.add(1, {{"node", facts.status.name},
              {"cluster", facts.status.cluster_name},
              {"cluster_id", to_hex0x(facts.status.cluster.view())}});
  out.gauge("zell_healthy", "1 while the node does its work, as /healthz says.", facts.health.healthy);
  out.gauge("zell_ready", "1 while a request sent here can become final, as /readyz says.", facts.health.ready);
  out.gauge("zell_stopped", "1 once it has stopped taking part for good: its disk failed, or safety was violated.",
            !core.stopped_code.empty());
  out.gauge("zell_standing", "1 at what the node is: a member, a learner without a vote, or one that votes again.");
  for (auto standing : {Standing::member, Standing::learner, Standing::rejoined}) {
    out.add(core.standing == standing, {{"standing", to_string(standing)}});
  }
  out.gauge("zell_view", "The view that the node is in.", core.view.value);
  out.gauge("zell_view_start_time_seconds", "When it came into that view, in seconds since 1970.",
            static_cast<double>(facts.status.view_since_unix_ms) / 1e3);
  out.gauge("zell_view_timeout_seconds", "How long it waits for the leader now before it challenges.",
            std::chrono::duration<double>(core.view_timeout).count());
  out.gauge("zell_active", "1 in a view, 0 between two views.", core.active);
  out.gauge("zell_leader", "1 while the node leads its view.", facts.status.leader == facts.status.node);
  out.gauge("zell_challenging", "1 while it challenges the leader of its view.", core.challenging.has_value());
}

void write_log(MetricsText& out, const ReplicaStatus& core) {
  out.gauge("zell_sequenced_index", "Requests in the log as the leaders have ordered it.", core.sequenced.index.value);
  out.gauge("zell_locked_index", "Of these, requests that a quorum has locked.", core.locked.index.value);
  out.gauge("zell_finalised_index", "Of these, requests that are final here.", core.finalised.index.value);
  const auto known = std::max(core.known_final, core.finalised.index);
  out.gauge("zell_behind_requests", "Requests that are final elsewhere and still missing here.",
            known.value - core.finalised.index.value);
  out.gauge("zell_unfinalised_batches", "Batches in the log above what is final.", core.unfinalised_batches);
  out.gauge("zell_side_batches", "Batches kept that are on other branches than the log.", core.side_batches);
  out.gauge("zell_held_proposals", "Proposals that came early and wait for their turn.", core.held_proposals);
  out.gauge("zell_wanted_logs", "Pieces of the log that are asked for.", core.wants);
  out.counter("zell_requests_taken_in_total", "Requests that clients sent here and that it has taken in.",
              core.taken_in);
  out.gauge("zell_pool_requests", "Requests that this node answers for and that are not final yet.",
            core.pool_requests);
  out.gauge("zell_pool_bytes", "Their size.", core.pool_bytes);
  out.gauge("zell_evidence_entries", "Proofs of members' faults that it holds.", core.evidence_count);
}

void write_peers(MetricsText& out, const MetricFacts& facts) {
  const auto name = [&](NodeId node) -> std::string_view { return facts.genesis.members[node.value].name; };
  const auto each = [&](auto member) {
    for (const auto& [node, stats] : facts.transport.peers) out.add(stats.*member, {{"peer", name(node)}});
  };
  const auto each_lane = [&](auto member) {
    for (const auto& [node, stats] : facts.transport.peers) {
      for (std::size_t lane = 0; lane < lane_count; ++lane) {
        out.add((stats.*member)[lane], {{"peer", name(node)}, {"lane", lane_names[lane]}});
      }
    }
  };
  out.gauge("zell_peer_up", "1 while the connection to this member is there and proven.");
  each(&PeerStats::connected);
  out.counter("zell_peer_connections_total", "Proven connections to this member.");
  each(&PeerStats::times_connected);
  out.counter("zell_peer_sent_messages_total", "Messages to this member that were handed to the kernel.");
  each(&PeerStats::frames_sent);
  out.counter("zell_peer_sent_bytes_total", "Bytes to this member, headers of messages included.");
  each(&PeerStats::bytes_sent);
  out.counter("zell_peer_received_messages_total", "Messages from this member.");
  each(&PeerStats::frames_received);
  out.counter("zell_peer_received_bytes_total", "Bytes from this member, headers of messages included.");
  each(&PeerStats::bytes_received);
  out.gauge("zell_peer_queued_bytes", "Bytes that wait to be sent to this member.");
  each_lane(&PeerStats::queued_bytes);
  out.counter("zell_peer_dropped_messages_total",
              "Messages to this member that were not sent: no connection, its queue was full, or lost with it.");
  each_lane(&PeerStats::dropped_frames);
  out.counter("zell_peer_accepted_connections_total", "Connections to the port for members, from anybody.",
              facts.transport.accepted);
  out.gauge("zell_peer_unproven_connections", "Of these, connections that have not proven a member's key yet.",
            facts.transport.unauthenticated);
  out.counter("zell_peer_closed_connections_total", "Connections that were closed, and why.");
  for (const auto& [cause, count] : facts.transport.closed) out.add(count, {{"cause", cause}});
}

void write_work(MetricsText& out, const MetricFacts& facts) {
  out.counter("zell_signature_checks_total", "Signatures checked: of users' requests, and of what members sent.");
  out.add(facts.signatures.verified(), {{"of", "requests"}});
  out.add(facts.signatures.recovered(), {{"of", "members"}});
  out.counter("zell_signatures_made_total", "Signatures made with this member's key.", facts.signatures.made());
  out.gauge("zell_check_jobs", "Pieces of work that the checking threads have before them.", facts.pool_jobs);

  const auto& storage = facts.storage;
  out.counter("zell_storage_commits_total", "Changes that the core wanted stored.", storage.commits);
  out.histogram("zell_storage_transaction_seconds",
                "Time of a transaction, which stores all that waits, until durable.", storage.transaction_seconds);
  out.counter("zell_storage_written_bytes_total", "Bytes written to the data folder.", storage.io.bytes_written);
  out.counter("zell_storage_syncs_total", "Times that a file was synced to the disk.", storage.io.syncs);
  out.counter("zell_storage_reads_total", "Reads of the stored log, for clients and peers.", storage.reads);
  out.gauge("zell_storage_waiting_commits", "Changes that wait to be stored.", storage.waiting_commits);
  out.gauge("zell_storage_waiting_reads", "Reads of the stored log that wait.", storage.waiting_reads);
}

/// What most of them say; of as many, the first in the order of the reasons.
std::string_view main_reason(std::span<const Complaint> because) {
  std::map<Reason, std::size_t> said;
  for (const auto& complaint : because) ++said[complaint.reason];
  const auto most =
      std::max_element(said.begin(), said.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == said.end() ? "told" : to_string(most->first);
}

}  // namespace

void NodeCounters::on_event(const Event& event) {
  std::visit([this](const auto& value) { count(value); }, event);
}

void NodeCounters::count(const RequestUpdate& update) {
  if (update.state != RequestState::finalised) return;
  ++own_final_;
  finality_seconds_.note(update.since_taken);
}

void NodeCounters::on_view_changed(const ViewChanged& change, std::span<const Complaint> because) {
  if (change.active) ++views_entered_;
  if (change.view <= moved_to_) return;  // entering what it had moved to before
  moved_to_ = change.view;
  view_changes_.add(change.active ? "told" : main_reason(because));
}

void NodeCounters::count(const Challenged& challenge) {
  challenges_.add(to_string(challenge.reason));
}

void NodeCounters::count(const Finalised& finalised) {
  ++final_batches_;
  final_requests_ += finalised.batch->requests->size();
  final_bytes_ += finalised.batch->request_bytes;
}

void NodeCounters::write(MetricsText& out) const {
  out.counter("zell_log_requests_total", "Requests that became final here since the start, from all nodes' clients.",
              final_requests_);
  out.counter("zell_log_bytes_total", "Their size.", final_bytes_);
  out.counter("zell_log_batches_total", "The batches that they came in.", final_batches_);
  out.counter("zell_requests_finalised_total", "Requests taken in here that became final.", own_final_);
  out.histogram("zell_request_finality_seconds", "Time from taking in a request here to its being final here.",
                finality_seconds_);
  out.counter("zell_view_changes_total", "Views left, by the reason that most challengers gave.");
  view_changes_.write(out);
  out.counter("zell_views_entered_total", "Views entered: a leader was agreed on.", views_entered_);
  out.counter("zell_challenges_total", "Challenges that this node made against its leader, by its reason.");
  challenges_.write(out);
  out.counter("zell_refused_messages_total", "Messages of members that were refused as malformed or badly signed.");
  refused_messages_.write(out);
}

void write_node_facts(MetricsText& out, const MetricFacts& facts) {
  write_place(out, facts);
  write_log(out, facts.core);
  write_peers(out, facts);
  write_work(out, facts);
}

}  // namespace zell
