#include "node/consensus/ordered_log.h"

#include <algorithm>

#include "node/base/check.h"

namespace zell {

OrderedLog::OrderedLog(CompactRange finalised, NonceWindows nonces)
    : finalised_range_(std::move(finalised)),
      finalised_{{finalised_range_.size()}, finalised_range_.root()},
      nonces_(std::move(nonces)) {}

std::vector<BatchPtr> OrderedLog::unfinalised() const {
  std::vector<BatchPtr> out;
  out.reserve(entries_.size());
  for (const auto& entry : entries_) out.push_back(entry.batch);
  return out;
}

bool OrderedLog::on_chain(const LogPoint& point) const {
  return point.index < finalised_.index || range_at(point) != nullptr;
}

const CompactRange* OrderedLog::range_at(const LogPoint& point) const {
  if (point == finalised_) return &finalised_range_;
  const auto* entry = entry_ending_at(point.index);
  return entry && entry->batch->header.end == point ? &entry->after : nullptr;
}

bool OrderedLog::known(const LogPoint& point) const {
  return point.index < finalised_.index || path(finalised_.index, point).has_value();
}

Index OrderedLog::find(const RequestId& id) const {
  auto found = positions_.find(id);
  return found == positions_.end() ? Index{} : found->second;
}

BatchPtr OrderedLog::batch_ending_at(Index index) const {
  const auto* entry = entry_ending_at(index);
  return entry ? entry->batch : nullptr;
}

/// A peer may serve a batch for each request, and ask often: by halves.
const OrderedLog::Entry* OrderedLog::entry_ending_at(Index index) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), index, [](const Entry& entry, Index wanted) {
    return entry.batch->header.end.index < wanted;
  });
  return found != entries_.end() && found->batch->header.end.index == index ? &*found : nullptr;
}

Hash OrderedLog::root_after(const Requests& requests) const {
  CompactRange range = tip_range();
  for (const auto& request : requests) range.append(request->leaf);
  return range.root();
}

OrderedLog::Verdict OrderedLog::check(const Batch& batch) {
  if (batch.header.parent() != tip()) return {Fit::wrong_parent, 0};
  if (batch.header.end.index.value != tip().index.value + batch.count()) return {Fit::wrong_root, 0};
  if (root_after(*batch.requests) != batch.header.end.root) return {Fit::wrong_root, 0};
  // Within the batch every (sender, nonce) must be new, and the window moves as requests enter it.
  std::vector<NonceWindows::Undo> done;
  Verdict verdict;
  for (std::uint32_t i = 0; i < batch.count(); ++i) {
    const auto& request = *(*batch.requests)[i];
    if (nonces_.check(request.sender, request.nonce) != NonceVerdict::fresh) {
      verdict = {Fit::bad_nonce, i};
      break;
    }
    done.push_back(nonces_.insert(request.sender, request.nonce));
  }
  for (auto undo = done.rbegin(); undo != done.rend(); ++undo) nonces_.undo(*undo);
  return verdict;
}

void OrderedLog::append(BatchPtr batch) {
  ZELL_CHECK(batch->header.parent() == tip());
  Entry entry{std::move(batch), tip_range(), {}};
  auto index = entry.batch->header.first;
  entry.undo.reserve(entry.batch->count());
  for (const auto& request : *entry.batch->requests) {
    entry.after.append(request->leaf);
    entry.undo.push_back(nonces_.insert(request->sender, request->nonce));
    positions_[request->id] = index;
    index = index.next();
  }
  LogPoint reached{{entry.after.size()}, entry.after.root()};
  ZELL_CHECK(reached == entry.batch->header.end);
  side_.erase(reached);
  entries_.push_back(std::move(entry));
}

void OrderedLog::pop() {
  auto& entry = entries_.back();
  for (auto undo = entry.undo.rbegin(); undo != entry.undo.rend(); ++undo) nonces_.undo(*undo);
  for (const auto& request : *entry.batch->requests) positions_.erase(request->id);
  keep_aside(entry.batch);
  entries_.pop_back();
}

void OrderedLog::cut_to(const LogPoint& point) {
  ZELL_CHECK(range_at(point) != nullptr);
  while (tip() != point) pop();
}

