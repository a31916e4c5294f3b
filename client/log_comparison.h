#pragma once
// Whether logs that are read one after the other are one log, in memory that does not grow with them.

#include <optional>
#include <vector>

#include "node/crypto/log_tree.h"

namespace zell {

/// Keeps the root that the first log has at each of some places: where each log is certified to end, and about 1,024
/// between. A root is one of all that is below it, so two logs that have the same there are the same up to there.
class LogComparison {
 public:
  static constexpr std::uint64_t max_places_between = 1'024;

  /// `from`: the first index that is read, from 1. `ends`: up to where each log will be read at least; what comes after
  /// the highest is not compared.
  LogComparison(Index from, const std::vector<Index>& ends);

  /// Another log begins; `before` is what is below `from`.
  void begin(const CompactRange& before);
  void add(const Hash& leaf);
  /// Forgets the log that was begun last: it turned out to be none.
  void withdraw();

  /// Two logs, counted from 0 in the order of their begin(): the same to `same_to`, and different at or below
  /// `different_by`.
  struct Difference {
    std::size_t a, b;
    Index same_to, different_by;
  };
  [[nodiscard]] const std::optional<Difference>& difference() const { return difference_; }

 private:
  struct Place {
    std::uint64_t size;
    std::optional<Hash> root;
    std::size_t log = 0;  // whose root that is
  };
  void compare();

  std::vector<Place> places_;  // ascending
  CompactRange range_;
  std::size_t next_place_ = 0;
  std::size_t begun_ = 0;
  std::optional<Difference> difference_;
};

}  // namespace zell
