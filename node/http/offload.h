#pragma once
// Work off the loop, on libuv's pool of threads.

#include <uv.h>

#include <functional>

namespace zell {

/// Runs `work` on a thread of the pool, then `done` on the loop's. Loop thread only; the loop must run until then.
void run_on_pool(uv_loop_t* loop, std::function<void()> work, std::function<void()> done);

}  // namespace zell
