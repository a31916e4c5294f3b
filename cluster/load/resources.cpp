#include "cluster/load/resources.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace zell {

namespace {

std::string proc(std::int64_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

Error no_process(std::int64_t pid) {
  return {"no-process", "process " + std::to_string(pid) + " can't be looked at", ""};
}

std::optional<std::chrono::nanoseconds> cpu_of(std::int64_t pid) {
  clockid_t clock = 0;
  timespec time{};
  if (::clock_getcpuclockid(static_cast<pid_t>(pid), &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::optional<std::uint64_t> written_by(std::int64_t pid) {
  std::ifstream file(proc(pid, "io"));
  std::string word;
  std::uint64_t value = 0;
  while (file >> word >> value) {
    if (word == "write_bytes:") return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> fds_of(std::int64_t pid) {
  std::error_code error;
  std::uint64_t count = 0;
  std::filesystem::directory_iterator entry(proc(pid, "fd"), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  if (error) return std::nullopt;
  return count;
}

}  // namespace

Result<std::uint64_t> resident_bytes(std::int64_t pid) {
  std::ifstream file(proc(pid, "statm"));
  std::uint64_t size = 0, resident = 0;
  if (!(file >> size >> resident)) return no_process(pid);
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Result<ProcessUsage> usage_of(std::int64_t pid) {
  const auto cpu = cpu_of(pid);
  const auto rss = resident_bytes(pid);
  const auto fds = fds_of(pid);
  const auto written = written_by(pid);
  if (!cpu || !rss || !fds || !written) return no_process(pid);
  return ProcessUsage{*cpu, *rss, *fds, *written};
}

std::chrono::nanoseconds own_cpu() {
  timespec time{};
  ZELL_CHECK(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void ProcessMeter::begin() {
  if (auto usage = usage_of(pid_)) at_begin_ = *usage;
  lost_ = !at_begin_;
  if (at_begin_) rss_max_ = at_begin_->rss_bytes;
}

void ProcessMeter::sample() {
  const auto rss = resident_bytes(pid_);
  if (rss) rss_max_ = std::max(rss_max_, *rss);
  lost_ = lost_ || !rss;
}

void ProcessMeter::end() {
  if (auto usage = usage_of(pid_)) at_end_ = *usage;
  lost_ = lost_ || !at_end_;
  if (at_end_) rss_max_ = std::max(rss_max_, at_end_->rss_bytes);
}

std::optional<ProcessMeter::Used> ProcessMeter::used() const {
  if (lost_ || !at_begin_ || !at_end_) return std::nullopt;
  return Used{at_end_->cpu - at_begin_->cpu, rss_max_, at_end_->rss_bytes, at_end_->open_fds,
              at_end_->written_bytes - at_begin_->written_bytes};
}

}  // namespace zell
