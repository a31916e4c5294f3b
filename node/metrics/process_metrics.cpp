#include "node/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace zell {

namespace {

/// The fields of /proc/self/stat from the third on, which follow the name in parentheses: proc(5) counts from 1.
struct ProcessStat {
  std::vector<std::string> fields;
  [[nodiscard]] std::optional<double> field(std::size_t number) const {
    if (number < 3 || number - 3 >= fields.size()) return std::nullopt;
    return std::stod(fields[number - 3]);
  }
};

ProcessStat read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  ProcessStat out;
  auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return out;
  std::istringstream rest(text.substr(name_end + 1));
  for (std::string word; rest >> word;) out.fields.push_back(word);
  return out;
}

/// Seconds since 1970 when the machine was started.
std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<std::size_t> open_files() {
  std::error_code failed;
  std::filesystem::directory_iterator folder("/proc/self/fd", failed);
  if (failed) return std::nullopt;
  std::size_t count = 0;
  for (; folder != std::filesystem::directory_iterator(); folder.increment(failed)) {
    if (failed) return std::nullopt;
    ++count;
  }
  return count - 1;  // one is this look itself
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void write_process_metrics(MetricsText& out) {
  constexpr std::size_t threads_field = 20, start_field = 22, virtual_bytes_field = 23, resident_pages_field = 24;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    out.counter("process_cpu_seconds_total", "CPU time that the process has used, user and system.",
                seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }
  auto stat = read_stat();
  if (auto pages = stat.field(resident_pages_field)) {
    out.gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.",
              static_cast<std::uint64_t>(*pages) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  }
  if (auto bytes = stat.field(virtual_bytes_field)) {
    out.gauge("process_virtual_memory_bytes", "Address space of the process.", static_cast<std::uint64_t>(*bytes));
  }
  if (auto threads = stat.field(threads_field)) {
    out.gauge("process_threads", "Threads of the process.", static_cast<std::uint64_t>(*threads));
  }
  if (auto files = open_files()) out.gauge("process_open_fds", "Open file descriptors.", *files);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out.gauge("process_max_fds", "File descriptors that the process may have open.", limit.rlim_cur);
  }
  auto boot = boot_time(), start = stat.field(start_field);
  if (boot && start) {
    out.gauge("process_start_time_seconds", "When the process was started, in seconds since 1970.",
              *boot + *start / static_cast<double>(sysconf(_SC_CLK_TCK)));
  }
}

}  // namespace zell
