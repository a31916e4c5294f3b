#pragma once
// libuv handles that close themselves. A handle must outlive its owner until libuv has closed it, so each lives in a
// box of its own on the heap, which the close callback frees.

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "node/base/check.h"

namespace zell {

/// Counts what libuv still holds, so that an owner learns when the last handle is closed. Loop thread only.
class HandleCount {
 public:
  void add() { ++open_; }
  void remove() {
    ZELL_CHECK(open_ > 0);
    --open_;
    tell_if_none();
  }
  /// Calls `done` once when nothing is open: at once if that is so already.
  void when_none(std::function<void()> done) {
    done_ = std::move(done);
    tell_if_none();
  }

 private:
  void tell_if_none() {
    if (open_ != 0 || !done_) return;
    auto done = std::exchange(done_, nullptr);
    done();
  }
  std::size_t open_ = 0;
  std::function<void()> done_;
};
using HandleCountPtr = std::shared_ptr<HandleCount>;

/// A handle of type Handle and State, closed when this is destroyed. Once it is, libuv calls back nothing but the close
/// (and, for a stream, its cancelled requests); State lives until then.
template <class Handle, class State>
class OwnedHandle {
 public:
  /// `init` is called with the handle and makes it known to the loop.
  template <class Init>
  OwnedHandle(HandleCountPtr count, State state, Init init)
      : box_(new Box{.handle = {}, .count = std::move(count), .state = std::move(state)}) {
    ZELL_CHECK(init(&box_->handle) == 0);
    box_->handle.data = box_;
    box_->count->add();
  }
  OwnedHandle(const OwnedHandle&) = delete;
  OwnedHandle& operator=(const OwnedHandle&) = delete;
  ~OwnedHandle() {
    uv_close(reinterpret_cast<uv_handle_t*>(&box_->handle), [](uv_handle_t* handle) {
      std::unique_ptr<Box> box(static_cast<Box*>(handle->data));
      auto count = std::move(box->count);
      box.reset();
      count->remove();
    });
  }
  Handle* get() { return &box_->handle; }
  const Handle* get() const { return &box_->handle; }
  State& state() { return box_->state; }
  static State& state_of(const Handle* handle) { return static_cast<Box*>(handle->data)->state; }

 private:
  struct Box {
    Handle handle;
    HandleCountPtr count;
    State state;
  };
  Box* box_;
};

/// Calls back after a delay, once or again and again. May be destroyed inside its own callback.
class Timer {
 public:
  Timer(uv_loop_t* loop, HandleCountPtr count, std::function<void()> callback)
      : handle_(std::move(count), std::move(callback),
                [loop](uv_timer_t* timer) { return uv_timer_init(loop, timer); }) {}
  void start(std::uint64_t delay_ms, std::uint64_t repeat_ms = 0) {
    auto fire = [](uv_timer_t* timer) { OwnedHandle<uv_timer_t, std::function<void()>>::state_of(timer)(); };
    ZELL_CHECK(uv_timer_start(handle_.get(), fire, delay_ms, repeat_ms) == 0);
  }
  void stop() { uv_timer_stop(handle_.get()); }
  [[nodiscard]] bool active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) != 0; }

 private:
  OwnedHandle<uv_timer_t, std::function<void()>> handle_;
};

/// Calls back once, before the loop next waits for events: where writes made during one round are gathered. May be
/// scheduled, or destroyed, inside its own callback.
class BeforeWait {
 public:
  BeforeWait(uv_loop_t* loop, HandleCountPtr count, std::function<void()> callback)
      : idle_(count, Nothing{}, [loop](uv_idle_t* idle) { return uv_idle_init(loop, idle); }),
        prepare_(std::move(count), State{std::move(callback), idle_.get()},
                 [loop](uv_prepare_t* prepare) { return uv_prepare_init(loop, prepare); }) {}
  void schedule() {
    // Scheduled while the loop is past this point of its round, the callback must not wait for an event: an idle handle
    // makes that round's wait end at once.
    ZELL_CHECK(uv_idle_start(idle_.get(), [](uv_idle_t*) {}) == 0);
    auto fire = [](uv_prepare_t* prepare) {
      auto& state = OwnedHandle<uv_prepare_t, State>::state_of(prepare);
      uv_prepare_stop(prepare);
      uv_idle_stop(state.idle);
      state.callback();
    };
    ZELL_CHECK(uv_prepare_start(prepare_.get(), fire) == 0);
  }

 private:
  struct Nothing {};
  struct State {
    std::function<void()> callback;
    uv_idle_t* idle;
  };
  OwnedHandle<uv_idle_t, Nothing> idle_;
  OwnedHandle<uv_prepare_t, State> prepare_;
};

}  // namespace zell
