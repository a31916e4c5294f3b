#pragma once
// Times of the day, for people and reports: now, and what people type for "from then on".

#include <cstdint>
#include <string_view>

#include "node/base/result.h"

namespace zell {

/// Now: milliseconds since 1970.
[[nodiscard]] std::int64_t wall_clock_ms();

/// "5m" ago (ms, s, m, h, d), a time as the logs print it, which is UTC ("2026-11-22T19:24:04.123Z", or its beginning
/// from the date or the minutes on), or only its clock ("19:24", "19:24:04": the last such time). Milliseconds since
/// 1970. Code "bad-value".
[[nodiscard]] Result<std::int64_t> parse_since(std::string_view text, std::int64_t now_unix_ms);

}  // namespace zell
