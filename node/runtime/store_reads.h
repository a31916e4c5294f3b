#pragma once
// Reads that clients and peers cause, on the storage thread, and a bound on how many wait there.

#include <functional>
#include <memory>
#include <optional>

#include "node/storage/store.h"

namespace zell {

/// Loop thread only.
class StoreReads {
 public:
  /// Runs `work` on the storage thread, then `done` on the loop; or refuses, and runs neither.
  using Post = std::function<Status(std::function<void(Store&)> work, std::function<void()> done)>;

  StoreReads(Post post, std::size_t max_waiting) : post_(std::move(post)), max_waiting_(max_waiting) {}

  /// `done` gets what `work` returned, later, from the loop. When it can't be run, `done` gets the reason at once:
  /// "busy" (too many reads wait) or "stopped".
  template <class T>
  void read(std::function<Result<T>(Store&)> work, std::function<void(Result<T>)> done) {
    if (waiting_ >= max_waiting_) {
      return done(Error{"busy", "too many reads of the log wait for the disk", "try again in a second"});
    }
    auto result = std::make_shared<std::optional<Result<T>>>();
    auto shared_done = std::make_shared<std::function<void(Result<T>)>>(std::move(done));
    auto posted = post_([result, work = std::move(work)](Store& store) { result->emplace(work(store)); },
                        [this, result, shared_done] {
                          --waiting_;
                          (*shared_done)(std::move(**result));
                        });
    if (!posted.ok()) return (*shared_done)(posted.error());
    ++waiting_;
  }

 private:
  Post post_;
  const std::size_t max_waiting_;
  std::size_t waiting_ = 0;
};

}  // namespace zell
