#include "tests/simulation/chain_tree.h"

#include <utility>

namespace zell::simulation {
namespace {

constexpr std::size_t max_orphans = 64;

}  // namespace

void ChainTree::add(const LogPoint& parent, const RequestsPtr& requests, const LogPoint& end) {
  if (range_at(end)) return;
  if (!adopt({parent, requests, end})) {
    if (orphans_.size() < max_orphans) orphans_.push_back({parent, requests, end});
    return;
  }
  for (bool more = true; more;) {
    more = std::erase_if(orphans_, [this](const Orphan& orphan) { return adopt(orphan); }) > 0;
  }
}

/// False: its parent is not known.
bool ChainTree::adopt(const Orphan& batch) {
  const auto* start = range_at(batch.parent);
  if (!start) return false;
  CompactRange range = *start;
  Hash before = batch.parent.root;
  std::vector<std::pair<Hash, Prefix>> fresh;
  for (const auto& request : *batch.requests) {
    range.append(request->leaf);
    fresh.emplace_back(range.root(), Prefix{before, range});
    before = fresh.back().first;
  }
  if (before != batch.end.root || range.size() != batch.end.index.value) return true;
  for (auto& [root, prefix] : fresh) prefixes_.emplace(root, std::move(prefix));
  return true;
}

const CompactRange* ChainTree::range_at(const LogPoint& point) const {
  static const CompactRange empty;
  if (point == LogPoint{{}, empty_root()}) return &empty;
  auto found = prefixes_.find(point.root);
  return found != prefixes_.end() && found->second.range.size() == point.index.value ? &found->second.range : nullptr;
}

std::optional<bool> ChainTree::extends(const LogPoint& longer, const LogPoint& prefix) const {
  if (!range_at(longer) || !range_at(prefix)) return std::nullopt;
  if (longer.index < prefix.index) return false;
  Hash root = longer.root;
  for (auto i = longer.index.value; i > prefix.index.value; --i) root = prefixes_.at(root).parent;
  return root == prefix.root;
}

}  // namespace zell::simulation
