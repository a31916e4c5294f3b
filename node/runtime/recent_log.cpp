#include "node/runtime/recent_log.h"

#include <algorithm>

#include "node/base/check.h"

namespace zell {

void RecentLog::add(const BatchPtr& batch) {
  ZELL_CHECK(batch->header.first == end().next());
  auto index = batch->header.first;
  for (const auto& request : *batch->requests) {
    ids_.insert_or_assign(request->id, Located{index, batch->header.view});
    index = index.next();
  }
  bytes_ += batch->request_bytes;
  batches_.push_back(batch);
  trim();
}

void RecentLog::durable_to(Index index) {
  durable_ = std::max(durable_, index);
  trim();
}

void RecentLog::trim() {
  while (!batches_.empty() && (bytes_ > kept_bytes || ids_.size() > kept_requests)) {
    const auto& oldest = *batches_.front();
    if (oldest.header.end.index > durable_) return;
    for (const auto& request : *oldest.requests) ids_.erase(request->id);
    bytes_ -= oldest.request_bytes;
    start_ = oldest.header.end.index;
    batches_.pop_front();
  }
}

std::optional<Located> RecentLog::find(const RequestId& id) const {
  auto found = ids_.find(id);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<BatchPtr> RecentLog::since(Index from) const {
  if (from <= start_ || from > end()) return {};
  auto first = std::partition_point(batches_.begin(), batches_.end(),
                                    [from](const BatchPtr& batch) { return batch->header.end.index < from; });
  return {first, batches_.end()};
}

RequestPtr RecentLog::request(Index index) const {
  if (index <= start_ || index > end()) return nullptr;
  auto batch = std::partition_point(batches_.begin(), batches_.end(),
                                    [index](const BatchPtr& b) { return b->header.end.index < index; });
  return (*(*batch)->requests)[index.value - (*batch)->header.first.value];
}

}  // namespace zell
