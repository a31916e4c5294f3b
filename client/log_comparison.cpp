#include "client/log_comparison.h"

#include <algorithm>
#include <set>

#include "node/base/check.h"

namespace zell {

LogComparison::LogComparison(Index from, const std::vector<Index>& ends) {
  ZELL_CHECK(from.value >= 1);
  std::set<std::uint64_t> sizes{from.value - 1};
  std::uint64_t last = from.value - 1;
  for (const auto end : ends) {
    last = std::max(last, end.value);
    if (end >= from) sizes.insert(end.value);
  }
  const auto count = last - (from.value - 1);
  const auto stride = count / max_places_between + (count % max_places_between != 0 ? 1 : 0);
  for (std::uint64_t k = 1; stride != 0 && k <= count / stride; ++k) sizes.insert(from.value - 1 + k * stride);
  for (const auto size : sizes) places_.push_back({size, std::nullopt, 0});
}

void LogComparison::begin(const CompactRange& before) {
  range_ = before;
  next_place_ = 0;
  ++begun_;
  compare();
}

void LogComparison::add(const Hash& leaf) {
  range_.append(leaf);
  compare();
}

void LogComparison::withdraw() {
  ZELL_CHECK(begun_ > 0);
  for (auto& place : places_) {
    if (place.root && place.log == begun_ - 1) place.root.reset();
  }
  if (difference_ && difference_->b == begun_ - 1) difference_.reset();
}

void LogComparison::compare() {
  if (next_place_ == places_.size() || places_[next_place_].size != range_.size()) return;
  auto& place = places_[next_place_];
  const auto root = range_.root();
  if (!place.root) {
    place.root = root;
    place.log = begun_ - 1;
  } else if (*place.root != root && !difference_) {
    const auto same_to = next_place_ == 0 ? 0 : places_[next_place_ - 1].size;
    difference_ = Difference{place.log, begun_ - 1, {same_to}, {place.size}};
  }
  ++next_place_;
}

}  // namespace zell
