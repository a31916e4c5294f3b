#pragma once
// One line of a node's log, as text and as what it says. The format is specified in node/runtime/LOG.md.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zell {

inline constexpr unsigned log_format_version = 1;

enum class LogLevel : std::uint8_t { debug, info, warn, error };
/// "debug", "info", "warn", "error".
[[nodiscard]] std::string_view to_string(LogLevel level);
[[nodiscard]] std::optional<LogLevel> log_level_from(std::string_view word);

struct LogRecord {
  std::int64_t unix_ms = 0;  ///< milliseconds since 1970, of the node's clock
  LogLevel level{};
  std::string node, component, message;
  std::vector<std::pair<std::string, std::string>> fields;  ///< values as they were before they were escaped
  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

/// "2026-11-22T19:24:04.123Z", always so long. REQUIRES: of the years 0 to 9999.
[[nodiscard]] std::string format_log_time(std::int64_t unix_ms);
inline constexpr std::size_t log_time_bytes = 24;
/// What a line begins with, or nullopt.
[[nodiscard]] std::optional<std::int64_t> parse_log_time(std::string_view line);

/// A value as it is written: as it is if it is plain, else in quotes with control characters, quotes and backslashes
/// escaped. Of more than 1 KiB only the first KiB, and "..." behind it.
[[nodiscard]] std::string log_value(std::string_view text);

/// Everything behind the time. REQUIRES: node and component are words without spaces or "="; no word of the message
/// has a "="; keys are of a-z, 0-9 and _ and begin with a letter.
[[nodiscard]] std::string format_log_text(LogLevel level, std::string_view node, std::string_view component,
                                          std::string_view message);
/// " key=value", to be put behind it.
[[nodiscard]] std::string format_log_field(std::string_view key, std::string_view value);

/// Takes any bytes. nullopt: not a line of this format, e.g. what a crashing process printed. A value that was cut
/// comes back with its "...". Linear in the line's length.
[[nodiscard]] std::optional<LogRecord> parse_log_line(std::string_view line);

}  // namespace zell
