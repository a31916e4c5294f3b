#include "node/wire/request_cache.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "node/crypto/keys.h"

namespace zell {
namespace {

/// Two generations: when the newer one is full, it becomes the older one, and the one before it is forgotten.
class RecentRequests final : public RequestCache {
 public:
  RecentRequests(std::size_t max_count, std::size_t max_bytes)
      : max_count_(std::max<std::size_t>(max_count, 1)), max_bytes_(max_bytes) {
    std::array<std::uint8_t, sizeof salt_> random{};
    random_bytes(random);
    std::memcpy(&salt_, random.data(), sizeof salt_);
  }

  [[nodiscard]] RequestPtr find(const CompactSignature& signature, ByteView canonical) const override {
    const auto name = name_of(signature);
    const std::lock_guard lock(mutex_);
    for (const auto* generation : {&newer_, &older_}) {
      const auto found = generation->find(name);
      if (found == generation->end()) continue;
      const auto& request = found->second;
      if (request->signature == signature && std::ranges::equal(request->canonical, canonical)) return request;
    }
    return nullptr;
  }

  void remember(const RequestPtr& request) override {
    const auto name = name_of(request->signature);
    decltype(older_) forgotten;  // destroyed without the lock: it may be large
    const std::lock_guard lock(mutex_);
    newer_.insert_or_assign(name, request);
    bytes_ += request->canonical.size();
    if (newer_.size() < max_count_ && bytes_ < max_bytes_) return;
    forgotten = std::exchange(older_, std::move(newer_));
    newer_.clear();
    bytes_ = 0;
  }

 private:
  /// Salted, so that nobody outside can choose signatures that meet in one bucket. Two that share a name take each
  /// other's place: then the next copy is checked again.
  [[nodiscard]] std::uint64_t name_of(const CompactSignature& signature) const {
    std::uint64_t first = 0, last = 0;
    std::memcpy(&first, signature.bytes.data() + 24, sizeof first);
    std::memcpy(&last, signature.bytes.data() + 56, sizeof last);
    return ((first ^ salt_) * 0x9e3779b97f4a7c15ULL) ^ last;
  }

  const std::size_t max_count_, max_bytes_;
  std::uint64_t salt_ = 0;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, RequestPtr> newer_, older_;  // never iterated
  std::size_t bytes_ = 0;                                        ///< of the newer
};

}  // namespace

std::unique_ptr<RequestCache> make_request_cache(std::size_t max_count, std::size_t max_bytes) {
  return std::make_unique<RecentRequests>(max_count, max_bytes);
}

}  // namespace zell
