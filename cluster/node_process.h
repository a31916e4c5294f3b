#pragma once
// One node as a child process of the supervisor, on its libuv loop.

#include <uv.h>

#include <chrono>
#include <functional>
#include <vector>

#include "cluster/supervisor_protocol.h"

namespace zell {

inline constexpr int lifeline_fd = 3;  ///< in the child: end of file means that the supervisor is gone

struct NodeCommand {
  std::vector<std::string> arguments;  ///< the program first
  std::filesystem::path log;           ///< its stdout and stderr are appended here, beside what it logs itself
  int lifeline = -1;                   ///< the read end, inherited as lifeline_fd
};

/// Loop thread only. Its handles must be closed (close()) and the loop run once more before it is destroyed.
class NodeProcess {
 public:
  NodeProcess(uv_loop_t& loop, ProcessReport report, NodeCommand command, std::chrono::milliseconds stop_grace);
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  /// Code "spawn-failed". REQUIRES: !alive().
  [[nodiscard]] Status start();
  /// SIGKILL; works on a paused one too. The exit comes later. REQUIRES: alive().
  void kill();
  /// Continues a paused one, then SIGTERM, and SIGKILL after the grace. REQUIRES: alive().
  void stop();
  /// SIGSTOP and SIGCONT. REQUIRES: alive(), and not stopping.
  void pause();
  void resume();
  /// Runs `done` once the process is gone: at once if it is.
  void when_gone(std::function<void()> done);
  /// Lets go of its handles. REQUIRES: !alive().
  void close();

  /// Called at each exit, before those who wait for it.
  std::function<void(const NodeProcess&)> on_gone;

  [[nodiscard]] const ProcessReport& report() const { return report_; }
  [[nodiscard]] bool alive() const { return report_.alive(); }

 private:
  static void on_exit(uv_process_t* handle, std::int64_t exit_code, int signal);
  void send(int signal);
  void exited();
  void enter(ProcessState state);

  uv_loop_t& loop_;
  ProcessReport report_;
  NodeCommand command_;
  std::chrono::milliseconds stop_grace_;
  uv_process_t process_{};
  bool reaped_ = true;
  uv_timer_t grace_timer_{};
  std::vector<std::function<void()>> when_gone_;
};

}  // namespace zell
