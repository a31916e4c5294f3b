#include "node/crypto/hash.h"
#include "tests/simulation/liars/liar.h"

namespace zell::simulation {
namespace {

using std::chrono::milliseconds;

Lock no_lock() {
  return {View{}, {Index{}, empty_root()}};
}

}  // namespace

void Liar::tell_vote(const MessagePtr& message, NodeId to, Out& out) {
  const auto& truth = std::get<Vote>(*message);
  out.push_back({to, message});
  auto twice = truth.phase == Phase::lock ? Behaviour::double_lock : Behaviour::double_final;
  if (!does(twice)) return;
  Vote lie = truth;
  // The other root is that of the log that the gang shows to others, if there is one, so that both can be certified.
  const auto& fork = gang_->fork;
  bool on_fork = fork && fork->view == truth.view && fork->range.size() == truth.point.index.value;
  lie.point.root = on_fork && fork->tip().root != truth.point.root ? fork->tip().root : sha256(truth.point.root.view());
  lied(twice);
  out.push_back({to, signed_lie(lie)});
}

/// A FINAL for what was only just proposed.
void Liar::vote_early(const Proposal& proposal) {
  if (!now_and_then(Behaviour::early_final, 300'000)) return;
  lied(Behaviour::early_final);
  auto leader = genesis_.leader(proposal.header.view);
  if (leader == self_) return;
  pending_.push_back({leader, signed_lie(Vote{Phase::final, proposal.header.view, proposal.header.end, self_, {}})});
}

void Liar::tell_view_change(const MessagePtr& message, NodeId to, Out& out) {
  const auto& truth = std::get<ViewChange>(*message);
  View view = truth.signed_part.view;
  gang_->changes[view][self_] = truth;
  if (now_and_then(Behaviour::forge, 300'000) && view.value > 1) {
    lied(Behaviour::forge);
    ViewChange lie{{self_, view, {{view.value - 1}, no_lock().point}, {}}, {}, {}};
    return out.push_back({to, signed_lie(lie)});
  }
  if (!does(Behaviour::hide_lock) || !truth.lc || !gang_->chooses(view, 100, 700'000)) {
    return out.push_back({to, message});
  }
  lied(Behaviour::hide_lock);
  ViewChange lie;
  lie.signed_part = {self_, view, no_lock(), {}};
  out.push_back({to, signed_lie(lie)});
}

/// Two proposals that the leader never signed.
EvidencePtr Liar::evidence_of_nothing(Reason reason) const {
  if (reason != Reason::equivocation) return nullptr;
  TwoProposals lie;
  lie.a.view = lie.b.view = view_;
  lie.a.first = lie.b.first = lie.a.end.index = lie.b.end.index = {1};
  lie.a.parent_root = lie.b.parent_root = empty_root();
  lie.b.end.root.bytes[0] = 1;
  return std::make_shared<const Evidence>(lie);
}

/// Says that the newest view's leader is at fault; and brings up what others once said.
void Liar::challenge_falsely(Out& out) {
  auto& random = gang_->random;
  if (does(Behaviour::false_challenge) && (challenged_ < view_ || random.chance(5'000))) {
    challenged_ = view_;
    lied(Behaviour::false_challenge);
    auto reason = static_cast<Reason>(1 + random.below(6));
    to_all(signed_lie(Challenge{{self_, view_, reason, {}}, evidence_of_nothing(reason), {}}), out);
  }
  if (!now_and_then(Behaviour::hoard_challenges, 10'000) || gang_->hoard.empty()) return;
  lied(Behaviour::hoard_challenges);
  auto hoard = gang_->hoard;
  for (const auto& [member, secret] : gang_->secrets()) {
    Challenge own{{member, view_, Reason::stalled, {}}, nullptr, {}};
    hoard[member] = std::get<Challenge>(gang_->sign(own, member)).signed_part;
  }
  ChallengeCertificate certificate;
  for (const auto& [node, challenge] : hoard) certificate.challenges.push_back(challenge);
  to_all(std::make_shared<const Message>(std::move(certificate)), out);
}

}  // namespace zell::simulation
