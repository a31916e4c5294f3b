#pragma once
// A data folder: who may read it, who holds it, and that its entries are on disk.

#include <filesystem>
#include <optional>

#include "node/base/result.h"

namespace zell {

/// Makes the folder (mode 0700) and what leads to it, if missing. Code "io".
[[nodiscard]] Status make_private_folder(const std::filesystem::path& folder);
/// Makes an empty file of mode 0600. Code "io", also if there is one.
[[nodiscard]] Status make_private_file(const std::filesystem::path& file);
/// Puts a file's bytes, or a folder's entries, on disk. Code "io".
[[nodiscard]] Status sync_to_disk(const std::filesystem::path& file_or_folder);

/// Holds FOLDER/lock (flock) until destroyed or the process ends; the file names the holder's pid. Move-only.
class FolderLock {
 public:
  /// Code "locked", with the holder's pid; "io".
  [[nodiscard]] static Result<FolderLock> take(const std::filesystem::path& folder);
  /// For looking: shared with others that look, and nothing is written. nullopt: there is no lock file (a copy of a
  /// folder), and nothing to hold. Code "locked" if a node has it; "io".
  [[nodiscard]] static Result<std::optional<FolderLock>> share(const std::filesystem::path& folder);
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace zell
