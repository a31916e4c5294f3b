#include "node/storage/gathered_writes.h"

#include <atomic>
#include <cerrno>
#include <new>
#include <vector>

#include "node/base/check.h"

namespace zell {

namespace {

/// SQLite's own VFS takes no write of 128 KiB or more, and larger ones gain little.
constexpr std::size_t max_gathered_bytes = 64 << 10;

/// What SQLite holds of an open file; behind it in memory comes the file of the VFS below.
struct GatheredFile {
  sqlite3_file base{};
  std::vector<char> gathered;  ///< not written yet
  sqlite3_int64 at = 0;        ///< where it belongs
  int failed = SQLITE_OK;      ///< a write that was put off
  StoreIo* io = nullptr;       ///< what is counted of it

  static GatheredFile& of(sqlite3_file* file) { return *reinterpret_cast<GatheredFile*>(file); }
  static sqlite3_file* below(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(&of(file) + 1); }

  /// Writes to the file below. SQLite's VFS says "full" of a full disk only; to whoever must make room, a quota and a
  /// limit on a file's length are the same.
  int write_below(const void* bytes, int count, sqlite3_int64 offset) {
    io->bytes_written += static_cast<std::uint64_t>(count);
    auto* file = below(&base);
    errno = 0;
    const int code = file->pMethods->xWrite(file, bytes, count, offset);
    const bool no_room = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return code == SQLITE_IOERR_WRITE && no_room ? SQLITE_FULL : code;
  }
  [[nodiscard]] bool continues(int count, sqlite3_int64 offset) const {
    return !gathered.empty() && offset == at + static_cast<sqlite3_int64>(gathered.size()) &&
           gathered.size() + static_cast<std::size_t>(count) <= max_gathered_bytes;
  }
};

int pass_on(sqlite3_file* file) {
  auto& own = GatheredFile::of(file);
  if (own.gathered.empty()) return SQLITE_OK;
  const int code = own.write_below(own.gathered.data(), static_cast<int>(own.gathered.size()), own.at);
  own.gathered.clear();
  if (code != SQLITE_OK) own.failed = code;
  return code;
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  auto& own = GatheredFile::of(file);
  if (own.failed != SQLITE_OK) return own.failed;
  if (!own.continues(count, offset)) {
    if (const int code = pass_on(file); code != SQLITE_OK) return code;
    own.at = offset;
  }
  if (static_cast<std::size_t>(count) > max_gathered_bytes) return own.write_below(bytes, count, offset);
  const auto* from = static_cast<const char*>(bytes);
  own.gathered.insert(own.gathered.end(), from, from + count);
  return SQLITE_OK;
}

/// A call of the VFS below, once everything before it is there. After an error reading goes on.
template <class Call>
int after_writes(sqlite3_file* file, Call call) {
  if (const int code = pass_on(file); code != SQLITE_OK) return code;
  auto* below = GatheredFile::below(file);
  return call(below, *below->pMethods);
}

/// One that counts on what was written: never after an error.
template <class Call>
int if_written(sqlite3_file* file, Call call) {
  const int failed = GatheredFile::of(file).failed;
  return failed != SQLITE_OK ? failed : after_writes(file, call);
}

const sqlite3_io_methods& methods() {
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods m{};
    m.iVersion = 1;
    m.xClose = [](sqlite3_file* file) {
      (void)pass_on(file);  // what mattered was synced before
      auto* below = GatheredFile::below(file);
      const int code = below->pMethods->xClose(below);
      GatheredFile::of(file).~GatheredFile();
      return code;
    };
    m.xRead = [](sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
      return after_writes(file, [&](auto* below, auto& calls) { return calls.xRead(below, out, count, offset); });
    };
    m.xWrite = write;
    m.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
      return if_written(file, [&](auto* below, auto& calls) { return calls.xTruncate(below, size); });
    };
    m.xSync = [](sqlite3_file* file, int flags) {
      ++GatheredFile::of(file).io->syncs;
      return if_written(file, [&](auto* below, auto& calls) { return calls.xSync(below, flags); });
    };
    m.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
      return after_writes(file, [&](auto* below, auto& calls) { return calls.xFileSize(below, size); });
    };
    m.xLock = [](sqlite3_file* file, int level) {
      return after_writes(file, [&](auto* below, auto& calls) { return calls.xLock(below, level); });
    };
    m.xUnlock = [](sqlite3_file* file, int level) {
      return after_writes(file, [&](auto* below, auto& calls) { return calls.xUnlock(below, level); });
    };
    m.xCheckReservedLock = [](sqlite3_file* file, int* out) {
      auto* below = GatheredFile::below(file);
      return below->pMethods->xCheckReservedLock(below, out);
    };
    m.xFileControl = [](sqlite3_file* file, int what, void* with) {
      return after_writes(file, [&](auto* below, auto& calls) { return calls.xFileControl(below, what, with); });
    };
    m.xSectorSize = [](sqlite3_file* file) {
      auto* below = GatheredFile::below(file);
      return below->pMethods->xSectorSize(below);
    };
    m.xDeviceCharacteristics = [](sqlite3_file* file) {
      auto* below = GatheredFile::below(file);
      return below->pMethods->xDeviceCharacteristics(below);
    };
    return m;
  }();
  return table;
}

