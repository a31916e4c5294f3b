#include "node/storage/branches.h"

#include <algorithm>

#include "node/base/check.h"

namespace zell {

BatchKey first_key(Index last) {
  ZELL_CHECK(last.value <= max_stored_index);
  return {static_cast<std::int64_t>(last.value << 16)};
}

BatchKey last_key(Index last) {
  return {first_key(last).value | static_cast<std::int64_t>(max_branches_per_index - 1)};
}

FinalisedLog::FinalisedLog(const std::vector<Hash>& blocks) {
  for (const auto& root : blocks) append_subtree(root, ReplayPoint::block_leaves);
}

void FinalisedLog::append_subtree(const Hash& subtree, std::uint64_t leaves) {
  range_.append_subtree(subtree, leaves);
  if (range_.size() % root_mark_distance == 0) marks_.push_back(range_);
}

const CompactRange& FinalisedLog::mark_below(Index index) const {
  ZELL_CHECK(index.value <= range_.size());
  return marks_[index.value / root_mark_distance];
}

Branches::Branches(FinalisedLog log, std::vector<Stored> stored)
    : log_(std::move(log)), finalised_{{log_.range().size()}, log_.range().root()} {
  for (auto& one : stored) {
    ZELL_CHECK(one.batch->header.first > finalised_.index);
    const auto end = one.batch->header.end;
    above_[end] = std::move(one);
  }
}

BatchKey Branches::free_key(Index last) const {
  // Branches at one index come from different views, and the core drops those it no longer needs: a handful at most.
  auto key = first_key(last);
  const auto taken = [&] {
    for (auto it = above_.lower_bound({last, Hash{}}); it != above_.end() && it->first.index == last; ++it) {
      if (it->second.key == key) return true;
    }
    return false;
  };
  while (taken()) ++key.value;
  ZELL_CHECK(key <= last_key(last));
  return key;
}

void Branches::add(const BatchPtr& batch, BatchChanges& changes) {
  const auto& header = batch->header;
  ZELL_CHECK(header.first.value >= 1 && header.end.index >= header.first);
  ZELL_CHECK(batch->count() == header.end.index.value - header.first.value + 1);
  if (header.end.index <= finalised_.index) return;
  BatchPtr kept = header.first <= finalised_.index ? cut(*batch) : batch;
  if (!kept) return;

  auto found = above_.find(header.end);
  if (found == above_.end()) {
    const auto key = free_key(header.end.index);
    found = above_.emplace(header.end, Stored{key, nullptr}).first;
  } else if (found->second.batch->header == kept->header) {
    return;
  }
  found->second.batch = kept;
  changes[found->second.key] = std::move(kept);
}

void Branches::drop(const LogPoint& end, BatchChanges& changes) {
  auto found = above_.find(end);
  if (found == above_.end()) return;
  changes[found->second.key] = nullptr;
  above_.erase(found);
}

bool Branches::finalise(const LogPoint& point, BatchChanges& changes) {
  if (point.index <= finalised_.index) return false;
  std::vector<std::map<LogPoint, Stored>::iterator> chain;
  for (auto at = point; at != finalised_; at = chain.back()->second.batch->header.parent()) {
    auto found = above_.find(at);
    ZELL_CHECK(found != above_.end());
    chain.push_back(found);
  }
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    for (const auto& request : *(*it)->second.batch->requests) log_.append(request->leaf);
    above_.erase(*it);
  }
  ZELL_CHECK(log_.range().size() == point.index.value && log_.range().root() == point.root);
  finalised_ = point;
  remove_or_cut_others(changes);
  return true;
}

void Branches::remove_or_cut_others(BatchChanges& changes) {
  for (auto it = above_.begin(); it != above_.end();) {
    const auto& header = it->second.batch->header;
    // One chain may be cut in two ways: by a faulty leader, or by whoever served it.
    const bool reaches_in = header.first <= finalised_.index;
    BatchPtr rest = header.end.index > finalised_.index && reaches_in ? cut(*it->second.batch) : nullptr;
    if (!reaches_in) {
      ++it;
    } else if (rest) {
      changes[it->second.key] = rest;
      it->second.batch = std::move(rest);
      ++it;
    } else {
      changes[it->second.key] = nullptr;
      it = above_.erase(it);
    }
  }
}

BatchPtr Branches::cut(const Batch& batch) const {
  auto range = log_.range();
  const auto skipped = finalised_.index.value - batch.header.first.value + 1;
  for (auto i = skipped; i < batch.count(); ++i) range.append((*batch.requests)[i]->leaf);
  return range.root() == batch.header.end.root ? batch_after(batch, finalised_) : nullptr;
}

}  // namespace zell
