// Group commit, and reads between commits.

#include "node/storage/storage_thread.h"

#include <catch2/catch.hpp>
#include <future>

#include "tests/unit/storage/fixtures.h"

namespace zell {
namespace {

/// Records what it is asked for, and can hold a commit until it is told to go on.
class RecordingStore final : public Store {
 public:
  struct Log {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> calls;
    bool held = false;
    bool failing = false;
    bool closed = false;

    void add(std::string call) {
      std::unique_lock lock(mutex);
      calls.push_back(std::move(call));
      changed.notify_all();
      changed.wait(lock, [&] { return !held; });
    }
    void hold(bool on) {
      std::lock_guard lock(mutex);
      held = on;
      changed.notify_all();
    }
    void wait_for_calls(std::size_t count) {
      std::unique_lock lock(mutex);
      REQUIRE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return calls.size() >= count; }));
    }
    std::vector<std::string> taken() {
      std::lock_guard lock(mutex);
      return calls;
    }
  };
  explicit RecordingStore(Log& log) : log_(log) {}
  ~RecordingStore() override { log_.closed = true; }

  Result<Recovered> recover(const ReplayVisitor&, const ReplayStart&) override { return Recovered{}; }
  Result<bool> keep_replay_point(const ReplayPoint&) override { return false; }
  Status commit(std::span<const Delta> deltas) override {
    log_.add("commit " + std::to_string(deltas.size()));
    ++commits_;
    if (log_.failing) return Error{"io", "the disk is gone", ""};
    return Ok{};
  }
  Status maintain() override { return Ok{}; }
  Result<LogRange> read_finalised(Index, std::size_t) override { return LogRange{}; }
  Result<LogRange> read_certified(Index, std::size_t) override { return LogRange{}; }
  Result<std::optional<Index>> find_request(const RequestId&) override { return std::optional<Index>{}; }
  Result<std::vector<Hash>> read_leaves(Index, Index) override { return std::vector<Hash>{}; }
  Result<std::vector<EvidencePtr>> read_evidence() override { return std::vector<EvidencePtr>{}; }
  StoreIo io() const override { return {4'096 * commits_, commits_}; }

 private:
  Log& log_;
  std::uint64_t commits_ = 0;
};

std::vector<StorageThread::Commit> commits(std::uint64_t first, std::uint64_t last, std::uint32_t bytes = 10) {
  std::vector<StorageThread::Commit> out;
  for (auto id = first; id <= last; ++id) {
    auto batch = std::make_shared<Batch>();
    batch->request_bytes = bytes;
    Delta delta;
    delta.batches.push_back(batch);
    out.push_back({id, std::move(delta)});
  }
  return out;
}

/// The storage thread's answers.
class Answers {
 public:
  StorageThread::OnCommitted callback() {
    return [this](const Result<std::uint64_t>& result) {
      std::lock_guard lock(mutex_);
      answers_.push_back(result.ok() ? std::to_string(*result) : result.error().code);
    };
  }
  std::vector<std::string> taken() {
    std::lock_guard lock(mutex_);
    return answers_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> answers_;
};

using Texts = std::vector<std::string>;

TEST_CASE("all that waits goes into one transaction, in order, and the highest id is reported") {
  RecordingStore::Log log;
  Answers answers;
  log.hold(true);
  StorageThread thread(std::make_unique<RecordingStore>(log), {}, answers.callback());
  thread.submit(commits(1, 1));
  log.wait_for_calls(1);  // the first is being written
  thread.submit(commits(2, 4));
  thread.submit(commits(5, 5));
  CHECK(thread.counts().waiting_commits == 4);
  log.hold(false);
  thread.stop();
  CHECK(log.taken() == Texts{"commit 1", "commit 4"});
  CHECK(answers.taken() == Texts{"1", "5"});
  CHECK(thread.counts().transactions == 2);
  CHECK(thread.counts().commits == 5);
  CHECK(thread.counts().transaction_seconds.count() == 2);
  CHECK(thread.counts().io.syncs == 2);
  CHECK(log.closed);
}

TEST_CASE("a transaction is bounded in bytes, but one delta is never split") {
  RecordingStore::Log log;
  Answers answers;
  log.hold(true);
  StorageThread::Options options;
  options.max_transaction_bytes = 100;
  StorageThread thread(std::make_unique<RecordingStore>(log), options, answers.callback());
  thread.submit(commits(1, 1));
  log.wait_for_calls(1);
  thread.submit(commits(2, 4, 40));
  thread.submit(commits(5, 5, 500));
  log.hold(false);
  thread.stop();
  CHECK(log.taken() == Texts{"commit 1", "commit 2", "commit 1", "commit 1"});
  CHECK(answers.taken() == Texts{"1", "3", "4", "5"});
}

TEST_CASE("commits go before reads; reads run in order") {
  RecordingStore::Log log;
  Answers answers;
  log.hold(true);
  StorageThread::Options options;
  options.max_read_wait = std::chrono::hours(1);
  StorageThread thread(std::make_unique<RecordingStore>(log), options, answers.callback());
  thread.submit(commits(1, 1));
  log.wait_for_calls(1);
  for (const char* name : {"read a", "read b"}) {
    REQUIRE(thread.read([&log, name](Store&) { log.add(name); }).ok());
  }
  thread.submit(commits(2, 2));
  log.hold(false);
  thread.stop();
  CHECK(log.taken() == Texts{"commit 1", "commit 1", "read a", "read b"});
}

TEST_CASE("a commit submitted between two reads goes before the second") {
  RecordingStore::Log log;
  Answers answers;
  StorageThread::Options options;
  options.max_read_wait = std::chrono::hours(1);
  StorageThread thread(std::make_unique<RecordingStore>(log), options, answers.callback());
  log.hold(true);
  REQUIRE(thread.read([&](Store&) { log.add("read a"); }).ok());
  log.wait_for_calls(1);
  REQUIRE(thread.read([&](Store&) { log.add("read b"); }).ok());
  thread.submit(commits(1, 1));
  log.hold(false);
  thread.stop();
  CHECK(log.taken() == Texts{"read a", "commit 1", "read b"});
}

TEST_CASE("a read that has waited long enough gets its turn among commits, once") {
  RecordingStore::Log log;
  Answers answers;
  log.hold(true);
  StorageThread::Options options;
  options.max_read_wait = std::chrono::milliseconds(-1);  // due at once
  StorageThread thread(std::make_unique<RecordingStore>(log), options, answers.callback());
  thread.submit(commits(1, 1));
  log.wait_for_calls(1);
  REQUIRE(thread.read([&](Store&) { log.add("read"); }).ok());
  thread.submit(commits(2, 2));
  log.hold(false);
  thread.stop();
  CHECK(log.taken() == Texts{"commit 1", "read", "commit 1"});
}

TEST_CASE("reads past the limit are refused, and so are reads after stopping") {
  RecordingStore::Log log;
  Answers answers;
  log.hold(true);
  StorageThread::Options options;
  options.max_reads = 3;
  StorageThread thread(std::make_unique<RecordingStore>(log), options, answers.callback());
  thread.submit(commits(1, 1));
  log.wait_for_calls(1);
  for (int i = 0; i < 3; ++i) REQUIRE(thread.read([&](Store&) { log.add("read"); }).ok());
  auto refused = thread.read([](Store&) { FAIL("it was refused"); });
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "busy");
  log.hold(false);
  thread.stop();
  CHECK(thread.counts().reads == 3);
  auto late = thread.read([](Store&) {});
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == "stopped");
}

