#pragma once
// Group commit: one thread that owns a store, writes all that waits in one transaction, and reads in between.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "node/metrics/bucket_histogram.h"
#include "node/storage/store.h"

namespace zell {

class StorageThread {
 public:
  struct Commit {
    std::uint64_t id = 0;  ///< ascending
    Delta delta;
  };
  /// Called on the storage thread after each transaction: the highest id that is durable now (all below it are too), or
  /// why nothing more will be.
  using OnCommitted = std::function<void(const Result<std::uint64_t>&)>;
  /// Runs on the storage thread.
  using Read = std::function<void(Store&)>;

  struct Options {
    /// Request bytes in one transaction; a single larger delta still goes in whole. Bounds how long a commit takes.
    std::size_t max_transaction_bytes = 16 << 20;
    std::size_t max_reads = 256;
    /// Commits go before reads, until the oldest read has waited this long: then it is its turn, once.
    std::chrono::milliseconds max_read_wait{100};
  };
  struct Counts {
    std::uint64_t transactions = 0, commits = 0, reads = 0;
    std::size_t waiting_commits = 0, waiting_reads = 0;
    BucketHistogram transaction_seconds{commit_seconds_bounds};  ///< until it was durable
    StoreIo io;
  };

  /// REQUIRES: the store is recovered.
  StorageThread(std::unique_ptr<Store> store, Options options, OnCommitted on_committed);
  /// Calls stop().
  ~StorageThread();
  StorageThread(const StorageThread&) = delete;
  StorageThread& operator=(const StorageThread&) = delete;

  /// Any thread; never blocks on the disk. The queue is not bounded here: the core bounds what it has in flight.
  /// REQUIRES: not stopped; ids go on ascending.
  void submit(std::vector<Commit> commits);
  /// Any thread. Codes: "busy" (max_reads wait already), "stopped". Reads run in order.
  [[nodiscard]] Status read(Read job);
  /// Writes all that was submitted, runs the reads that wait, and ends the thread. The store is closed on return.
  void stop();
  [[nodiscard]] Counts counts() const;

 private:
  struct WaitingRead {
    Read job;
    std::chrono::steady_clock::time_point since;
  };
  void run();
  [[nodiscard]] bool read_is_due() const;
  [[nodiscard]] std::vector<Commit> take_group();
  void commit_group(std::vector<Commit> group);

  std::unique_ptr<Store> store_;
  Options options_;
  OnCommitted on_committed_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Commit> commits_;
  std::deque<WaitingRead> reads_;
  Counts counts_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace zell
