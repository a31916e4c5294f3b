#pragma once
// An SQLite VFS that turns many small writes into few large ones.

#include <sqlite3.h>

#include <string>

#include "node/storage/store.h"

namespace zell {

/// SQLite writes its file a page at a time, and its WAL in two pieces a page: each a system call, and together a third
/// of what storing bundles costs. This VFS gathers writes that adjoin, and passes them on as one before anything that
/// could tell the difference: another write, a read, a sync, a truncation, a look at the size, closing. So what a sync
/// covers is the same, and so is the order of writes. An error of a write that was put off is the error of the call
/// that it was put off to, and of every write, truncation and sync of that file after it; reading goes on.
///
/// Files are opened without shared memory and memory maps: WAL only with locking_mode = EXCLUSIVE.
class GatheredWrites {
 public:
  /// Registers itself with SQLite over the VFS `base` ("": the system's). REQUIRES: `base` is registered, and stays so.
  explicit GatheredWrites(const std::string& base);
  /// REQUIRES: no file of it is open.
  ~GatheredWrites();
  GatheredWrites(const GatheredWrites&) = delete;
  GatheredWrites& operator=(const GatheredWrites&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }
  /// What was handed to the VFS below, for all files. On the thread that uses the files.
  [[nodiscard]] const StoreIo& io() const { return below_.io; }

  struct Below {
    sqlite3_vfs* vfs = nullptr;
    StoreIo io;
  };

 private:
  std::string name_;
  sqlite3_vfs vfs_{};
  Below below_;
};

}  // namespace zell
