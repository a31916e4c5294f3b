#include "node/storage/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace zell {

namespace {

Error io_error(const std::filesystem::path& path, const char* doing) {
  return {"io", std::string("can't ") + doing + " " + path.string() + ": " + std::strerror(errno),
          "check that the disk has space and that this user may write there"};
}

std::string holder_of(int descriptor) {
  std::array<char, 24> text{};
  const auto n = ::pread(descriptor, text.data(), text.size(), 0);
  std::string pid;
  for (ssize_t i = 0; i < n && text[static_cast<std::size_t>(i)] >= '0' && text[static_cast<std::size_t>(i)] <= '9';
       ++i) {
    pid += text[static_cast<std::size_t>(i)];
  }
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

Status make_private_folder(const std::filesystem::path& folder) {
  const auto absolute = std::filesystem::absolute(folder).lexically_normal();
  const auto path = absolute.has_filename() ? absolute : absolute.parent_path();
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path(), failed);
  if (failed) {
    errno = failed.value();
    return io_error(path.parent_path(), "make");
  }
  if (::mkdir(path.c_str(), 0700) == 0) return sync_to_disk(path.parent_path());
  if (errno != EEXIST) return io_error(path, "make");
  if (!std::filesystem::is_directory(path, failed)) {
    errno = ENOTDIR;
    return io_error(path, "use");
  }
  return Ok{};
}

Status make_private_file(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return io_error(file, "make");
  ::close(descriptor);
  return Ok{};
}

Status sync_to_disk(const std::filesystem::path& file_or_folder) {
  const int descriptor = ::open(file_or_folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return io_error(file_or_folder, "open");
  const bool done = ::fsync(descriptor) == 0;
  Status status = Ok{};
  if (!done) status = io_error(file_or_folder, "sync");
  ::close(descriptor);
  return status;
}

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
  const auto file = folder / "lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return io_error(file, "open");
  FolderLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io_error(file, "lock");
    if (::flock(descriptor, LOCK_SH | LOCK_NB) == 0) {  // then those who have it only look, and write no name into it
      return Error{"locked", folder.string() + " is being checked", "wait for zell verify --data to end"};
    }
    return Error{"locked", folder.string() + " is in use by " + holder_of(descriptor),
                 "one node runs on a data folder: stop that process, or give this node a folder of its own"};
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return io_error(file, "write");
  }
  return lock;
}

Result<std::optional<FolderLock>> FolderLock::share(const std::filesystem::path& folder) {
  const auto file = folder / "lock";
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return std::optional<FolderLock>{};
  if (descriptor < 0) return io_error(file, "open");
  FolderLock lock(descriptor);
  if (::flock(descriptor, LOCK_SH | LOCK_NB) == 0) return std::optional<FolderLock>(std::move(lock));
  if (errno != EWOULDBLOCK) return io_error(file, "lock");
  return Error{"locked", folder.string() + " is in use by " + holder_of(descriptor),
               "stop that node first (zell node stop NAME, or zell down), or ask it over its API: zell verify"};
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace zell