GatheredWrites::Below& data_of(sqlite3_vfs* vfs) {
  return *static_cast<GatheredWrites::Below*>(vfs->pAppData);
}
sqlite3_vfs* below(sqlite3_vfs* vfs) {
  return data_of(vfs).vfs;
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;  // unless it is opened, SQLite must not close it
  auto* real = GatheredFile::below(file);
  int code = below(vfs)->xOpen(below(vfs), name, real, flags, out_flags);
  if (code == SQLITE_OK) {
    auto* made = new (file) GatheredFile;
    try {  // nothing may be thrown through SQLite; later writes fit in what is taken here
      made->gathered.reserve(max_gathered_bytes);
      made->base.pMethods = &methods();
      made->io = &data_of(vfs).io;
      return SQLITE_OK;
    } catch (const std::bad_alloc&) {
      made->~GatheredFile();
      code = SQLITE_IOERR_NOMEM;
    }
  }
  if (real->pMethods != nullptr) real->pMethods->xClose(real);
  return code;
}

}  // namespace

GatheredWrites::GatheredWrites(const std::string& base) {
  static std::atomic<std::uint64_t> count = 0;
  name_ = "gathered-writes-" + std::to_string(++count);
  auto* system = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
  ZELL_CHECK(system != nullptr);
  vfs_.iVersion = 1;
  vfs_.szOsFile = static_cast<int>(sizeof(GatheredFile)) + system->szOsFile;
  vfs_.mxPathname = system->mxPathname;
  vfs_.zName = name_.c_str();
  below_.vfs = system;
  vfs_.pAppData = &below_;
  vfs_.xOpen = open;
  vfs_.xDelete = [](sqlite3_vfs* vfs, const char* name, int sync_folder) {
    return below(vfs)->xDelete(below(vfs), name, sync_folder);
  };
  vfs_.xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    return below(vfs)->xAccess(below(vfs), name, flags, out);
  };
  vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* out) {
    return below(vfs)->xFullPathname(below(vfs), name, size, out);
  };
  vfs_.xRandomness = [](sqlite3_vfs* vfs, int size, char* out) {
    return below(vfs)->xRandomness(below(vfs), size, out);
  };
  vfs_.xSleep = [](sqlite3_vfs* vfs, int us) { return below(vfs)->xSleep(below(vfs), us); };
  vfs_.xCurrentTime = [](sqlite3_vfs* vfs, double* out) { return below(vfs)->xCurrentTime(below(vfs), out); };
  vfs_.xGetLastError = [](sqlite3_vfs* vfs, int size, char* out) {
    return below(vfs)->xGetLastError(below(vfs), size, out);
  };
  ZELL_CHECK(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK);
}

GatheredWrites::~GatheredWrites() {
  sqlite3_vfs_unregister(&vfs_);
}

}  // namespace zell
