#pragma once
// A piece of work whose instructions are counted.

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace zell::bench {

/// Does the work once. Never twice the same where the node would remember the first time.
using Run = std::function<void()>;

struct Piece {
  std::string_view name;
  std::string_view unit;         ///< what one operation is
  unsigned operations;           ///< in one run
  unsigned runs;                 ///< so many, and one more, are prepared for
  std::function<Run()> prepare;  ///< costs the same however often the work is then done
};

[[nodiscard]] std::vector<Piece> wire_pieces();
[[nodiscard]] std::vector<Piece> core_pieces();
[[nodiscard]] std::vector<Piece> store_pieces();
[[nodiscard]] std::vector<Piece> json_pieces();

/// What is computed must not be optimised away.
inline void keep(std::uint64_t value) {
  static volatile std::uint64_t sink = 0;
  sink = sink ^ value;
}

}  // namespace zell::bench
