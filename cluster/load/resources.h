#pragma once
// What processes use, read from the kernel.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/base/result.h"

namespace zell {

struct ProcessUsage {
  std::chrono::nanoseconds cpu{};  ///< of all its threads, those that ended too
  std::uint64_t rss_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t written_bytes = 0;  ///< that it caused to be sent to disks
};
/// Code "no-process": it is gone, or another user's.
[[nodiscard]] Result<ProcessUsage> usage_of(std::int64_t pid);
/// Only its resident memory: cheaper.
[[nodiscard]] Result<std::uint64_t> resident_bytes(std::int64_t pid);
/// Of this very process.
[[nodiscard]] std::chrono::nanoseconds own_cpu();

/// One process over the measured window.
class ProcessMeter {
 public:
  explicit ProcessMeter(std::int64_t pid) : pid_(pid) {}
  void begin();
  void sample();  ///< between the two, once a second or so
  void end();

  struct Used {
    std::chrono::nanoseconds cpu{};
    std::uint64_t rss_bytes_max = 0, rss_bytes_end = 0, fds_end = 0, written_bytes = 0;
  };
  /// nullopt if the process was not there all the time.
  [[nodiscard]] std::optional<Used> used() const;

 private:
  std::int64_t pid_;
  std::optional<ProcessUsage> at_begin_, at_end_;
  std::uint64_t rss_max_ = 0;
  bool lost_ = false;
};

}  // namespace zell
