#pragma once
// How the limits are measured; for limits*.cpp, and zell doctor, which looks at the disk.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "node/base/result.h"

namespace zell::limits {

using Clock = std::chrono::steady_clock;

struct Metric {
  std::string name;
  std::string unit;         ///< "us": a time; else a rate
  std::uint64_t bytes = 0;  ///< that one operation works on
};

/// A kind of work. A round takes about its time slice and yields one value for each metric.
struct Probe {
  std::vector<Metric> metrics;
  std::function<Result<std::vector<double>>()> round;
};

/// Calls `work`, `at_once` times between two looks at the clock, until `slice` is over. Microseconds a call.
template <class Work>
double time_each(Clock::duration slice, std::uint64_t at_once, Work work) {
  const auto begin = Clock::now();
  const auto end = begin + slice;
  std::uint64_t calls = 0;
  auto now = begin;
  do {
    for (std::uint64_t i = 0; i < at_once; ++i) work(calls + i);
    calls += at_once;
    now = Clock::now();
  } while (now < end);
  return std::chrono::duration<double, std::micro>(now - begin).count() / static_cast<double>(calls);
}

[[nodiscard]] std::vector<Probe> signature_probes();
[[nodiscard]] std::vector<Probe> hash_probes();
/// `scratch`: an empty folder that the probes may fill.
[[nodiscard]] std::vector<Probe> disk_probes(const std::filesystem::path& scratch);
[[nodiscard]] std::vector<Probe> network_probes();

}  // namespace zell::limits
