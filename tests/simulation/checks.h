#pragma once
// What must hold in every run, whatever is lost, delayed, crashed or lied. A broken rule throws Violation.

#include <map>
#include <set>

#include "node/crypto/hash.h"
#include "node/crypto/log_tree.h"
#include "node/types/durable_state.h"
#include "node/wire/messages.h"
#include "tests/simulation/violation.h"

namespace zell::simulation {

class Checks {
 public:
  /// One history, exactly once, nothing that no one submitted: a batch that an honest node calls final.
  void finalised(NodeId node, const Batch& batch);
  /// An honest node restarted with this finalised prefix. With `remembers` it must be what it was, but for the newest
  /// certificates, which are stored late.
  void restarted(NodeId node, Index finalised, bool remembers = true);
  /// A node lost its vote state: it must not vote again in a view in which it voted.
  void forgot(NodeId node);
  /// An honest node releases a signed message while `durable` is what its disk holds: no two votes for one slot,
  /// nothing before it is durable, no vote below the durable view, reported locks never fall.
  void signed_by(NodeId node, const Message& message, const DurableState& durable);
  /// An honest node found evidence: it must name no honest node.
  void accused(NodeId guilty, const std::set<NodeId>& faulty);
  void submitted(const RequestPtr& request) { submitted_.insert(sha256(request->canonical)); }

  [[nodiscard]] Index highest_final() const { return {log_.size()}; }
  /// Any one of the final requests, or null.
  [[nodiscard]] RequestPtr some_final(std::uint64_t which) const {
    return log_.empty() ? nullptr : log_[which % log_.size()];
  }
  [[nodiscard]] bool is_final(const RequestId& id) const { return final_ids_.contains(id); }
  [[nodiscard]] std::size_t final_count() const { return log_.size(); }
  [[nodiscard]] Index final_of(NodeId node) const;

 private:
  std::vector<RequestPtr> log_;
  std::vector<Hash> roots_;  ///< by index, from 1
  CompactRange range_;
  std::map<NodeId, Index> final_at_;
  std::set<RequestId> final_ids_;
  std::set<Hash> submitted_;        ///< of all bytes
  std::map<NodeId, Index> stored_;  ///< the finalised prefix that a node last restarted with
  std::set<std::pair<PublicKey, std::uint64_t>> nonces_;
  using Slot = std::tuple<NodeId, int, View, Index>;  // signer, kind, view, index
  std::map<Slot, Hash> slots_;
  std::map<NodeId, Rank> reported_, finals_;
  std::map<NodeId, View> voted_, forgotten_;
};

}  // namespace zell::simulation
