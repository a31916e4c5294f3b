#pragma once
// A cluster has one supervisor, and the lock on its file says whether it lives: a lock goes with its process, a pid may
// be somebody else's by now.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "cluster/unique_fd.h"
#include "node/base/result.h"

namespace zell {

/// What the holder writes into the lock file.
struct SupervisorInfo {
  std::int64_t pid = 0;
  std::filesystem::path control_socket;
  std::int64_t started_unix_ms = 0;
};

class SupervisorLock {
 public:
  /// Never waits. Code "locked" when another process has it, "io".
  [[nodiscard]] static Result<SupervisorLock> take(const std::filesystem::path& file);
  /// Says where the supervisor is reached.
  [[nodiscard]] Status publish(const SupervisorInfo& info);
  /// The file that is locked is gone from `file`, or another one is there: nobody finds this supervisor any more.
  [[nodiscard]] bool lost(const std::filesystem::path& file) const;
  /// The cluster stops in good order: the file says nothing any more.
  void withdraw();

 private:
  explicit SupervisorLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;  // the lock belongs to this open file; children don't inherit it
};

enum class RunState : std::uint8_t {
  running,   ///< the lock is held, the supervisor can be reached
  starting,  ///< held, but it has not said yet where it is reached
  stopped,   ///< it was stopped in good order, or never started
  died,      ///< its supervisor ended without stopping it (SIGKILL, a reboot)
};
struct LockState {
  RunState state = RunState::stopped;
  std::optional<SupervisorInfo> info;  ///< when running or died
};
/// Looks without touching the lock.
[[nodiscard]] LockState look_at_lock(const std::filesystem::path& file);

}  // namespace zell
