#include "node/types/vote.h"

#include <algorithm>

namespace zell {

MemberSet Certificate::signers() const {
  MemberSet set;
  for (const auto& entry : signatures) {
    // A certificate that nobody has checked yet may name anyone.
    if (entry.node.value < max_members) set.set(entry.node.value);
  }
  return set;
}

bool Certificate::has_signer(NodeId node) const {
  return std::any_of(signatures.begin(), signatures.end(), [node](const auto& entry) { return entry.node == node; });
}

}  // namespace zell
