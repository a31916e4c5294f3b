#include "node/runtime/log_calls.h"

namespace zell {
namespace {

std::size_t bytes_of(const std::vector<BatchPtr>& batches) {
  std::size_t total = 0;
  for (const auto& batch : batches) total += batch->request_bytes;
  return total;
}

}  // namespace

struct LogCalls::Reading : OpenCall {
  Reading(LogCalls& owner_in, const LogQuery& query_in, Done done_in)
      : owner(owner_in), query(query_in), done(std::move(done_in)) {}
  ~Reading() override { owner.waiting_.erase(id); }
  void time_out() override { done(owner.empty_page()); }
  void stop() override { done(Error{"stopped", "this node is shutting down", "ask another node"}); }

  LogCalls& owner;
  CallId id = 0;
  LogQuery query;
  Done done;
};

CallId LogCalls::read(const LogQuery& query, Done done) {
  if (query.from.value == 0) {
    done(Error{"bad-range", "the log starts at index 1", "ask from 1"});
    return 0;
  }
  if (calls_.full()) {
    done(Error{"busy", "too many calls wait here", "try again in a second, or another node"});
    return 0;
  }
  auto reading = std::make_shared<Reading>(*this, query, std::move(done));
  std::optional<std::chrono::milliseconds> timeout;
  if (query.timeout.count() > 0) timeout = query.timeout;
  auto id = reading->id = calls_.add(reading, timeout);
  reading.reset();
  if (serve(id, query)) return id;
  if (timeout) {
    waiting_.insert(id);
  } else {
    answer(id, empty_page());
  }
  return id;
}

void LogCalls::on_progress(const ReplicaStatus& status) {
  bool moved = status.sequenced.index != seen_sequenced_ || status.finalised.index != seen_finalised_;
  seen_sequenced_ = status.sequenced.index;
  seen_finalised_ = status.finalised.index;
  if (!moved || waiting_.empty()) return;
  auto waiting = waiting_;  // serving one may erase it, and run callbacks that add others
  for (auto id : waiting) {
    auto reading = calls_.find<Reading>(id);
    if (!reading) continue;
    auto query = reading->query;
    reading.reset();
    if (serve(id, query)) waiting_.erase(id);
  }
}

bool LogCalls::serve(CallId id, const LogQuery& query) {
  if (query.from <= recent_.end()) {
    auto page = page_from_memory(query);
    bool fits = !page.finalised.empty() && bytes_of(page.finalised) <= query.max_bytes;
    if (fits) {
      answer(id, std::move(page));
    } else {
      read_store(id, query);
    }
    return true;
  }
  if (!query.unfinalised) return false;
  auto page = empty_page();
  add_unfinalised(page, query, query.max_bytes);
  if (page.unfinalised.empty()) return false;
  answer(id, std::move(page));
  return true;
}

void LogCalls::read_store(CallId id, const LogQuery& query) {
  auto work = [query](Store& store) { return store.read_certified(Index{query.from.value - 1}, query.max_bytes); };
  auto done = [this, id, query](Result<LogRange> range) {
    auto reading = calls_.find<Reading>(id);
    if (!reading) return;
    if (!range.ok()) {
      auto removed = std::static_pointer_cast<Reading>(calls_.remove(id));
      return removed->done(range.error());
    }
    reading.reset();
    if (range->batches.empty()) {
      // Final, but its certificate is not stored yet: then it is in memory, however large the page becomes.
      return answer(id, page_from_memory(query));
    }
    auto page = empty_page();
    page.finalised = std::move(range->batches);
    page.fc = std::move(range->fc);
    auto bytes = bytes_of(page.finalised);
    if (query.unfinalised && bytes < query.max_bytes) add_unfinalised(page, query, query.max_bytes - bytes);
    answer(id, std::move(page));
  };
  reads_.read<LogRange>(std::move(work), std::move(done));
}

void LogCalls::answer(CallId id, LogPage page) {
  auto reading = std::static_pointer_cast<Reading>(calls_.remove(id));
  if (reading) reading->done(std::move(page));
}

LogPage LogCalls::empty_page() const {
  LogPage page;
  auto status = replica_.status();
  page.locked_index = status.locked.index;
  page.finalised_index = status.finalised.index;
  return page;
}

LogPage LogCalls::page_from_memory(const LogQuery& query) const {
  auto page = empty_page();
  auto fc = replica_.finality();
  page.finalised = recent_.since(query.from);
  // Only the newest certificate is here: a page from memory always goes up to it.
  if (page.finalised.empty() || !fc || fc->point != page.finalised.back()->header.end) {
    page.finalised.clear();
    return page;
  }
  page.fc = std::move(fc);
  auto bytes = bytes_of(page.finalised);
  if (query.unfinalised && bytes < query.max_bytes) add_unfinalised(page, query, query.max_bytes - bytes);
  return page;
}

void LogCalls::add_unfinalised(LogPage& page, const LogQuery& query, std::size_t room) const {
  auto next = page.finalised.empty() ? query.from : page.finalised.back()->header.end.index.next();
  for (const auto& batch : replica_.unfinalised()) {
    if (batch->header.end.index < next) continue;
    if (batch->header.first > next && page.unfinalised.empty()) return;  // the page ends below the finalised log's end
    if (batch->request_bytes > room && !(page.unfinalised.empty() && page.finalised.empty())) return;
    room -= std::min<std::size_t>(room, batch->request_bytes);
    page.unfinalised.push_back(batch);
  }
}

}  // namespace zell
