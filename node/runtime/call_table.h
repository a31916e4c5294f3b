#pragma once
// Calls of the API that have not been answered yet, and when they give up.

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "node/http/node_api.h"
#include "node/transport/uv_handles.h"

namespace zell {

inline constexpr std::size_t max_open_calls = 4'096;

/// One waiting call. Destroying it forgets its callback.
class OpenCall {
 public:
  virtual ~OpenCall() = default;
  /// Its time is over, and it has been taken out of the table: answer with what there is.
  virtual void time_out() = 0;
  /// The node shuts down, and it has been taken out of the table: answer so.
  virtual void stop() = 0;
};

/// Loop thread only.
class CallTable {
 public:
  CallTable(uv_loop_t& loop, const HandleCountPtr& handles);

  [[nodiscard]] bool full() const { return calls_.size() >= max_open_calls; }
  [[nodiscard]] std::size_t size() const { return calls_.size(); }
  /// The id of the next call that is added.
  CallId add(std::shared_ptr<OpenCall> call, std::optional<std::chrono::milliseconds> timeout);
  /// Null if it was answered or cancelled. REQUIRES: the id was given to a call of type T.
  template <class T>
  [[nodiscard]] std::shared_ptr<T> find(CallId id) const {
    auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : std::static_pointer_cast<T>(found->second.call);
  }
  /// Whoever removes it answers it, or has it forgotten.
  std::shared_ptr<OpenCall> remove(CallId id);
  /// Tells all calls to stop, and has none from then on.
  void stop_all();

 private:
  struct Entry {
    std::shared_ptr<OpenCall> call;
    std::uint64_t deadline_ms = 0;  ///< on the loop's clock; 0: none
  };
  void set_timer();
  void expire();

  uv_loop_t& loop_;
  Timer timer_;
  CallId last_id_ = 0;
  std::unordered_map<CallId, Entry> calls_;
  std::set<std::pair<std::uint64_t, CallId>> deadlines_;
};

}  // namespace zell
