#include "node/consensus/evidence.h"

#include "node/wire/delta.h"

namespace zell {

namespace {

/// An honest leader's proposals of one view tile one chain, and are resent verbatim. REQUIRES: a ends at or below b's
/// end.
bool contradict(const ProposalHeader& a, const ProposalHeader& b) {
  bool same = a.first == b.first && a.end == b.end && a.parent_root == b.parent_root;
  if (same) return false;
  bool overlap = b.first <= a.end.index;
  bool adjoin = b.first == a.end.index.next() && b.parent_root != a.end.root;
  return overlap || adjoin;
}

}  // namespace

EvidencePtr EvidenceWatch::saw_header(const ProposalHeader& header) {
  for (const auto& [first, seen] : headers_) {
    const auto& low = seen.end.index <= header.end.index ? seen : header;
    const auto& high = &low == &seen ? header : seen;
    if (contradict(low, high)) return std::make_shared<Evidence>(TwoProposals{low, high, {}, {}});
  }
  // A leader can sign as many headers as it likes; those that fit are as many as there are batches in flight.
  constexpr std::size_t max_headers = 256;  // 2 * W at the most: W <= 64
  if (headers_.size() < max_headers) headers_.emplace(header.first, header);
  return nullptr;
}

void EvidenceWatch::saw_final(const Vote& vote) {
  auto [at, fresh] = finals_.try_emplace(vote.signer, vote);
  if (fresh) return;
  if (Rank{vote.view, vote.point.index} > Rank{at->second.view, at->second.point.index}) at->second = vote;
}

EvidencePtr EvidenceWatch::saw_change(const SignedViewChange& change) const {
  auto found = finals_.find(change.node);
  if (found == finals_.end()) return nullptr;
  const auto& final = found->second;
  if (change.view <= final.view || change.lock.rank() >= Rank{final.view, final.point.index}) return nullptr;
  return std::make_shared<Evidence>(HiddenLock{final, change});
}

void EvidenceWatch::forget_through(Index finalised) {
  std::erase_if(headers_, [&](const auto& item) { return item.second.end.index <= finalised; });
}

bool EvidenceWatch::is_new(const Evidence& evidence, NodeId guilty) {
  if (known_.size() >= max_stored_evidence) return false;
  return known_.emplace(evidence.index(), guilty, view_of(evidence)).second;
}

}  // namespace zell
