#include "node/metrics/counts_by_label.h"

#include <algorithm>

namespace zell {

CountsByLabel::CountsByLabel(std::string_view label, std::initializer_list<std::string_view> words) : label_(label) {
  for (auto word : words) counts_.push_back({word});
  counts_.push_back({"other"});
}

void CountsByLabel::add(std::string_view word, std::uint64_t count) {
  auto found = std::find_if(counts_.begin(), counts_.end(), [&](const auto& one) { return one.word == word; });
  (found == counts_.end() ? counts_.back() : *found).count += count;
}

void CountsByLabel::write(MetricsText& out) const {
  for (const auto& one : counts_) out.add(one.count, {{label_, one.word}});
}

}  // namespace zell
