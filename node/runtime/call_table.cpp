#include "node/runtime/call_table.h"

namespace zell {

CallTable::CallTable(uv_loop_t& loop, const HandleCountPtr& handles)
    : loop_(loop), timer_(&loop, handles, [this] { expire(); }) {}

CallId CallTable::add(std::shared_ptr<OpenCall> call, std::optional<std::chrono::milliseconds> timeout) {
  Entry entry{std::move(call), 0};
  auto id = ++last_id_;
  if (timeout) {
    entry.deadline_ms = uv_now(&loop_) + static_cast<std::uint64_t>(timeout->count());
    deadlines_.emplace(entry.deadline_ms, id);
  }
  calls_.emplace(id, std::move(entry));
  if (timeout) set_timer();
  return id;
}

std::shared_ptr<OpenCall> CallTable::remove(CallId id) {
  auto found = calls_.find(id);
  if (found == calls_.end()) return nullptr;
  auto call = std::move(found->second.call);
  if (found->second.deadline_ms != 0) deadlines_.erase({found->second.deadline_ms, id});
  calls_.erase(found);
  return call;
}

void CallTable::stop_all() {
  auto calls = std::move(calls_);
  calls_.clear();
  deadlines_.clear();
  timer_.stop();
  for (auto& [id, entry] : calls) entry.call->stop();
}

void CallTable::set_timer() {
  if (deadlines_.empty()) return timer_.stop();
  auto at = deadlines_.begin()->first;
  auto now = uv_now(&loop_);
  timer_.start(at > now ? at - now : 0);
}

void CallTable::expire() {
  auto now = uv_now(&loop_);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    auto call = remove(deadlines_.begin()->second);
    call->time_out();
  }
  set_timer();
}

}  // namespace zell
