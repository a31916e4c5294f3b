#pragma once
// What becomes of the requests of a load, counted as it happens.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "cluster/load/histogram.h"
#include "node/types/ids.h"

namespace zell {

/// One second of the measured window, or what is left of it at its end.
struct LoadSecond {
  std::uint64_t requests = 0;  ///< that became final in it
  std::uint64_t refused = 0;
  Histogram latency;  ///< of those that became final in it
};

struct LoadCounts {
  // Of everything that was sent, warm-up and stragglers too: offered is the sum of the other four.
  std::uint64_t offered = 0, finalised = 0, refused = 0, failed = 0, unknown = 0;
  std::map<std::string, std::uint64_t, std::less<>> refused_by, failed_by;
  std::uint64_t retried = 0;  ///< refusals after which the same request was sent again
  Index first, last;          ///< the lowest and the highest index that one of them has; 0 if none does

  // Of the measured window.
  std::uint64_t final_in_window = 0;  ///< became final in it
  Histogram latency;                  ///< of those that were due in it, whenever they became final
  std::vector<LoadSecond> seconds;
};

/// Times count from the start of the load. One thread.
class Recorder {
 public:
  using Time = std::chrono::nanoseconds;
  /// The measured window begins when the warm-up ends.
  Recorder(Time warmup, Time duration);

  void offered(std::uint64_t requests) { counts_.offered += requests; }
  /// It reached what was waited for. REQUIRES: now >= intended.
  void finalised(Time now, Time intended, Index index);
  void refused(Time now, std::string_view code, std::uint64_t requests = 1);
  void retried(std::uint64_t requests) { counts_.retried += requests; }
  void failed(std::string_view code, std::uint64_t requests = 1);
  /// Sent, and no answer in time: it may be in the log.
  void unknown(std::uint64_t requests = 1) { counts_.unknown += requests; }

  [[nodiscard]] const LoadCounts& counts() const { return counts_; }

 private:
  [[nodiscard]] bool in_window(Time time) const { return time >= begin_ && time < end_; }
  LoadSecond& second_of(Time time);

  Time begin_, end_;
  LoadCounts counts_;
};

}  // namespace zell
