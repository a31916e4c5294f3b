#include "node/wire/recent_set.h"
#include "node/wire/verifier.h"

namespace zell {
namespace {

class RecentRequests final : public RequestCache {
 public:
  explicit RecentRequests(std::size_t capacity) : seen_(capacity) {}
  [[nodiscard]] bool contains(const Request& request) const override {
    return seen_.contains(request.id.view(), request.signature.view());
  }
  void remember(const Request& request) override { seen_.insert(request.id.view(), request.signature.view()); }

 private:
  RecentSet seen_;
};

}  // namespace

std::unique_ptr<RequestCache> make_request_cache(std::size_t capacity) {
  return std::make_unique<RecentRequests>(capacity);
}

}  // namespace zell
