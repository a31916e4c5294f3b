// The disk under the state folder: synced appends to a plain file, and SQLite's commits as the store makes them.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "cluster/load/histogram.h"
#include "cluster/load/limits_probes.h"
#include "cluster/unique_fd.h"
#include "node/storage/sqlite.h"

namespace zell::limits {
namespace {

using namespace std::chrono_literals;

constexpr auto slice = 100ms;
constexpr auto sync_slice = 150ms;
constexpr std::size_t small_append_bytes = 256;
constexpr std::size_t row_bytes = 232;
constexpr std::size_t blob_bytes = 128 << 10;
/// What one round may write, on a disk that takes more than this in its time.
constexpr std::uint64_t max_round_bytes = 64 << 20;
/// What one round does at least, on a disk that takes longer for it.
constexpr std::uint64_t least_syncs = 20, least_writes = 3;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Emptied when it is made. Not unlinked while open: some filesystems don't sync a file without a name.
class ScratchFile {
 public:
  static Result<ScratchFile> make(const std::filesystem::path& path) {
    ScratchFile out;
    out.fd_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!out.fd_.valid()) return failure(path, "open");
    return out;
  }
  [[nodiscard]] Status append_and_sync(ByteView bytes) {
    while (!bytes.empty()) {
      const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failure("the measured file", "write to");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (::fdatasync(fd_.get()) != 0) return failure("the measured file", "sync");
    return Ok{};
  }

 private:
  static Error failure(const std::filesystem::path& path, const char* doing) {
    return {"io", fmt::format("cannot {} {}: {}", doing, path.string(), std::generic_category().message(errno)), ""};
  }
  UniqueFd fd_;
};

/// Microseconds of an fdatasync after each small append: p50 and p99.
Result<std::vector<double>> measure_syncs(const std::filesystem::path& scratch) {
  auto file = ScratchFile::make(scratch / "syncs");
  if (!file) return file.error();
  const Bytes text(small_append_bytes, 0x5a);
  std::vector<double> took;
  const auto begin = Clock::now();
  while (took.size() < least_syncs || Clock::now() - begin < sync_slice) {
    const auto start = Clock::now();
    if (auto done = file->append_and_sync(text); !done) return done.error();
    took.push_back(seconds_since(start) * 1e6);
  }
  std::sort(took.begin(), took.end());
  return std::vector{took[took.size() / 2], took[took.size() * 99 / 100]};
}

/// Bytes a second of appends, synced after each.
Result<std::vector<double>> measure_appends(const std::filesystem::path& scratch, std::size_t bytes_each) {
  auto file = ScratchFile::make(scratch / "appends");
  if (!file) return file.error();
  const Bytes text(bytes_each, 0x5a);
  std::uint64_t bytes = 0;
  const auto begin = Clock::now();
  while (bytes < least_writes * bytes_each || (Clock::now() - begin < slice && bytes < max_round_bytes)) {
    if (auto done = file->append_and_sync(text); !done) return done.error();
    bytes += bytes_each;
  }
  return std::vector{static_cast<double>(bytes) / seconds_since(begin)};
}

/// One connection set up as a node's, with a table of rows.
class ScratchDatabase {
 public:
  explicit ScratchDatabase(std::filesystem::path file) : file_(std::move(file)) {}
  ~ScratchDatabase() {
    for (auto* statement : {&begin_, &commit_, &insert_}) *statement = Statement();
    if (db_) db_->abandon();
    db_.reset();
    for (const char* end : {"", "-wal"}) ::unlink((file_.string() + end).c_str());
  }
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;

  [[nodiscard]] Status open() {
    const UniqueFd made(::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made.valid()) return Error{"io", "cannot make " + file_.string(), ""};
    auto db = Sqlite::open(file_, {});
    if (!db) return db.error();
    db_ = std::move(*db);
    if (auto done = db_->run("CREATE TABLE rows (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT"); !done) {
      return done;
    }
    return prepare();
  }
  /// One durable transaction.
  [[nodiscard]] Status commit_rows(std::size_t rows, ByteView data) {
    if (auto done = begin_.run(); !done) return done;
    for (std::size_t i = 0; i < rows; ++i) {
      if (auto done = insert_.bind(1, data).run(); !done) return done;
    }
    return commit_.run();
  }

 private:
  Status prepare() {
    for (const auto& [statement, sql] : {std::pair{&begin_, "BEGIN IMMEDIATE"}, std::pair{&commit_, "COMMIT"},
                                         std::pair{&insert_, "INSERT INTO rows (data) VALUES (?1)"}}) {
      auto made = Statement::prepare(*db_, sql);
      if (!made) return made.error();
      *statement = std::move(*made);
    }
    return Ok{};
  }

  std::filesystem::path file_;
  std::unique_ptr<Sqlite> db_;
  Statement begin_, commit_, insert_;
};

/// Rows a second.
Result<double> measure_commits(const std::filesystem::path& scratch, std::size_t rows_each, std::size_t bytes_each) {
  ScratchDatabase database(scratch / "rows.db");
  if (auto opened = database.open(); !opened) return opened.error();
  const Bytes data(bytes_each, 0x5a);
  std::uint64_t rows = 0;
  const auto begin = Clock::now();
  while (rows < least_writes * rows_each || (Clock::now() - begin < slice && rows * bytes_each < max_round_bytes)) {
    if (auto done = database.commit_rows(rows_each, data); !done) return done.error();
    rows += rows_each;
  }
  return static_cast<double>(rows) / seconds_since(begin);
}

}  // namespace

std::vector<Probe> disk_probes(const std::filesystem::path& scratch) {
  std::vector<Probe> out;
  out.push_back({{{"fdatasync-p50", "us", small_append_bytes}, {"fdatasync-p99", "us", small_append_bytes}},
                 [scratch] { return measure_syncs(scratch); }});
  for (const std::size_t kib : {16, 128, 1024}) {
    out.push_back({{{fmt::format("append-sync-{}k", kib), "bytes/s", kib << 10}},
                   [scratch, kib] { return measure_appends(scratch, kib << 10); }});
  }
  for (const std::size_t rows : {1, 100, 1'000}) {
    out.push_back({{{fmt::format("sqlite-rows-{}", rows), "rows/s", row_bytes}},
                   [scratch, rows]() -> Result<std::vector<double>> {
                     auto rate = measure_commits(scratch, rows, row_bytes);
                     if (!rate) return rate.error();
                     return std::vector{*rate};
                   }});
  }
  out.push_back({{{"sqlite-blob-128k", "bytes/s", blob_bytes}}, [scratch]() -> Result<std::vector<double>> {
                   auto rate = measure_commits(scratch, 1, blob_bytes);
                   if (!rate) return rate.error();
                   return std::vector{*rate * static_cast<double>(blob_bytes)};
                 }});
  return out;
}

}  // namespace zell::limits