bool OrderedLog::switch_to(const LogPoint& target) {
  auto way = path(finalised_.index, target);
  ZELL_CHECK(way.has_value());
  LogPoint before = tip();
  auto next = way->begin();
  LogPoint common = finalised_;
  while (next != way->end() && range_at((*next)->header.end) != nullptr) common = (*next++)->header.end;
  cut_to(common);
  for (; next != way->end(); ++next) {
    if (check(**next).fit != Fit::ok) {
      auto back = path(finalised_.index, before);
      ZELL_CHECK(back.has_value());
      cut_to(common);
      for (const auto& batch : *back) {
        if (batch->header.first > common.index) append(batch);
      }
      return false;
    }
    append(*next);
  }
  return true;
}

std::vector<BatchPtr> OrderedLog::split_at(const LogPoint& point) {
  const auto* range = &finalised_range_;
  for (auto it = entries_.begin(); it != entries_.end(); range = &it->after, ++it) {
    const auto& header = it->batch->header;
    if (point.index < header.first) return {};
    if (point.index >= header.end.index) continue;
    const auto count = static_cast<std::ptrdiff_t>(point.index.value - header.first.value + 1);
    CompactRange there = *range;
    for (std::ptrdiff_t i = 0; i < count; ++i) there.append((*it->batch->requests)[static_cast<std::size_t>(i)]->leaf);
    if (there.root() != point.root) return {};
    std::vector<BatchPtr> parts{batch_until(*it->batch, point), batch_after(*it->batch, point)};
    Entry head{parts[0], std::move(there), {it->undo.begin(), it->undo.begin() + count}};
    it->batch = parts[1];
    it->undo.erase(it->undo.begin(), it->undo.begin() + count);
    entries_.insert(it, std::move(head));
    side_.erase(point);  // it may have been another way to get there
    return parts;
  }
  return {};
}

void OrderedLog::keep_aside(const BatchPtr& batch) {
  if (batch->header.end.index > finalised_.index) side_[batch->header.end] = batch;
}

std::optional<std::vector<BatchPtr>> OrderedLog::path(Index from, const LogPoint& target) const {
  std::vector<BatchPtr> out;
  LogPoint at = target;
  while (at.index > from) {
    BatchPtr batch = batch_ending_at(at.index);
    if (!batch || batch->header.end != at) {
      auto found = side_.find(at);
      if (found == side_.end()) return std::nullopt;
      batch = found->second;
    }
    out.push_back(batch);
    at = batch->header.parent();
  }
  if (at.index <= finalised_.index && at != finalised_) return std::nullopt;
  std::reverse(out.begin(), out.end());
  return out;
}

std::set<LogPoint> OrderedLog::forget_side_except(const std::vector<LogPoint>& wanted) {
  if (side_.empty()) return {};
  std::set<LogPoint> needed;
  for (const auto& point : wanted) {
    if (auto way = path(finalised_.index, point)) {
      for (const auto& batch : *way) needed.insert(batch->header.end);
    }
  }
  std::set<LogPoint> forgotten;
  std::erase_if(side_, [&](const auto& item) {
    if (needed.contains(item.first)) return false;
    forgotten.insert(item.first);
    return true;
  });
  return forgotten;
}

NonceWindows OrderedLog::finalised_nonces() const {
  auto out = nonces_;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    for (auto undo = entry->undo.rbegin(); undo != entry->undo.rend(); ++undo) out.undo(*undo);
  }
  return out;
}

std::vector<BatchPtr> OrderedLog::finalise(const LogPoint& point) {
  ZELL_CHECK(range_at(point) != nullptr);
  std::vector<BatchPtr> out;
  while (finalised_ != point) {
    auto& entry = entries_.front();
    for (const auto& request : *entry.batch->requests) positions_.erase(request->id);
    out.push_back(entry.batch);
    finalised_range_ = std::move(entry.after);
    finalised_ = entry.batch->header.end;
    entries_.pop_front();
  }
  std::erase_if(side_, [&](const auto& item) { return item.first.index <= finalised_.index; });
  cut_side_batches();
  return out;
}

/// A side batch that reaches into what is final, and agrees with it, leads on from there.
void OrderedLog::cut_side_batches() {
  for (auto& [end, batch] : side_) {
    if (batch->header.first > finalised_.index) continue;
    auto rest = batch_after(*batch, finalised_);
    CompactRange range = finalised_range_;
    for (const auto& request : *rest->requests) range.append(request->leaf);
    if (range.root() == end.root) batch = std::move(rest);
  }
}

}  // namespace zell
