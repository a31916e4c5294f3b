#include "node/runtime/admission.h"

#include <algorithm>

namespace zell {

void Admission::advance(Instant now) {
  const auto current = now.us / slice_us;
  const auto count = static_cast<std::int64_t>(slices_.size());
  for (auto slice = std::max(newest_ + 1, current - count + 1); slice <= current; ++slice) {
    auto& oldest = slices_[static_cast<std::size_t>(slice % count)];
    in_a_second_ -= oldest;
    oldest = 0;
  }
  newest_ = std::max(newest_, current);
}

std::size_t Admission::room(Instant now, std::size_t under_way, std::size_t mean_bytes) {
  advance(now);
  const auto least = std::clamp(least_bytes / std::max<std::size_t>(mean_bytes, 1), least_of_large, least_requests);
  const auto allowed = std::max(least, in_a_second_);
  return allowed - std::min(allowed, under_way);
}

void Admission::finalised(Instant now, std::size_t count) {
  advance(now);
  slices_[static_cast<std::size_t>(newest_ % static_cast<std::int64_t>(slices_.size()))] += count;
  in_a_second_ += count;
}

}  // namespace zell
