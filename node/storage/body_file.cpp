#include "node/storage/body_file.h"

#include <algorithm>
#include <cstdlib>

#include "node/base/check.h"
#include "node/storage/folder.h"
#include "node/storage/recovery.h"
#include "node/storage/sqlite.h"

namespace zell {

namespace {

/// SQLite's own VFS takes no read or write of 128 KiB or more.
constexpr std::size_t max_piece_bytes = 64 << 10;

/// Calls `act` with each piece's offset from the start, its place in the file, and its size, until one fails.
template <class Act>
int by_pieces(std::uint64_t place, std::size_t size, Act act) {
  int code = SQLITE_OK;
  for (std::size_t at = 0; at < size && code == SQLITE_OK; at += max_piece_bytes) {
    const std::uint64_t there = place + at;
    code = act(at, static_cast<sqlite3_int64>(there), static_cast<int>(std::min(max_piece_bytes, size - at)));
  }
  return code;
}

}  // namespace

void BodyFile::Closer::operator()(sqlite3_file* file) const {
  if (file->pMethods != nullptr) (void)file->pMethods->xClose(file);  // what mattered was synced before
  std::free(file);
}

BodyFile::BodyFile(const std::filesystem::path& file, std::string vfs, bool read_only)
    : folder_(file.parent_path()), name_(file.string()), vfs_(std::move(vfs)), read_only_(read_only) {}
BodyFile::~BodyFile() = default;

Status BodyFile::start_at(std::uint64_t end) {
  end_ = end;
  if (end == 0) return Ok{};
  std::error_code failed;
  const bool there = std::filesystem::exists(name_, failed);
  if (!failed && !there) return corrupt_error(name_, "it is missing");
  if (auto status = open(false); !status.ok()) return status;
  sqlite3_int64 size = 0;
  const int code = file_->pMethods->xFileSize(file_.get(), &size);
  if (code != SQLITE_OK) return sqlite_error(name_, code, "looking at its size");
  if (static_cast<std::uint64_t>(size) < end) {
    return corrupt_error(name_,
                         "it has " + std::to_string(size) + " bytes, and " + std::to_string(end) + " were written");
  }
  return Ok{};
}

Status BodyFile::open(bool make) {
  if (make) {
    std::error_code failed;
    const bool there = std::filesystem::exists(name_, failed);
    Status status = there ? Status(Ok{}) : make_private_file(name_);
    // Also if it is there: whoever made it may have died before it came so far.
    if (status.ok()) status = sync_to_disk(folder_);
    if (!status.ok()) return status;
  }
  auto* vfs = sqlite3_vfs_find(vfs_.c_str());
  ZELL_CHECK(vfs != nullptr);
  auto* memory = static_cast<sqlite3_file*>(std::calloc(1, static_cast<std::size_t>(vfs->szOsFile)));
  if (memory == nullptr) return Error{"io", "no memory to open " + name_, ""};
  std::unique_ptr<sqlite3_file, Closer> file(memory);
  // As a journal: of such files the system's VFS takes no locks. The folder's lock is held.
  const int flags = SQLITE_OPEN_MAIN_JOURNAL | (read_only_ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  int opened = flags;
  const int code = vfs->xOpen(vfs, name_.c_str(), file.get(), flags, &opened);
  if (code != SQLITE_OK) return sqlite_error(name_, code, "opening it");
  if (!read_only_ && (opened & SQLITE_OPEN_READONLY) != 0) {
    return Error{"io", name_ + " can only be read: this user may not write it", "check its permissions"};
  }
  file_ = std::move(file);
  return Ok{};
}

Status BodyFile::append(ByteView bytes) {
  ZELL_CHECK(!read_only_);
  if (!file_) {
    if (auto status = open(true); !status.ok()) return status;
  }
  const int code = by_pieces(end_, bytes.size(), [&](std::size_t at, sqlite3_int64 there, int size) {
    return file_->pMethods->xWrite(file_.get(), bytes.data() + at, size, there);
  });
  if (code != SQLITE_OK) return sqlite_error(name_, code, "writing requests");
  end_ += bytes.size();
  return Ok{};
}

Status BodyFile::sync() {
  const int code = file_->pMethods->xSync(file_.get(), SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
  if (code != SQLITE_OK) return sqlite_error(name_, code, "putting requests on disk");
  return Ok{};
}

Result<Bytes> BodyFile::read(std::uint64_t place, std::size_t size) {
  ZELL_CHECK(file_ && size <= end_ && place <= end_ - size);  // so end_ > 0 where size > 0: it was opened
  Bytes out(size);
  const int code = by_pieces(place, size, [&](std::size_t at, sqlite3_int64 there, int count) {
    return file_->pMethods->xRead(file_.get(), out.data() + at, count, there);
  });
  if (code != SQLITE_OK) return sqlite_error(name_, code, "reading requests");
  return out;
}

}  // namespace zell