TEST_CASE("a failed commit is reported, and reads go on") {
  RecordingStore::Log log;
  Answers answers;
  log.failing = true;
  StorageThread thread(std::make_unique<RecordingStore>(log), {}, answers.callback());
  thread.submit(commits(1, 2));
  std::promise<void> ran;
  REQUIRE(thread.read([&](Store&) { ran.set_value(); }).ok());
  REQUIRE(ran.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  thread.stop();
  REQUIRE_FALSE(answers.taken().empty());
  for (const auto& answer : answers.taken()) CHECK(answer == "io");
}

TEST_CASE("stopping writes what was submitted, to a real store") {
  test::TempFolder temp;
  REQUIRE(create_store(temp.path(), test::four_members(), {0}).ok());
  Answers answers;
  Prng prng(1);
  test::Branch branch;
  DurableState state;
  {
    StorageThread thread(test::open_recovered(temp.path()), {}, answers.callback());
    for (std::uint64_t id = 1; id <= 50; ++id) {
      std::vector<StorageThread::Commit> one;
      one.push_back({id, test::next_delta(prng, branch, state, 2, id % 2 == 0)});
      thread.submit(std::move(one));
    }
  }
  CHECK(answers.taken().back() == "50");
  auto store = open_store(temp.path(), test::four_members(), {0});
  REQUIRE(store.ok());
  CHECK((*store)->recover([](const Batch&) {}).value().finalised == branch.range);
}

}  // namespace
}  // namespace zell
