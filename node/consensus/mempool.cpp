#include "node/consensus/mempool.h"

#include <algorithm>

#include "node/base/check.h"

namespace zell {

LocalPool::Entry* LocalPool::find(const RequestId& id) {
  auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}
const LocalPool::Entry* LocalPool::find(const RequestId& id) const {
  auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

bool LocalPool::has_room(const Request& request) const {
  return entries_.size() < options_.pool_max_requests && bytes_ + request.canonical.size() <= options_.pool_max_bytes;
}

bool LocalPool::has_room_for_relayed(const Request& request, NodeId by, std::size_t nodes) const {
  const auto found = relayed_.find(by);
  const auto share = found == relayed_.end() ? Share{} : found->second;
  const auto size = request.canonical.size();
  return has_room(request) && share.count < max_relayed_per_node &&
         share.bytes + size <= std::max(least_relayed_bytes, options_.pool_max_bytes / (2 * nodes)) &&
         all_relayed_.count < options_.pool_max_requests / 2 &&
         all_relayed_.bytes + size <= options_.pool_max_bytes / 2;
}

LocalPool::Entry& LocalPool::add(RequestPtr request, bool submitted, NodeId relayed_by) {
  auto [at, fresh] = entries_.try_emplace(request->id);
  ZELL_CHECK(fresh);
  auto& entry = at->second;
  entry.request = std::move(request);
  entry.order = next_order_++;
  entry.submitted = submitted;
  entry.relayed_by = relayed_by;
  bytes_ += entry.request->canonical.size();
  waiting_[entry.order] = &entry;
  slots_[slot_of(*entry.request)].push_back(&entry);
  if (!submitted) {
    for (auto* share : {&relayed_[relayed_by], &all_relayed_}) {
      ++share->count;
      share->bytes += entry.request->canonical.size();
    }
  }
  return entry;
}

void LocalPool::now_submitted(Entry& entry) {
  release_share(entry);
  entry.submitted = true;
}

void LocalPool::remove(const RequestId& id) {
  auto found = entries_.find(id);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  waiting_.erase(entry.order);
  forwarded_.erase(entry.order);
  blocked_.erase(entry.order);
  owed_.erase(entry.order);
  bytes_ -= entry.request->canonical.size();
  auto slot = slots_.find(slot_of(*entry.request));
  std::erase(slot->second, &entry);
  if (slot->second.empty()) slots_.erase(slot);
  release_share(entry);
  entries_.erase(found);
}

void LocalPool::release_share(const Entry& entry) {
  if (entry.submitted) return;
  for (auto* share : {&relayed_[entry.relayed_by], &all_relayed_}) {
    --share->count;
    share->bytes -= entry.request->canonical.size();
  }
}

std::vector<LocalPool::Entry*> LocalPool::waiting(std::size_t limit) {
  std::vector<Entry*> out;
  for (const auto& [order, entry] : waiting_) {
    if (out.size() == limit) break;
    out.push_back(entry);
  }
  return out;
}

std::vector<LocalPool::Entry*> LocalPool::forwarded_entries() {
  std::vector<Entry*> out;
  for (const auto& [order, entry] : forwarded_) out.push_back(entry);
  return out;
}

std::vector<LocalPool::Entry*> LocalPool::forwarded_before(Instant when) {
  std::vector<Entry*> out;
  for (const auto& [order, entry] : forwarded_) {
    if (entry->forwarded_at <= when && !entry->owed_since) out.push_back(entry);
  }
  return out;
}

void LocalPool::mark_owed(Entry& entry, std::uint64_t proposed) {
  entry.owed_since = proposed;
  owed_[entry.order] = &entry;
}

std::vector<LocalPool::Entry*> LocalPool::owed_entries() {
  std::vector<Entry*> out;
  for (const auto& [order, entry] : owed_) out.push_back(entry);
  return out;
}

std::vector<LocalPool::Entry*> LocalPool::blocked_entries() {
  std::vector<Entry*> out;
  for (const auto& [order, entry] : blocked_) out.push_back(entry);
  return out;
}

void LocalPool::set_where(Entry& entry, Where where) {
  waiting_.erase(entry.order);
  forwarded_.erase(entry.order);
  entry.where = where;
  if (where == Where::in_log) {
    blocked_.erase(entry.order);
    entry.blocked_at.reset();
  }
  if (where != Where::forwarded) {
    entry.owed_since.reset();
    owed_.erase(entry.order);
  }
  ZELL_CHECK(!entry.blocked_at);
  if (where == Where::waiting) waiting_[entry.order] = &entry;
  if (where == Where::forwarded) forwarded_[entry.order] = &entry;
}

void LocalPool::block(Entry& entry, Index at) {
  waiting_.erase(entry.order);
  forwarded_.erase(entry.order);
  entry.where = Where::waiting;
  entry.blocked_at = at;
  entry.owed_since.reset();
  owed_.erase(entry.order);
  blocked_[entry.order] = &entry;
}

void LocalPool::unblock(Entry& entry) {
  entry.blocked_at.reset();
  blocked_.erase(entry.order);
  set_where(entry, Where::waiting);
}

std::vector<LocalPool::Entry*> LocalPool::rivals(const Request& request) {
  std::vector<Entry*> out;
  auto found = slots_.find(slot_of(request));
  if (found == slots_.end()) return out;
  for (auto* entry : found->second) {
    if (entry->request->id != request.id) out.push_back(entry);
  }
  return out;
}

void LocalPool::forget_forwarding(std::optional<Instant> disconnected_at) {
  for (auto* entry : forwarded_entries()) {
    entry->waited = disconnected_at ? *disconnected_at - entry->forwarded_at : Duration{};
    set_where(*entry, Where::waiting);
  }
  if (disconnected_at) return;
  for (const auto& [order, entry] : waiting_) entry->waited = Duration{};
}

bool ForwardQueues::push(NodeId from, const RequestPtr& request) {
  if (ids_.contains(request->id)) return true;
  auto& queue = queues_[from];
  if (queue.size() >= quota_) return false;
  ids_.insert(request->id);
  bytes_ += request->canonical.size();
  queue.push_back(request);
  return true;
}

RequestPtr ForwardQueues::pop() {
  if (ids_.empty()) return nullptr;
  auto at = queues_.upper_bound(last_);
  for (std::size_t tried = 0;; ++tried, ++at) {
    ZELL_CHECK(tried <= queues_.size());  // what ids_ names is in one of them
    if (at == queues_.end()) at = queues_.begin();
    if (!at->second.empty()) break;
  }
  auto request = at->second.front();
  at->second.pop_front();
  last_ = at->first;
  ids_.erase(request->id);
  bytes_ -= request->canonical.size();
  return request;
}

void ForwardQueues::push_front(NodeId from, const RequestPtr& request) {
  ids_.insert(request->id);
  bytes_ += request->canonical.size();
  queues_[from].push_front(request);
}

void ForwardQueues::clear() {
  queues_.clear();
  ids_.clear();
  bytes_ = 0;
}

}  // namespace zell
