#include "node/runtime/hold_queue.h"

#include <algorithm>

namespace zell {

bool HoldQueue::may_go(Send& send, bool own) {
  if (send.after <= durable_) return true;
  if (!failed_) held_[send.after].push_back({next_order_++, own, std::move(send)});
  return false;
}

std::vector<Send> HoldQueue::persisted(PersistId id) {
  ZELL_CHECK(id >= durable_);
  ZELL_CHECK(!failed_ || id == durable_);
  durable_ = id;
  std::vector<Held> released;
  auto end = held_.upper_bound(id);
  for (auto it = held_.begin(); it != end; ++it) {
    std::move(it->second.begin(), it->second.end(), std::back_inserter(released));
  }
  held_.erase(held_.begin(), end);
  std::sort(released.begin(), released.end(), [](const Held& a, const Held& b) { return a.order < b.order; });
  std::vector<Send> out;
  out.reserve(released.size());
  for (auto& held : released) out.push_back(std::move(held.send));
  return out;
}

void HoldQueue::drop_own() {
  for (auto it = held_.begin(); it != held_.end();) {
    std::erase_if(it->second, [](const Held& held) { return held.own; });
    it = it->second.empty() ? held_.erase(it) : std::next(it);
  }
}

void HoldQueue::persist_failed() {
  failed_ = true;
  held_.clear();
}

std::size_t HoldQueue::held() const {
  std::size_t count = 0;
  for (const auto& [id, sends] : held_) count += sends.size();
  return count;
}

}  // namespace zell
