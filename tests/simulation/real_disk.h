#pragma once
// A node's data folder as a node has it, SQLite and all, on a disk whose power fails in the middle of a write, that
// refuses writes, and whose bits rot.

#include "node/storage/store.h"
#include "tests/support/power_loss_vfs.h"
#include "tests/support/temp_folder.h"

namespace zell::simulation {

class RealDisk {
 public:
  /// A new member's.
  RealDisk(std::uint64_t seed, const Genesis& genesis, NodeId self);

  /// The power is on again. REQUIRES: the store of before is closed. Codes: those of open_store.
  [[nodiscard]] Result<std::unique_ptr<Store>> open();
  /// The power is gone: what was not synced is lost, or there in part, in any order. Close the store then.
  void cut_power();
  /// The same before one of the next `events` writes and syncs.
  void cut_power_within(std::uint64_t events);
  /// From now on writes fail, or find the disk full, or syncs fail.
  void fail();
  /// Nothing that was to come will.
  void mend();
  [[nodiscard]] bool is_off() const { return disk_->is_off(); }

  // ---- while the store is closed
  void wipe();
  /// Flips a few or many bits of one file.
  void rot();
  /// Puts back what the disk held at `copy`, which is allowed at any time.
  void restore_copy();
  void copy();

 private:
  [[nodiscard]] test::PowerLossDisk::Cut any_cut();

  const Genesis& genesis_;
  NodeId self_;
  Prng random_;
  test::TempFolder temp_;
  std::filesystem::path folder_, copy_;
  std::unique_ptr<test::PowerLossDisk> disk_;
};

}  // namespace zell::simulation
