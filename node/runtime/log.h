#pragma once
// The node's log: one line an event, written by a thread of its own so that a slow disk or a full pipe stalls nobody.
//   2026-11-22T19:24:04.123Z INFO n1 consensus view changed view=1 leader=n2
// Lines, files and rotation are specified in LOG.md.

#include <atomic>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "node/base/log_line.h"
#include "node/base/result.h"

namespace zell {

struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(text) {}
  LogField(std::string_view name, std::uint64_t number) : key(name), value(std::to_string(number)) {}
  std::string_view key;
  std::string value;
};

/// Of one node. 64 MiB in all: some 400,000 lines of about 160 bytes, weeks of a quiet node, hours of a busy one at
/// level debug. 31 nodes, the most of a local cluster, take at most 1.94 GiB.
struct LogLimits {
  std::size_t file_bytes = 16u << 20;  ///< a line that would make the file longer begins a new one
  std::size_t files = 4;               ///< FILE, FILE.1 (the one before it) ... FILE.3; older ones are removed
};

/// Thread-safe. The node itself rotates its files: nobody else knows when a line ends. Where its stdout or stderr is
/// the log file (a supervisor arranges that), they go along to each new file, so that what a crash prints last is at
/// the end of the newest. When lines come faster than they can be written, the oldest that wait are lost (8,192 wait at
/// most), and a line says how many.
class Log {
 public:
  /// An empty `file` is stderr. `level`: "debug", "info", "warn" or "error". Codes: "io", "bad-value".
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(const std::filesystem::path& file, std::string_view level,
                                                         std::string_view node, LogLimits limits = {});
  ~Log();  ///< waits until all lines are written

  [[nodiscard]] bool enabled(LogLevel level) const { return level >= this->level(); }
  [[nodiscard]] LogLevel level() const;
  /// From the next line on.
  void set_level(LogLevel level);
  /// Keys are literals of ours; values may hold anything: what is not plain is quoted and escaped.
  void write(LogLevel level, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields = {});

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  void tell_lost();
  std::unique_ptr<Impl> impl_;
};

}  // namespace zell
