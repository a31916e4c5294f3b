#pragma once
// Why the view that this node is in began, for people: what members complained of in the view before.

#include <vector>

#include "node/http/node_api.h"

namespace zell {

/// Loop thread only. A member's newest challenge replaces its older one in the core, so what led to a view is kept here
/// from the moment that it is entered. Not stored: a node that was started again does not know it for its first view.
class ViewCauses {
 public:
  /// `known`: the newest challenge of each member. Called when the node leaves for `view`, and when it enters it.
  void on_changed(View view, const std::vector<SignedChallenge>& known);
  /// By member; empty for a view that is not the one of the last call.
  [[nodiscard]] std::vector<Complaint> of(View view) const;

 private:
  View view_;
  std::vector<Complaint> complaints_;
};

}  // namespace zell
