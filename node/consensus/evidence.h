#pragma once
// Watches what members sign, and notices when two things can't both be honest.

#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "node/wire/evidence_names.h"

namespace zell {

/// Bounded: headers of the current view only, and one FINAL a member.
class EvidenceWatch {
 public:
  /// A proposal header of the current view, signed by its leader. Returns proof if it contradicts an earlier one.
  [[nodiscard]] EvidencePtr saw_header(const ProposalHeader& header);
  /// A FINAL vote, alone or out of a certificate.
  void saw_final(const Vote& vote);
  /// Returns proof if this report hides a lock that its signer had finalised.
  [[nodiscard]] EvidencePtr saw_change(const SignedViewChange& change) const;
  void new_view() { headers_.clear(); }
  void forget_through(Index finalised);

  /// True the first time for this (kind, member, view): evidence is duplicate by slot, not by bytes.
  [[nodiscard]] bool is_new(const Evidence& evidence, NodeId guilty);
  [[nodiscard]] std::size_t count() const { return known_.size(); }

 private:
  std::map<Index, ProposalHeader> headers_;  // by first index; of the current view
  std::map<NodeId, Vote> finals_;            // highest rank seen
  std::set<std::tuple<std::size_t, NodeId, View>> known_;
};

}  // namespace zell
