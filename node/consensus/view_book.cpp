#include "node/consensus/view_book.h"

#include "node/wire/verifier.h"

namespace zell {

bool ChallengeBook::add(const SignedChallenge& challenge) {
  auto [at, fresh] = slots_.try_emplace(challenge.node, challenge);
  if (fresh) return true;
  if (challenge.view <= at->second.view) return false;
  at->second = challenge;
  return true;
}

std::optional<View> ChallengeBook::challenged() const {
  std::vector<SignedChallenge> all;
  for (const auto& [node, challenge] : slots_) all.push_back(challenge);
  return challenged_view(genesis_, all);
}

std::vector<SignedChallenge> ChallengeBook::against(View view) const {
  std::vector<SignedChallenge> out;
  for (const auto& [node, challenge] : slots_) {
    if (challenge.view >= view) out.push_back(challenge);
  }
  return out;
}

bool ViewChangeBook::add(const ViewChange& change) {
  auto [at, fresh] = slots_.try_emplace(change.signed_part.node, change);
  if (fresh) return true;
  const auto& held = at->second.signed_part;
  const auto& news = change.signed_part;
  if (news.view < held.view || (news.view == held.view && news.lock.rank() <= held.lock.rank())) return false;
  at->second = change;
  return true;
}

std::vector<const ViewChange*> ViewChangeBook::for_view(View view) const {
  std::vector<const ViewChange*> out;
  for (const auto& [node, change] : slots_) {
    if (change.signed_part.view == view) out.push_back(&change);
  }
  return out;
}

bool ViewChangeBook::quorum_for(View view) const {
  MemberSet set;
  for (const auto* change : for_view(view)) set.set(change->signed_part.node.value);
  return genesis_.is_quorum(set);
}

const ViewChange* ViewChangeBook::of(NodeId node) const {
  auto found = slots_.find(node);
  return found == slots_.end() ? nullptr : &found->second;
}

}  // namespace zell
