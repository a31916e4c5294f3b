#pragma once
// The node's log: one line an event, written by a thread of its own so that a slow disk or a full pipe stalls nobody.
//   2026-11-22T19:24:04.123Z INFO n1 consensus view changed view=1 leader=n2

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "node/base/result.h"

namespace zell {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(text) {}
  LogField(std::string_view name, std::uint64_t number) : key(name), value(std::to_string(number)) {}
  std::string_view key;
  std::string value;
};

/// Thread-safe. The file is rotated at 64 MiB, and two old ones are kept. When lines come faster than they can be
/// written, the oldest that wait are lost (8,192 wait at most).
class Log {
 public:
  /// An empty `file` is stderr. `level`: "debug", "info", "warn" or "error". Codes: "io", "bad-value".
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(const std::filesystem::path& file, std::string_view level,
                                                         std::string_view node);
  ~Log();  ///< waits until all lines are written

  [[nodiscard]] bool enabled(LogLevel level) const;
  /// Keys are literals of ours; values may hold anything: what is not plain is quoted and escaped.
  void write(LogLevel level, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields = {});

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A log value as it is written: as it is if it is plain, else in quotes with control characters, quotes and
/// backslashes escaped, at most 1 KiB of it.
[[nodiscard]] std::string log_value(std::string_view text);

}  // namespace zell
