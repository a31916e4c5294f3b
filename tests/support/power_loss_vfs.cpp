#include "tests/support/power_loss_vfs.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>

#include "node/base/check.h"

namespace zell::test {

namespace {

constexpr std::uint64_t sector_bytes = 512;

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

/// What SQLite holds of an open file.
struct PowerLossFile {
  sqlite3_file base{};
  PowerLossDisk* disk = nullptr;
  std::string path;
  std::shared_ptr<PowerLossDisk::Content> content;
};

/// SQLite's tables of functions.
struct PowerLossCalls {
  static PowerLossFile& of(sqlite3_file* file) { return *reinterpret_cast<PowerLossFile*>(file); }
  static PowerLossDisk& of(sqlite3_vfs* vfs) { return *static_cast<PowerLossDisk*>(vfs->pAppData); }

  static int close(sqlite3_file* file) {
    of(file).~PowerLossFile();
    return SQLITE_OK;
  }
  static int read(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
    if (of(file).disk->off_) return SQLITE_IOERR_READ;
    const auto& now = of(file).content->now;
    const auto from = std::min<std::size_t>(static_cast<std::size_t>(offset), now.size());
    const auto there = std::min<std::size_t>(static_cast<std::size_t>(count), now.size() - from);
    std::copy_n(now.begin() + static_cast<std::ptrdiff_t>(from), there, static_cast<std::uint8_t*>(out));
    if (there == static_cast<std::size_t>(count)) return SQLITE_OK;
    std::memset(static_cast<char*>(out) + there, 0, static_cast<std::size_t>(count) - there);
    return SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
    if (const int code = of(file).disk->before(false, true); code != SQLITE_OK) return code;
    auto& content = *of(file).content;
    const auto* from = static_cast<const std::uint8_t*>(bytes);
    PowerLossDisk::Change change{static_cast<std::uint64_t>(offset), Bytes(from, from + count), false};
    const auto end = change.offset + change.bytes.size();
    if (content.now.size() < end) content.now.resize(end);
    std::copy(change.bytes.begin(), change.bytes.end(), content.now.begin() + static_cast<std::ptrdiff_t>(offset));
    content.unsynced.push_back(std::move(change));
    return SQLITE_OK;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (const int code = of(file).disk->before(false, true); code != SQLITE_OK) return code;
    auto& content = *of(file).content;
    content.now.resize(static_cast<std::size_t>(size));
    content.unsynced.push_back({static_cast<std::uint64_t>(size), {}, true});
    return SQLITE_OK;
  }
  static int sync(sqlite3_file* file, int) {
    auto& content = *of(file).content;
    const int code = of(file).disk->before(true, false);
    if (code == SQLITE_OK) {
      for (const auto& change : content.unsynced) PowerLossDisk::apply(of(file).path, change);
    }
    if (!of(file).disk->off_) content.unsynced.clear();
    return code;
  }
  static int file_size(sqlite3_file* file, sqlite3_int64* out) {
    *out = static_cast<sqlite3_int64>(of(file).content->now.size());
    return SQLITE_OK;
  }
  static int lock(sqlite3_file*, int) { return SQLITE_OK; }
  static int check_reserved_lock(sqlite3_file*, int* out) {
    *out = 0;
    return SQLITE_OK;
  }
  static int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return static_cast<int>(sector_bytes); }
  static int device_characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    static const sqlite3_io_methods methods = [] {
      sqlite3_io_methods m{};  // version 1: no shared memory, no memory map
      m.iVersion = 1;
      m.xClose = close;
      m.xRead = read;
      m.xWrite = write;
      m.xTruncate = truncate;
      m.xSync = sync;
      m.xFileSize = file_size;
      m.xLock = lock;
      m.xUnlock = lock;
      m.xCheckReservedLock = check_reserved_lock;
      m.xFileControl = file_control;
      m.xSectorSize = sector_size;
      m.xDeviceCharacteristics = device_characteristics;
      return m;
    }();
    file->pMethods = nullptr;
    auto& disk = of(vfs);
    ZELL_CHECK(name != nullptr);  // temporary files are in memory
    if (disk.off_) return SQLITE_IOERR;
    if (!std::filesystem::exists(name)) {
      if (!(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
      // A new file's entry survives, empty: that folders are synced is not what this disk is about.
      std::ofstream make(name);
      std::filesystem::permissions(name, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }
    auto* made = new (file) PowerLossFile;
    made->base.pMethods = &methods;
    made->disk = &disk;
    made->path = name;
    made->content = disk.content(name);
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int) {
    auto& disk = of(vfs);
    if (const int code = disk.before(false, false); code != SQLITE_OK) return code;
    disk.files_.erase(name);
    std::filesystem::remove(name);
    return SQLITE_OK;
  }
  static int access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    if (of(vfs).off_) return SQLITE_IOERR_ACCESS;
    *out = std::filesystem::exists(name) ? 1 : 0;
    return SQLITE_OK;
  }
};

PowerLossDisk::PowerLossDisk(std::uint64_t seed) : system_(sqlite3_vfs_find(nullptr)), prng_(seed) {
  static std::atomic<std::uint64_t> count = 0;
  name_ = "power-loss-" + std::to_string(++count);
  vfs_ = *system_;
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(PowerLossFile);
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = PowerLossCalls::open;
  vfs_.xDelete = PowerLossCalls::remove;
  vfs_.xAccess = PowerLossCalls::access;
  ZELL_CHECK(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK);
}

PowerLossDisk::~PowerLossDisk() {
  sqlite3_vfs_unregister(&vfs_);
}

void PowerLossDisk::cut_power_at(std::uint64_t event, Cut cut) {
  cut_at_ = event;
  cut_ = cut;
}

void PowerLossDisk::fail_from(std::uint64_t event, Fault fault) {
  fail_from_ = event;
  fault_ = fault;
}

int PowerLossDisk::before(bool is_sync, bool is_write) {
  if (off_) return SQLITE_IOERR;
  ++events_;
  if (events_ == cut_at_) {
    cut_power(cut_);
    return SQLITE_IOERR;
  }
  if (fault_ == Fault::none || events_ < fail_from_) return SQLITE_OK;
  int code = SQLITE_OK;
  if (is_sync && fault_ == Fault::sync_error) code = SQLITE_IOERR_FSYNC;
  if (is_write && fault_ == Fault::write_error) code = SQLITE_IOERR_WRITE;
  if (is_write && fault_ == Fault::disk_full) code = SQLITE_FULL;
  if (code != SQLITE_OK) failed_ = true;
  return code;
}

void PowerLossDisk::cut_power(Cut cut) {
  off_ = true;
  for (const auto& [path, content] : files_) {
    for (const auto& change : content->unsynced) {
      if (cut == Cut::everything) apply(path, change);
      if (cut == Cut::some) apply_some_sectors(path, change);
    }
    content->unsynced.clear();
  }
}

void PowerLossDisk::apply(const std::string& path, const Change& change) {
  if (change.truncate) {
    std::filesystem::resize_file(path, change.offset);
    return;
  }
  std::fstream out(path, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(change.offset));
  out.write(reinterpret_cast<const char*>(change.bytes.data()), static_cast<std::streamsize>(change.bytes.size()));
  out.flush();
  ZELL_CHECK(out.good());
}

void PowerLossDisk::apply_some_sectors(const std::string& path, const Change& change) {
  if (change.truncate) {
    if (prng_.below(2) == 0) apply(path, change);
    return;
  }
  for (std::uint64_t at = 0; at < change.bytes.size();) {
    const auto sector_end = ((change.offset + at) / sector_bytes + 1) * sector_bytes - change.offset;
    const auto end = std::min<std::uint64_t>(sector_end, change.bytes.size());
    if (prng_.below(2) == 0) {
      const auto first = change.bytes.begin() + static_cast<std::ptrdiff_t>(at);
      apply(path, {change.offset + at, Bytes(first, first + static_cast<std::ptrdiff_t>(end - at)), false});
    }
    at = end;
  }
}

std::shared_ptr<PowerLossDisk::Content> PowerLossDisk::content(const std::string& path) {
  auto& found = files_[path];
  if (!found) {
    found = std::make_shared<Content>();
    found->now = read_file(path);
  }
  return found;
}

}  // namespace zell::test
