#pragma once
// A disk whose power can fail: an SQLite VFS that keeps what was written but not synced apart from what would survive.
// Files that SQLite opens through it are real files that hold only what was synced.

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node/base/bytes.h"
#include "node/base/prng.h"

namespace zell::test {

class PowerLossDisk {
 public:
  /// What a power cut leaves of the writes since the last sync.
  enum class Cut {
    nothing,     ///< all of them are lost
    everything,  ///< all happen to have reached the disk
    some,        ///< any of their sectors, in no order
  };
  enum class Fault { none, write_error, disk_full, sync_error };

  /// Registers itself with SQLite under a name of its own. REQUIRES: no file of it is open when it is destroyed.
  /// Thread-safe.
  explicit PowerLossDisk(std::uint64_t seed);
  ~PowerLossDisk();
  PowerLossDisk(const PowerLossDisk&) = delete;
  PowerLossDisk& operator=(const PowerLossDisk&) = delete;
  [[nodiscard]] const std::string& vfs_name() const { return name_; }

  /// Writes, truncations, syncs and deletions so far.
  [[nodiscard]] std::uint64_t events() const { return events_; }
  /// The power fails just before this event (counted from 1 over the disk's life): it and all later calls fail, and the
  /// files keep what `cut` says.
  void cut_power_at(std::uint64_t event, Cut cut);
  /// This event, if it is a write or sync that the fault is about, and all later ones of its kind fail. A failed sync
  /// loses what it should have put on disk, as Linux does: a later one reports success without it.
  void fail_from(std::uint64_t event, Fault fault);
  [[nodiscard]] bool is_off() const { return off_; }
  /// Whether a fault was reported to SQLite.
  [[nodiscard]] bool has_failed() const { return failed_; }
  /// Cuts the power now.
  void cut_power(Cut cut);

 private:
  friend struct PowerLossFile;
  friend struct PowerLossCalls;
  struct Change {
    std::uint64_t offset = 0;
    Bytes bytes;
    bool truncate = false;  ///< to `offset`
  };
  struct Content {
    Bytes now;                     ///< as programs see it
    std::vector<Change> unsynced;  ///< in order
  };
  /// SQLITE_OK, or what the call must return instead of doing anything.
  int before(bool is_sync, bool is_write);
  static void apply(const std::string& path, const Change& change);
  void apply_some_sectors(const std::string& path, const Change& change);
  std::shared_ptr<Content> content(const std::string& path);

  std::string name_;
  sqlite3_vfs vfs_{};
  sqlite3_vfs* system_ = nullptr;
  std::map<std::string, std::shared_ptr<Content>> files_;
  Prng prng_;
  std::uint64_t events_ = 0, cut_at_ = 0, fail_from_ = 0;
  Cut cut_ = Cut::nothing;
  Fault fault_ = Fault::none;
  bool off_ = false, failed_ = false;
};

}  // namespace zell::test
