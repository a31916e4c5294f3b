#include "node/consensus/vote_collector.h"

namespace zell {

std::optional<Certificate> VoteCollector::add(const Vote& vote) {
  auto& tally = tallies_[{vote.phase, vote.point.index}];
  if (tally.votes.empty()) tally.point = vote.point;
  if (tally.complete || tally.point != vote.point || tally.votes.contains(vote.signer)) return std::nullopt;
  tally.votes.emplace(vote.signer, vote);
  tally.signers.set(vote.signer.value);
  if (!genesis_.is_quorum(tally.signers)) return std::nullopt;
  tally.complete = true;
  Certificate certificate{vote.phase, vote.view, vote.point, {}};
  for (const auto& [node, counted] : tally.votes) certificate.signatures.push_back({node, counted.signature});
  return certificate;
}

const Vote* VoteCollector::conflicting(const Vote& vote) const {
  auto tally = tallies_.find({vote.phase, vote.point.index});
  if (tally == tallies_.end()) return nullptr;
  auto earlier = tally->second.votes.find(vote.signer);
  if (earlier == tally->second.votes.end() || earlier->second.point == vote.point) return nullptr;
  return &earlier->second;
}

void VoteCollector::forget_through(Phase phase, Index index) {
  std::erase_if(tallies_, [&](const auto& item) { return item.first.first == phase && item.first.second <= index; });
}

void VoteCollector::clear() {
  tallies_.clear();
}

}  // namespace zell
