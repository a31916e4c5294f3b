#include "node/runtime/view_causes.h"

#include <algorithm>

namespace zell {

void ViewCauses::on_changed(View view, const std::vector<SignedChallenge>& known) {
  if (view != view_) complaints_.clear();
  view_ = view;
  for (const auto& challenge : known) {
    if (challenge.view.next() != view) continue;
    const bool told = std::any_of(complaints_.begin(), complaints_.end(),
                                  [&](const Complaint& complaint) { return complaint.node == challenge.node; });
    if (!told) complaints_.push_back({challenge.node, challenge.reason});
  }
  std::sort(complaints_.begin(), complaints_.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
}

std::vector<Complaint> ViewCauses::of(View view) const {
  return view == view_ ? complaints_ : std::vector<Complaint>();
}

}  // namespace zell
