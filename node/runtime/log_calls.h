#pragma once
// Reading the log: from memory near its end, from the store before, waiting past it.

#include <functional>
#include <set>

#include "node/consensus/replica.h"
#include "node/runtime/call_table.h"
#include "node/runtime/recent_log.h"
#include "node/runtime/store_reads.h"

namespace zell {

/// Loop thread only. What it is given outlives it.
class LogCalls {
 public:
  using Done = std::function<void(Result<LogPage>)>;
  LogCalls(const Replica& replica, StoreReads& reads, const RecentLog& recent, CallTable& calls)
      : replica_(replica), reads_(reads), recent_(recent), calls_(calls) {}

  CallId read(const LogQuery& query, Done done);
  /// After steps: the log may be longer.
  void on_progress(const ReplicaStatus& status);

 private:
  struct Reading;

  /// Answers, or starts a read of the store; false if there is nothing at `from` yet.
  bool serve(CallId id, const LogQuery& query);
  void read_store(CallId id, const LogQuery& query);
  void answer(CallId id, LogPage page);
  void add_unfinalised(LogPage& page, const LogQuery& query, std::size_t room) const;
  [[nodiscard]] LogPage empty_page() const;
  [[nodiscard]] LogPage page_from_memory(const LogQuery& query) const;

  const Replica& replica_;
  StoreReads& reads_;
  const RecentLog& recent_;
  CallTable& calls_;
  std::set<CallId> waiting_;  ///< for the log to grow; may name calls that were given up since
  Index seen_sequenced_, seen_finalised_;
};

}  // namespace zell
