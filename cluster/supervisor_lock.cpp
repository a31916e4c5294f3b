#include "cluster/supervisor_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

namespace zell {
namespace {

constexpr std::size_t max_info_bytes = 4096;

/// An open-file-description lock: it belongs to the open file, as flock's does, and can be asked about without taking
/// it, so that `zell status` never gets in the way of a supervisor that starts.
struct flock whole_file() {
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

Error io_error(const std::filesystem::path& file) {
  return {"io", file.string() + ": " + std::generic_category().message(errno), ""};
}

std::optional<SupervisorInfo> read_info(int fd) {
  char buffer[max_info_bytes];
  const auto size = ::pread(fd, buffer, sizeof buffer, 0);
  if (size <= 0) return std::nullopt;
  const auto json = nlohmann::json::parse(buffer, buffer + size, nullptr, false);
  try {
    return SupervisorInfo{json.at("pid").get<std::int64_t>(), json.at("control").get<std::string>(),
                          json.at("started_unix_ms").get<std::int64_t>()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Result<SupervisorLock> SupervisorLock::take(const std::filesystem::path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return io_error(file);
  auto range = whole_file();
  if (::fcntl(fd.get(), F_OFD_SETLK, &range) == 0) return SupervisorLock(std::move(fd));
  if (errno == EAGAIN || errno == EACCES) {
    return Error{"locked", "another supervisor already runs this cluster", "zell status"};
  }
  return io_error(file);
}

Status SupervisorLock::publish(const SupervisorInfo& info) {
  const nlohmann::json json{
      {"pid", info.pid}, {"control", info.control_socket.string()}, {"started_unix_ms", info.started_unix_ms}};
  const auto text = json.dump() + "\n";
  if (::ftruncate(fd_.get(), 0) != 0 ||
      ::pwrite(fd_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return Error{"io", "cannot write the lock file: " + std::generic_category().message(errno), ""};
  }
  return Ok{};
}

bool SupervisorLock::lost(const std::filesystem::path& file) const {
  struct stat held{}, there{};
  if (::fstat(fd_.get(), &held) != 0) return false;
  // Only what is certain: a folder that can't be looked into for a moment is no reason to stop.
  if (::stat(file.c_str(), &there) != 0) return errno == ENOENT || errno == ENOTDIR;
  return held.st_dev != there.st_dev || held.st_ino != there.st_ino;
}

void SupervisorLock::withdraw() {
  // If this fails, the cluster is later reported as died instead of stopped: its data is the same.
  if (::ftruncate(fd_.get(), 0) != 0) return;
}

LockState look_at_lock(const std::filesystem::path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return {};
  auto range = whole_file();
  const bool asked = ::fcntl(fd.get(), F_OFD_GETLK, &range) == 0;
  const bool held = asked && range.l_type != F_UNLCK;
  auto info = read_info(fd.get());
  if (held) return {info ? RunState::running : RunState::starting, info};
  return {info ? RunState::died : RunState::stopped, info};
}

}  // namespace zell
