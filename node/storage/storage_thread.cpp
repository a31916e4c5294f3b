#include "node/storage/storage_thread.h"

namespace zell {

namespace {

std::size_t bytes_of(const Delta& delta) {
  std::size_t bytes = 0;
  for (const auto& batch : delta.batches) bytes += batch->request_bytes;
  return bytes;
}

}  // namespace

StorageThread::StorageThread(std::unique_ptr<Store> store, Options options, OnCommitted on_committed)
    : store_(std::move(store)), options_(options), on_committed_(std::move(on_committed)), thread_([this] { run(); }) {}

StorageThread::~StorageThread() {
  stop();
}

void StorageThread::submit(std::vector<Commit> commits) {
  {
    std::lock_guard hold(mutex_);
    ZELL_CHECK(!stopping_);
    for (auto& commit : commits) {
      ZELL_CHECK(commits_.empty() || commits_.back().id < commit.id);
      commits_.push_back(std::move(commit));
    }
  }
  wake_.notify_one();
}

Status StorageThread::read(Read job) {
  {
    std::lock_guard hold(mutex_);
    if (stopping_) return Error{"stopped", "the node is stopping", ""};
    if (reads_.size() >= options_.max_reads) {
      return Error{"busy", std::to_string(reads_.size()) + " reads of the log wait already", "try again shortly"};
    }
    reads_.push_back({std::move(job), std::chrono::steady_clock::now()});
  }
  wake_.notify_one();
  return Ok{};
}

void StorageThread::stop() {
  {
    std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  store_.reset();
}

StorageThread::Counts StorageThread::counts() const {
  std::lock_guard hold(mutex_);
  auto out = counts_;
  out.waiting_commits = commits_.size();
  out.waiting_reads = reads_.size();
  return out;
}

void StorageThread::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !commits_.empty() || !reads_.empty(); });
    if (!commits_.empty() && !read_is_due()) {
      auto group = take_group();
      lock.unlock();
      commit_group(std::move(group));
    } else if (!reads_.empty()) {
      auto read = std::move(reads_.front());
      reads_.pop_front();
      ++counts_.reads;
      lock.unlock();
      read.job(*store_);
    } else {
      return;  // stopping, and nothing is left
    }
    lock.lock();
  }
}

bool StorageThread::read_is_due() const {
  return !reads_.empty() && std::chrono::steady_clock::now() - reads_.front().since > options_.max_read_wait;
}

std::vector<StorageThread::Commit> StorageThread::take_group() {
  std::vector<Commit> group;
  std::size_t bytes = 0;
  while (!commits_.empty()) {
    bytes += bytes_of(commits_.front().delta);
    if (!group.empty() && bytes > options_.max_transaction_bytes) break;
    group.push_back(std::move(commits_.front()));
    commits_.pop_front();
  }
  ++counts_.transactions;
  counts_.commits += group.size();
  return group;
}

void StorageThread::commit_group(std::vector<Commit> group) {
  const auto highest = group.back().id;
  std::vector<Delta> deltas;
  deltas.reserve(group.size());
  for (auto& commit : group) deltas.push_back(std::move(commit.delta));
  const auto began = std::chrono::steady_clock::now();
  auto status = store_->commit(deltas);
  const auto took = std::chrono::steady_clock::now() - began;
  on_committed_(status.ok() ? Result<std::uint64_t>(highest) : Result<std::uint64_t>(status.error()));
  (void)store_->maintain();  // after the report: nobody waits for it; an error is the next commit's
  std::lock_guard hold(mutex_);
  counts_.transaction_seconds.note(std::chrono::duration_cast<std::chrono::microseconds>(took));
  counts_.io = store_->io();
}

}  // namespace zell
