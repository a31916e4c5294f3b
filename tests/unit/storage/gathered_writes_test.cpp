// What SQLite is promised of its files holds over gathered writes: it reads what it wrote, a sync covers all before it,
// and no error is lost.

#include "node/storage/gathered_writes.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <memory>

#include "tests/support/power_loss_vfs.h"
#include "tests/support/temp_folder.h"

using namespace zell;
using test::PowerLossDisk;

namespace {

/// A file as SQLite holds it, through a VFS.
class RawFile {
 public:
  RawFile(const std::string& vfs_name, const std::filesystem::path& path) {
    auto* vfs = sqlite3_vfs_find(vfs_name.c_str());
    REQUIRE(vfs != nullptr);
    memory_ = std::make_unique<char[]>(static_cast<std::size_t>(vfs->szOsFile));
    name_ = path.string();
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
    REQUIRE(vfs->xOpen(vfs, name_.c_str(), file(), flags, nullptr) == SQLITE_OK);
  }
  ~RawFile() { file()->pMethods->xClose(file()); }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  int write(std::size_t offset, ByteView bytes) {
    return file()->pMethods->xWrite(file(), bytes.data(), static_cast<int>(bytes.size()),
                                    static_cast<sqlite3_int64>(offset));
  }
  int sync() { return file()->pMethods->xSync(file(), SQLITE_SYNC_FULL); }
  int truncate(std::size_t size) { return file()->pMethods->xTruncate(file(), static_cast<sqlite3_int64>(size)); }
  std::size_t size() {
    sqlite3_int64 out = 0;
    REQUIRE(file()->pMethods->xFileSize(file(), &out) == SQLITE_OK);
    return static_cast<std::size_t>(out);
  }
  /// What is there; SQLite has the rest filled with zeros.
  Bytes read(std::size_t offset, std::size_t count) {
    Bytes out(count, 0xff);
    const int code = file()->pMethods->xRead(file(), out.data(), static_cast<int>(count), static_cast<int>(offset));
    CHECK((code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ));
    return out;
  }

 private:
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.get()); }
  std::unique_ptr<char[]> memory_;
  std::string name_;
};

Bytes filled(std::size_t count, std::uint8_t with) {
  return Bytes(count, with);
}

}  // namespace

TEST_CASE("through gathered writes a file reads as if each had been done at once") {
  const auto seed = GENERATE(range(1, 21));
  CAPTURE(seed);
  test::TempFolder temp;
  GatheredWrites vfs("");
  RawFile file(vfs.name(), temp.path() / "file");
  Prng prng(static_cast<std::uint64_t>(seed));
  Bytes model;
  std::size_t next = 0;
  for (int step = 0; step < 400; ++step) {
    const auto dice = prng.below(10);
    const auto count = 1 + prng.below(6'000);
    const auto offset = dice < 6 ? next : prng.below(model.size() + 1);
    if (dice < 8) {  // most continue the last one
      const auto bytes = filled(count, static_cast<std::uint8_t>(step + 1));
      REQUIRE(file.write(offset, bytes) == SQLITE_OK);
      if (model.size() < offset + count) model.resize(offset + count);
      std::copy(bytes.begin(), bytes.end(), model.begin() + static_cast<std::ptrdiff_t>(offset));
      next = offset + count;
    } else if (dice == 8) {
      const auto size = prng.below(model.size() + 1);
      REQUIRE(file.truncate(size) == SQLITE_OK);
      model.resize(size);
      next = size;
    } else if (prng.below(2) == 0) {
      REQUIRE(file.sync() == SQLITE_OK);
    } else {
      REQUIRE(file.size() == model.size());
      REQUIRE(file.read(0, model.size()) == model);
    }
  }
  CHECK(file.read(0, model.size()) == model);
}

TEST_CASE("writes that adjoin are one write, in pieces of at most 64 KiB, and come before what comes after them") {
  test::TempFolder temp;
  PowerLossDisk disk(1);
  GatheredWrites vfs(disk.vfs_name());
  RawFile file(vfs.name(), temp.path() / "file");
  const auto before = disk.events();
  for (std::size_t page = 0; page < 32; ++page) REQUIRE(file.write(page * 4'096, filled(4'096, 1)) == SQLITE_OK);
  CHECK(disk.events() - before == 1);  // the first 16 pages
  REQUIRE(file.write(0, filled(100, 2)) == SQLITE_OK);
  CHECK(disk.events() - before == 2);  // the others, before this one
  REQUIRE(file.sync() == SQLITE_OK);
  CHECK(disk.events() - before == 4);
  CHECK(vfs.io().bytes_written == 32 * 4'096 + 100);
  CHECK(vfs.io().syncs == 1);
  REQUIRE(file.write(0, filled(100'000, 3)) == SQLITE_OK);  // too large to be gathered
  CHECK(vfs.io().bytes_written == 32 * 4'096 + 100 + 100'000);
}

TEST_CASE("a sync covers every write before it") {
  test::TempFolder temp;
  const auto path = temp.path() / "file";
  PowerLossDisk disk(1);
  GatheredWrites vfs(disk.vfs_name());
  {
    RawFile file(vfs.name(), path);
    REQUIRE(file.write(0, filled(24, 1)) == SQLITE_OK);
    REQUIRE(file.write(24, filled(4'096, 2)) == SQLITE_OK);
    REQUIRE(file.sync() == SQLITE_OK);
    REQUIRE(file.write(24 + 4'096, filled(10, 3)) == SQLITE_OK);
    disk.cut_power(PowerLossDisk::Cut::nothing);
  }
  CHECK(std::filesystem::file_size(path) == 24 + 4'096);
}

TEST_CASE("the error of a write that was put off is told by the next sync, and by all that follow") {
  test::TempFolder temp;
  PowerLossDisk disk(1);
  GatheredWrites vfs(disk.vfs_name());
  RawFile file(vfs.name(), temp.path() / "file");
  disk.fail_from(disk.events() + 1, PowerLossDisk::Fault::disk_full);
  REQUIRE(file.write(0, filled(100, 1)) == SQLITE_OK);
  CHECK(file.sync() == SQLITE_FULL);
  disk.fail_from(0, PowerLossDisk::Fault::none);
  CHECK(file.sync() == SQLITE_FULL);
  CHECK(file.write(0, filled(100, 1)) == SQLITE_FULL);
  CHECK(file.truncate(0) == SQLITE_FULL);
  CHECK(file.size() == 0);  // what is there can still be read
}

TEST_CASE("a file that may not become longer is told as a full disk, by every write and sync from then on") {
  test::TempFolder temp;
  GatheredWrites gathered("");
  RawFile file(gathered.name(), temp.path() / "file");
  CHECK(file.write(0, filled(8'000, 1)) == SQLITE_OK);
  CHECK(file.sync() == SQLITE_OK);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{8'192, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  (void)file.write(8'000, filled(1'000, 2));  // it may be put off until the sync
  const int synced = file.sync(), again = file.write(0, filled(10, 3));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(synced == SQLITE_FULL);
  CHECK(again == SQLITE_FULL);
}
