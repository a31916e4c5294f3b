#pragma once
// A node's metrics: what is counted as it happens, and what is looked up when somebody asks. METRICS.md lists them.

#include <span>

#include "node/consensus/io.h"
#include "node/http/node_api.h"
#include "node/metrics/bucket_histogram.h"
#include "node/metrics/counts_by_label.h"
#include "node/runtime/counted_scheme.h"
#include "node/storage/storage_thread.h"
#include "node/transport/transport.h"

namespace zell {

/// Counted as it happens. Loop thread only.
class NodeCounters {
 public:
  /// The view that the node is in when it starts: it is not a change.
  void start_in(View view) { moved_to_ = view; }
  void on_event(const Event& event);
  /// `because`: who complained of the view before, and why (view_causes.h).
  void on_view_changed(const ViewChanged& change, std::span<const Complaint> because);
  /// A peer's message was refused before it reached the core: by the error's code.
  void on_refused_message(std::string_view code) { refused_messages_.add(code); }
  void write(MetricsText& out) const;

 private:
  void count(const RequestUpdate& update);
  void count(const Challenged& challenge);
  void count(const Finalised& finalised);
  void count(const ViewChanged&) {}  // on_view_changed
  void count(const Noted&) {}
  void count(const Stopped&) {}

  CountsByLabel refused_messages_{
      "code",
      {"bad-bodies", "bad-certificate", "bad-challenge", "bad-chunk", "bad-conflict", "bad-evidence", "bad-message",
       "bad-new-view", "bad-proposal", "bad-signature", "bad-view-change", "bad-vote", "busy", "too-many-requests",
       "unknown-type", "wrong-epoch", "wrong-version"}};
  CountsByLabel challenges_{"reason",
                            {"unresponsive", "stalled", "censored", "equivocation", "invalid-proposal", "manual"}};
  /// told: others had agreed on it, and this node only heard of that.
  CountsByLabel view_changes_{
      "reason", {"unresponsive", "stalled", "censored", "equivocation", "invalid-proposal", "manual", "told"}};
  View moved_to_;  ///< the newest view whose beginning is counted
  std::uint64_t views_entered_ = 0, final_requests_ = 0, final_batches_ = 0, final_bytes_ = 0, own_final_ = 0;
  BucketHistogram finality_seconds_{finality_seconds_bounds};
};

/// Looked up when somebody asks.
struct MetricFacts {
  const NodeStatus& status;
  const ReplicaStatus& core;
  Health health;
  const Genesis& genesis;
  TransportStats transport;
  StorageThread::Counts storage;
  const CountedScheme& signatures;
  std::size_t pool_jobs = 0;  ///< of the threads that check what comes in
};
void write_node_facts(MetricsText& out, const MetricFacts& facts);

}  // namespace zell
