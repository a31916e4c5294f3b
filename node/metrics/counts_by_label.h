#pragma once
// A counter for each of a few words that are known beforehand.

#include <initializer_list>
#include <string_view>
#include <vector>

#include "node/metrics/metrics_text.h"

namespace zell {

/// Not thread-safe. Any other word counts as "other": whatever comes from outside, there is a bounded number of series.
class CountsByLabel {
 public:
  /// Literals: they outlive it. They are shown from the start, with zeros.
  CountsByLabel(std::string_view label, std::initializer_list<std::string_view> words);

  void add(std::string_view word, std::uint64_t count = 1);
  /// The samples of a family that was begun.
  void write(MetricsText& out) const;

 private:
  struct Count {
    std::string_view word;
    std::uint64_t count = 0;
  };
  std::string_view label_;
  std::vector<Count> counts_;  ///< the last is "other"
};

}  // namespace zell
