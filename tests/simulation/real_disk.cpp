#include "tests/simulation/real_disk.h"

#include <fstream>

#include "node/base/check.h"

namespace zell::simulation {

namespace fs = std::filesystem;
using test::PowerLossDisk;

namespace {

/// Of two requests or more: both places of a batch's requests are gone through.
constexpr std::size_t large_batch_bytes = 350;

/// In memory where there is such a place: the syncs that count are those that the disk is told of.
fs::path place_for_disks() {
  std::error_code none;
  return fs::is_directory("/dev/shm", none) ? fs::path("/dev/shm") : fs::temp_directory_path();
}

void flip_bit(const fs::path& file, std::uint64_t which) {
  std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
  const auto place = static_cast<std::streamoff>(which / 8);
  bytes.seekg(place);
  const auto before = bytes.get();
  bytes.seekp(place);
  bytes.put(static_cast<char>(before ^ (1 << (which % 8))));
  bytes.flush();
  ZELL_CHECK(bytes.good());
}

}  // namespace

RealDisk::RealDisk(std::uint64_t seed, const Genesis& genesis, NodeId self)
    : genesis_(genesis),
      self_(self),
      random_(seed),
      temp_(place_for_disks()),
      folder_(temp_.path() / "node"),
      copy_(temp_.path() / "copy"),
      disk_(std::make_unique<PowerLossDisk>(random_.below(UINT64_MAX))) {
  auto made = create_store(folder_, genesis_, self_, {disk_->vfs_name(), true, large_batch_bytes});
  ZELL_CHECK(made.ok());
  copy();
}

Result<std::unique_ptr<Store>> RealDisk::open() {
  disk_ = std::make_unique<PowerLossDisk>(random_.below(UINT64_MAX));
  return open_store(folder_, genesis_, self_, {disk_->vfs_name(), true, large_batch_bytes});
}

PowerLossDisk::Cut RealDisk::any_cut() {
  using Cut = PowerLossDisk::Cut;
  static constexpr Cut cuts[] = {Cut::nothing, Cut::everything, Cut::some, Cut::some};
  return cuts[random_.below(4)];
}

void RealDisk::cut_power() {
  disk_->cut_power(any_cut());
}

void RealDisk::cut_power_within(std::uint64_t events) {
  disk_->cut_power_at(disk_->events() + 1 + random_.below(events), any_cut());
}

void RealDisk::fail() {
  using Fault = PowerLossDisk::Fault;
  static constexpr Fault faults[] = {Fault::write_error, Fault::disk_full, Fault::sync_error};
  disk_->fail_from(disk_->events() + 1 + random_.below(4), faults[random_.below(3)]);
}

void RealDisk::mend() {
  disk_->cut_power_at(0, PowerLossDisk::Cut::nothing);
}

void RealDisk::wipe() {
  fs::remove_all(folder_);
}

void RealDisk::rot() {
  std::vector<fs::path> files;
  for (const auto* name : {"node.db", "node.db-wal", "node.bodies"}) {
    std::error_code missing;
    auto size = fs::file_size(folder_ / name, missing);
    if (!missing && size > 0) files.push_back(folder_ / name);
  }
  if (files.empty()) return;
  const auto& file = files[random_.below(files.size())];
  auto flips = 1 + random_.below(random_.below(2) == 0 ? 4 : 200);
  for (; flips > 0; --flips) flip_bit(file, random_.below(8 * fs::file_size(file)));
}

void RealDisk::copy() {
  fs::remove_all(copy_);
  fs::copy(folder_, copy_);
}

void RealDisk::restore_copy() {
  fs::remove_all(folder_);
  fs::copy(copy_, folder_);
}

}  // namespace zell::simulation
