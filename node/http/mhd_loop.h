#pragma once
// libmicrohttpd driven by a libuv loop: its epoll descriptor in a uv_poll_t, its timeout on a uv_timer_t. Included by
// .cpp files of this folder only.

#include <microhttpd.h>
#include <uv.h>

#include <chrono>
#include <functional>

namespace zell {

/// Loop thread only. REQUIRES: the daemon is stopped only after this is destroyed.
class MhdLoop {
 public:
  /// Calls `sweep` every `sweep_every`, beside the daemon's work.
  MhdLoop(uv_loop_t* loop, MHD_Daemon* daemon, std::chrono::milliseconds sweep_every, std::function<void()> sweep);
  ~MhdLoop();
  /// Runs the daemon at the loop's next turn. May be called by the daemon's own callbacks.
  void wake();
  MhdLoop(const MhdLoop&) = delete;
  MhdLoop& operator=(const MhdLoop&) = delete;

 private:
  struct Handles;
  Handles* handles_;  // frees itself once libuv has closed the last of its handles
};

}  // namespace zell
