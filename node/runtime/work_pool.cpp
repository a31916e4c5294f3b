#include "node/runtime/work_pool.h"

#include "node/base/check.h"

namespace zell {

WorkPool::WorkPool(uv_loop_t& loop, std::size_t threads, std::size_t max_queued) : max_queued_(max_queued) {
  ZELL_CHECK(threads >= 1);
  ZELL_CHECK(uv_async_init(&loop, &wake_, [](uv_async_t* handle) { static_cast<WorkPool*>(handle->data)->drain(); }) ==
             0);
  wake_.data = this;
  running_threads_ = threads + 1;
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(false); });
  threads_.emplace_back([this] { work(true); });
}

WorkPool::~WorkPool() {
  ZELL_CHECK(threads_.empty());
}

bool WorkPool::run(Priority priority, Job work, Job done) {
  if (closing_) return false;
  bool urgent = priority == Priority::urgent;
  bool enough_idle = false;
  {
    std::lock_guard lock(mutex_);
    auto& queue = urgent ? urgent_ : normal_;
    if (queue.size() >= max_queued_) return false;
    queue.push_back({std::move(work), std::move(done)});
    enough_idle = urgent_.size() + normal_.size() <= idle_;
  }
  ++in_flight_;
  ready_.notify_one();
  if (urgent && !enough_idle) urgent_ready_.notify_one();
  return true;
}

bool WorkPool::has_time_here() {
  if (in_flight_ > 0 || closing_) return false;
  // The loop's own time stands still while one callback runs, or nearly so.
  if (const auto now = uv_now(wake_.loop); now != here_at_ms_) {
    here_at_ms_ = now;
    done_here_ = 0;
  }
  return ++done_here_ <= checked_here_at_once;
}

void WorkPool::close(std::function<void()> closed) {
  ZELL_CHECK(!closing_);
  closing_ = true;
  closed_ = std::move(closed);
  std::deque<Task> dropped_urgent, dropped_normal;  // destroyed without the lock: what they own may be large
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    dropped_urgent.swap(urgent_);
    dropped_normal.swap(normal_);
  }
  ready_.notify_all();
  urgent_ready_.notify_all();
}

bool WorkPool::take(Task& task, bool urgent_only) {
  std::unique_lock lock(mutex_);
  auto& condition = urgent_only ? urgent_ready_ : ready_;
  if (!urgent_only) ++idle_;
  condition.wait(lock, [&] { return stop_ || !urgent_.empty() || (!urgent_only && !normal_.empty()); });
  if (!urgent_only) --idle_;
  if (stop_) return false;
  auto& queue = urgent_.empty() ? normal_ : urgent_;
  task = std::move(queue.front());
  queue.pop_front();
  return true;
}

void WorkPool::work(bool urgent_only) {
  Task task;
  while (take(task, urgent_only)) {
    task.work();
    task.work = nullptr;  // before the loop hears of it: `done` may count on being the last owner
    std::lock_guard lock(mutex_);
    done_.push_back(std::move(task.done));
    // Sent under the lock: once drain() has seen the last thread leave, nobody touches the handle again.
    uv_async_send(&wake_);
  }
  std::lock_guard lock(mutex_);
  --running_threads_;
  uv_async_send(&wake_);
}

void WorkPool::drain() {
  std::vector<Job> done;
  bool all_left = false;
  {
    std::lock_guard lock(mutex_);
    done.swap(done_);
    all_left = running_threads_ == 0;
  }
  in_flight_ -= done.size();
  for (auto& job : done) {
    if (!closing_ && job) job();
  }
  if (all_left && !threads_.empty()) finish_close();
}

void WorkPool::finish_close() {
  for (auto& thread : threads_) thread.join();  // each has left its loop: returns at once
  threads_.clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_), [](uv_handle_t* handle) {
    auto closed = std::move(static_cast<WorkPool*>(handle->data)->closed_);
    if (closed) closed();  // may destroy the pool
  });
}

}  // namespace zell
