#pragma once
// Work that takes too long for the loop thread: decoding and checking what peers and clients send.

#include <uv.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace zell {

/// What is no longer than this is checked on the loop while the pool is idle: handing it over and back costs two
/// wake-ups, each about as long as the check of a signature. It holds at most 14 of them, less than a millisecond's
/// work.
inline constexpr std::size_t checked_here_bytes = 1'024;
/// So many a millisecond: a peer that sends a thousand small frames at once must not hold the loop.
inline constexpr std::size_t checked_here_at_once = 4;

/// Threads that take jobs, urgent ones first; results come back to the loop in batches. One thread more than `threads`
/// takes urgent jobs only, so that a vote never waits for the large proposals that keep the others busy.
/// Made, used and destroyed on the loop thread.
class WorkPool {
 public:
  enum class Priority : std::uint8_t { urgent, normal };
  using Job = std::function<void()>;

  /// `threads` >= 1. `max_queued`: jobs of each priority that wait for a thread.
  WorkPool(uv_loop_t& loop, std::size_t threads, std::size_t max_queued);
  /// REQUIRES: close() was called and has said so.
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  /// Runs `work` on a thread, then `done` on the loop. Jobs of one priority start in order, and may end in any.
  /// False, and nothing happens, if the queue of that priority is full or the pool is closing. Neither job may throw.
  [[nodiscard]] bool run(Priority priority, Job work, Job done);
  /// Jobs that wait or run, or whose `done` has not run yet.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  /// Nothing waits or runs here, and not much was done on the loop instead: one more small piece may be. It counts.
  [[nodiscard]] bool has_time_here();

  /// Drops what waits, lets what runs end, and then, from the loop, calls `closed`. No `done` runs after this call.
  void close(std::function<void()> closed);

 private:
  struct Task {
    Job work, done;
  };
  void work(bool urgent_only);
  bool take(Task& task, bool urgent_only);
  void drain();
  void finish_close();

  const std::size_t max_queued_;
  uv_async_t wake_{};
  std::size_t in_flight_ = 0;
  std::uint64_t here_at_ms_ = 0;  ///< the loop's time when pieces were last done there, and how many
  std::size_t done_here_ = 0;
  bool closing_ = false;
  std::function<void()> closed_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // guards all below
  std::condition_variable ready_, urgent_ready_;
  std::deque<Task> urgent_, normal_;
  std::vector<Job> done_;
  std::size_t running_threads_ = 0;
  std::size_t idle_ = 0;  ///< threads that wait for a job of either priority
  bool stop_ = false;
};

}  // namespace zell
