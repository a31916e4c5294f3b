#pragma once
// A libuv loop for a test, and a folder that goes away with it.

#include <uv.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>

namespace zell {

class TestLoop {
 public:
  TestLoop() {
    std::signal(SIGPIPE, SIG_IGN);  // as in a node's process
    REQUIRE(uv_loop_init(&loop_) == 0);
  }
  ~TestLoop() {
    uv_run(&loop_, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop_) == 0);
  }
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;
  operator uv_loop_t&() { return loop_; }
  uv_loop_t* get() { return &loop_; }

  /// Runs the loop until `done` holds, at most 20 s.
  [[nodiscard]] bool run_until(const std::function<bool()>& done) {
    bool late = false;
    uv_timer_t limit;
    uv_timer_init(&loop_, &limit);
    limit.data = &late;
    uv_timer_start(&limit, [](uv_timer_t* timer) { *static_cast<bool*>(timer->data) = true; }, 20'000, 0);
    while (!done() && !late) uv_run(&loop_, UV_RUN_ONCE);
    bool closed = false;
    limit.data = &closed;
    uv_close(reinterpret_cast<uv_handle_t*>(&limit),
             [](uv_handle_t* handle) { *static_cast<bool*>(handle->data) = true; });
    while (!closed) uv_run(&loop_, UV_RUN_NOWAIT);
    return done();
  }

 private:
  uv_loop_t loop_;
};

class TestFolder {
 public:
  TestFolder() {
    char pattern[] = "/tmp/zell-runtime-XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace zell
