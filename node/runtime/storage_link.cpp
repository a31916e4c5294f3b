#include "node/runtime/storage_link.h"

#include "node/base/check.h"

namespace zell {

StorageLink::StorageLink(uv_loop_t& loop, std::unique_ptr<Store> store, Handler handler)
    : handler_(std::move(handler)), loop_(loop) {
  auto on_wake = [](uv_async_t* handle) { static_cast<StorageLink*>(handle->data)->drain(); };
  ZELL_CHECK(uv_async_init(&loop, &wake_, on_wake) == 0);
  wake_.data = this;
  auto on_committed = [this](const Result<std::uint64_t>& result) {
    std::lock_guard lock(mutex_);
    if (result.ok()) {
      durable_ = *result;
    } else if (!failure_) {
      failure_ = result.error();
    }
    uv_async_send(&wake_);
  };
  thread_ = std::make_unique<StorageThread>(std::move(store), StorageThread::Options{}, std::move(on_committed));
}

StorageLink::~StorageLink() {
  ZELL_CHECK(!thread_);
}

void StorageLink::commit(std::vector<StorageThread::Commit> commits) {
  ZELL_CHECK(!closing_);
  thread_->submit(std::move(commits));
}

Status StorageLink::read(std::function<void(Store&)> work, std::function<void()> done) {
  if (closing_) return Error{"stopped", "this node is shutting down", "ask another node"};
  return thread_->read([this, work = std::move(work), done = std::move(done)](Store& store) mutable {
    work(store);
    std::lock_guard lock(mutex_);
    done_.push_back(std::move(done));
    uv_async_send(&wake_);
  });
}

void StorageLink::drain() {
  std::optional<std::uint64_t> durable;
  std::optional<Error> failure;
  std::vector<std::function<void()>> done;
  {
    std::lock_guard lock(mutex_);
    durable.swap(durable_);
    failure = failure_;
    done.swap(done_);
  }
  if (durable) handler_.committed(*durable);
  if (failure && !std::exchange(told_failure_, true)) handler_.failed(*failure);
  for (auto& job : done) {
    if (!closing_) job();
  }
}

void StorageLink::close(std::function<void()> closed) {
  ZELL_CHECK(!closing_);
  closing_ = true;
  closed_ = std::move(closed);
  closing_work_.data = this;
  auto stop = [](uv_work_t* work) { static_cast<StorageLink*>(work->data)->thread_->stop(); };
  auto stopped = [](uv_work_t* work, int) {
    auto* self = static_cast<StorageLink*>(work->data);
    self->drain();
    self->thread_.reset();  // it has ended
    uv_close(reinterpret_cast<uv_handle_t*>(&self->wake_), [](uv_handle_t* handle) {
      auto done = std::move(static_cast<StorageLink*>(handle->data)->closed_);
      if (done) done();  // may destroy this
    });
  };
  ZELL_CHECK(uv_queue_work(&loop_, &closing_work_, stop, stopped) == 0);
}

}  // namespace zell
