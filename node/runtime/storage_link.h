#pragma once
// The storage thread as the loop sees it: commits and reads go there, and come back as calls on the loop.

#include <uv.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "node/storage/storage_thread.h"

namespace zell {

/// Made, used and destroyed on the loop thread.
class StorageLink {
 public:
  struct Handler {
    std::function<void(std::uint64_t id)> committed;  ///< this commit, and all before it, are durable
    std::function<void(const Error& why)> failed;     ///< once: nothing will be durable any more
  };

  /// REQUIRES: the store is recovered.
  StorageLink(uv_loop_t& loop, std::unique_ptr<Store> store, Handler handler);
  /// REQUIRES: close() was called and has said so.
  ~StorageLink();
  StorageLink(const StorageLink&) = delete;
  StorageLink& operator=(const StorageLink&) = delete;

  /// REQUIRES: close() was not called; ids go on ascending.
  void commit(std::vector<StorageThread::Commit> commits);
  /// Runs `work` on the storage thread, then `done` on the loop. Codes: "busy", "stopped".
  [[nodiscard]] Status read(std::function<void(Store&)> work, std::function<void()> done);

  /// REQUIRES: close() was not called.
  [[nodiscard]] StorageThread::Counts counts() const { return thread_->counts(); }

  /// Writes what was handed over and closes the store, off the loop; the handler still hears of those commits. Then
  /// calls `closed` from the loop. No `done` of a read runs after this call.
  void close(std::function<void()> closed);

 private:
  void drain();

  Handler handler_;
  uv_loop_t& loop_;
  uv_async_t wake_{};
  uv_work_t closing_work_{};
  std::function<void()> closed_;
  bool closing_ = false, told_failure_ = false;

  std::mutex mutex_;  // guards what follows, up to the thread
  std::optional<std::uint64_t> durable_;
  std::optional<Error> failure_;
  std::vector<std::function<void()>> done_;

  std::unique_ptr<StorageThread> thread_;  // last: its callbacks use what is above
};

}  // namespace zell
