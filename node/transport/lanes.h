#pragma once
// The lanes of enum Lane as an index, for everything that is kept for each.

#include <cstddef>

#include "node/wire/messages.h"

namespace zell {

inline constexpr std::size_t lane_count = 3;

[[nodiscard]] constexpr std::size_t index_of(Lane lane) {
  return static_cast<std::size_t>(lane);
}
static_assert(index_of(Lane::bulk) + 1 == lane_count);

}  // namespace zell
