#include "cluster/since.h"

#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "node/base/log_line.h"

namespace zell {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

std::optional<std::int64_t> parse_age_ms(std::string_view text) {
  constexpr std::pair<std::string_view, std::int64_t> units[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", day_ms}};
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{}) return std::nullopt;
  const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, milliseconds] : units) {
    if (unit == name) return number * milliseconds;
  }
  return std::nullopt;
}

/// A whole time, or one whose end is missing from the milliseconds, the seconds or the clock on.
std::optional<std::int64_t> parse_time(std::string text) {
  constexpr std::string_view missing = "0000-00-00T00:00:00.000Z";
  if (text.ends_with('Z')) text.pop_back();
  if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
  if (text.size() != 10 && text.size() != 16 && text.size() != 19 && text.size() != 23) return std::nullopt;
  return parse_log_time(text + std::string(missing.substr(text.size())));
}

}  // namespace

std::int64_t wall_clock_ms() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

Result<std::int64_t> parse_since(std::string_view text, std::int64_t now_unix_ms) {
  if (const auto age = parse_age_ms(text)) return now_unix_ms - *age;
  if (const auto time = parse_time(std::string(text))) return *time;
  if (text.size() == 5 || text.size() == 8) {
    const auto today = format_log_time(now_unix_ms).substr(0, 11);
    if (const auto time = parse_time(today + std::string(text))) return *time > now_unix_ms ? *time - day_ms : *time;
  }
  return Error{"bad-value", "'" + std::string(text) + "' is no time",
               "for example 5m, 2h, 19:24, or 2026-11-22T19:24:04 (UTC, as the logs print it)"};
}

}  // namespace zell
