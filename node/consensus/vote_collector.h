#pragma once
// A leader's count of the votes of its view.

#include <map>
#include <optional>
#include <vector>

#include "node/types/vote.h"

namespace zell {

/// Votes of one view, by phase and index. Bounded: the caller adds only votes for points that it proposed.
class VoteCollector {
 public:
  explicit VoteCollector(const Genesis& genesis) : genesis_(genesis) {}

  /// The certificate, at the moment that this vote completes a quorum. A second vote of the same signer changes
  /// nothing.
  [[nodiscard]] std::optional<Certificate> add(const Vote& vote);
  /// An earlier vote of this signer in the same slot for another root, if any: proof of a double vote.
  [[nodiscard]] const Vote* conflicting(const Vote& vote) const;
  /// Certificates at or below are no longer needed.
  void forget_through(Phase phase, Index index);
  void clear();

 private:
  struct Tally {
    LogPoint point;
    std::map<NodeId, Vote> votes;
    MemberSet signers;
    bool complete = false;
  };
  const Genesis& genesis_;
  std::map<std::pair<Phase, Index>, Tally> tallies_;
};

}  // namespace zell
