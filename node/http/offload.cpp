#include "node/http/offload.h"

#include <memory>

#include "node/base/check.h"

namespace zell {

namespace {

struct Work {
  uv_work_t request{};
  std::function<void()> work, done;
};

}  // namespace

void run_on_pool(uv_loop_t* loop, std::function<void()> work, std::function<void()> done) {
  auto* job = new Work{{}, std::move(work), std::move(done)};
  job->request.data = job;
  int error = uv_queue_work(
      loop, &job->request, [](uv_work_t* request) { static_cast<Work*>(request->data)->work(); },
      [](uv_work_t* request, int) {
        std::unique_ptr<Work> finished(static_cast<Work*>(request->data));
        finished->done();
      });
  ZELL_CHECK(error == 0);
}

}  // namespace zell
