#pragma once
// One slot a member for its Challenge and one for its ViewChange: the highest view.

#include <map>
#include <optional>
#include <vector>

#include "node/wire/messages.h"

namespace zell {

class ChallengeBook {
 public:
  explicit ChallengeBook(const Genesis& genesis) : genesis_(genesis) {}
  /// True if it is news: a higher view than this member's slot held.
  bool add(const SignedChallenge& challenge);
  /// The highest view w that more than a third of the stake challenges (a challenge of u counts against all w <= u).
  [[nodiscard]] std::optional<View> challenged() const;
  /// The challenges that count against `view`, in member order.
  [[nodiscard]] std::vector<SignedChallenge> against(View view) const;

 private:
  const Genesis& genesis_;
  std::map<NodeId, SignedChallenge> slots_;
};

class ViewChangeBook {
 public:
  explicit ViewChangeBook(const Genesis& genesis) : genesis_(genesis) {}
  /// True if it is news: a higher view, or the same view with a higher lock.
  bool add(const ViewChange& change);
  /// Those for exactly `view`, in member order.
  [[nodiscard]] std::vector<const ViewChange*> for_view(View view) const;
  [[nodiscard]] bool quorum_for(View view) const;
  [[nodiscard]] const ViewChange* of(NodeId node) const;

 private:
  const Genesis& genesis_;
  std::map<NodeId, ViewChange> slots_;
};

}  // namespace zell
