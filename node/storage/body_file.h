#pragma once
// node.bodies: the requests of large batches, one after the other. In node.db each would be written twice, to the WAL
// and then to its place, which is half of what storing bundles costs. FORMAT.md.

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "node/base/bytes.h"
#include "node/base/result.h"

namespace zell {

/// A file that grows at its end, opened when it is first needed, through an SQLite VFS: so whatever stands below the
/// database stands below it, too. What lies behind end() is of a commit that never was, and is written over. Not
/// thread-safe. Codes: "corrupt" if the file is missing or shorter than it must be, "disk-full", "io".
class BodyFile {
 public:
  /// `vfs` is registered, and stays so.
  BodyFile(const std::filesystem::path& file, std::string vfs, bool read_only);
  ~BodyFile();
  BodyFile(const BodyFile&) = delete;
  BodyFile& operator=(const BodyFile&) = delete;

  /// Before anything else: where the last commit's bytes end.
  [[nodiscard]] Status start_at(std::uint64_t end);
  [[nodiscard]] std::uint64_t end() const { return end_; }
  /// Writes behind the end, which moves. Durable after sync().
  [[nodiscard]] Status append(ByteView bytes);
  [[nodiscard]] Status sync();
  /// Forgets what was appended behind `end`.
  void cut_back(std::uint64_t end) { end_ = end; }
  /// REQUIRES: size > 0; place + size <= end().
  [[nodiscard]] Result<Bytes> read(std::uint64_t place, std::size_t size);

 private:
  struct Closer {
    void operator()(sqlite3_file* file) const;
  };
  [[nodiscard]] Status open(bool make);

  std::filesystem::path folder_;
  std::string name_, vfs_;
  bool read_only_;
  std::uint64_t end_ = 0;
  std::unique_ptr<sqlite3_file, Closer> file_;  ///< null until it is needed
};

}  // namespace zell
