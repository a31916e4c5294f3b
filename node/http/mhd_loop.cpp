#include "node/http/mhd_loop.h"

#include "node/base/check.h"

namespace zell {

struct MhdLoop::Handles {
  MHD_Daemon* daemon;
  std::function<void()> sweep;
  uv_poll_t poll{};
  uv_timer_t timeout{}, sweeper{};
  bool woken = false;  ///< since the last run began, maybe from inside it
  int open = 3;

  void run() {
    woken = false;
    MHD_run(daemon);
    MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
    // Also tells of connections that are ready but wait for their turn: epoll alone would not wake us for those.
    if (woken) {
      run_in(0);
    } else if (MHD_get_timeout(daemon, &timeout_ms) == MHD_YES) {
      run_in(timeout_ms);
    } else {
      uv_timer_stop(&timeout);
    }
  }

  void run_in(std::uint64_t ms) {
    uv_timer_start(&timeout, [](uv_timer_t* timer) { of(timer)->run(); }, ms, 0);
  }

  template <class Handle>
  static Handles* of(Handle* handle) {
    return static_cast<Handles*>(handle->data);
  }
  static void closed(uv_handle_t* handle) {
    auto* handles = of(handle);
    if (--handles->open == 0) delete handles;
  }
};

MhdLoop::MhdLoop(uv_loop_t* loop, MHD_Daemon* daemon, std::chrono::milliseconds sweep_every,
                 std::function<void()> sweep)
    : handles_(new Handles{daemon, std::move(sweep)}) {
  const auto* info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  ZELL_CHECK(info != nullptr);
  ZELL_CHECK(uv_poll_init(loop, &handles_->poll, info->epoll_fd) == 0);
  ZELL_CHECK(uv_timer_init(loop, &handles_->timeout) == 0);
  ZELL_CHECK(uv_timer_init(loop, &handles_->sweeper) == 0);
  handles_->poll.data = handles_->timeout.data = handles_->sweeper.data = handles_;
  uv_poll_start(&handles_->poll, UV_READABLE, [](uv_poll_t* poll, int, int) { Handles::of(poll)->run(); });
  auto every = static_cast<std::uint64_t>(sweep_every.count());
  uv_timer_start(&handles_->sweeper, [](uv_timer_t* timer) { Handles::of(timer)->sweep(); }, every, every);
}

void MhdLoop::wake() {
  handles_->woken = true;
  handles_->run_in(0);
}

MhdLoop::~MhdLoop() {
  for (auto* handle :
       {reinterpret_cast<uv_handle_t*>(&handles_->poll), reinterpret_cast<uv_handle_t*>(&handles_->timeout),
        reinterpret_cast<uv_handle_t*>(&handles_->sweeper)}) {
    uv_close(handle, Handles::closed);
  }
}

}  // namespace zell
