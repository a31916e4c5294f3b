// Cores, memory, limits, the clock, the disk.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <fstream>

#include "cli/bench_cluster.h"
#include "cli/doctor.h"
#include "cli/output.h"
#include "cluster/load/limits_probes.h"

namespace zell::cli {
namespace {

constexpr std::uint64_t mib = 1 << 20;

void examine_cores(Findings& out) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const auto cores = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  const auto what = fmt::format("{} core{} for this process", cores, cores == 1 ? "" : "s");
  if (cores > 1) return out.push_back({"cores", Health::ok, what, ""});
  out.push_back({"cores", Health::warn, what + ": nodes wait for one another", "give the machine two or more"});
}

void examine_memory(Findings& out) {
  // A node takes about 30 MiB, and more while it catches up.
  constexpr std::uint64_t least = 128 * mib, enough = 512 * mib;
  std::ifstream in("/proc/meminfo");
  std::string name, unit;
  std::uint64_t kib = 0, available = 0;
  while (in >> name >> kib) {
    std::getline(in, unit);
    if (name == "MemAvailable:") available = kib << 10;
  }
  if (available == 0) return out.push_back({"memory", Health::warn, "/proc/meminfo does not tell", "mount /proc"});
  const auto health = available < least ? Health::fail : available < enough ? Health::warn : Health::ok;
  out.push_back({"memory", health, fmt::format("{} MiB available", available / mib),
                 health == Health::ok ? "" : "end what takes it, or start fewer nodes (zell up -n 1)"});
}

std::string limit_text(rlim_t value) {
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
}

void examine_limit(Findings& out, std::string check, __rlimit_resource resource, rlim_t least, rlim_t enough,
                   std::string_view letter) {
  struct rlimit limit{};
  if (::getrlimit(resource, &limit) != 0) {
    return out.push_back({std::move(check), Health::warn, "getrlimit: " + std::generic_category().message(errno),
                          "allow getrlimit to zell"});
  }
  const auto health = limit.rlim_cur < least ? Health::fail : limit.rlim_cur < enough ? Health::warn : Health::ok;
  auto what = fmt::format("at most {} (may be raised to {})", limit_text(limit.rlim_cur), limit_text(limit.rlim_max));
  std::string fix;
  if (health != Health::ok) {
    fix = limit.rlim_max >= enough ? fmt::format("ulimit -S{} {}", letter, enough)
                                   : fmt::format("raise the hard limit to {} in /etc/security/limits.conf", enough);
  }
  out.push_back({std::move(check), health, std::move(what), std::move(fix)});
}

void examine_clock(Findings& out) {
  // Nothing was signed before this program was written: 2025-01-01.
  constexpr time_t earliest = 1'735'689'600;
  if (::time(nullptr) < earliest) {
    return out.push_back({"clock", Health::fail, "it is set to the past", "timedatectl set-ntp true"});
  }
  struct timex state{};
  const int answer = ::adjtimex(&state);
  if (answer < 0) {
    return out.push_back({"clock", Health::warn, "adjtimex: " + std::generic_category().message(errno),
                          "allow adjtimex to zell, or look with timedatectl"});
  }
  if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
    return out.push_back(
        {"clock", Health::warn,
         "the kernel says that nothing keeps it in time; times in logs of several machines won't agree",
         "timedatectl set-ntp true"});
  }
  out.push_back({"clock", Health::ok, fmt::format("kept in time, to {} ms", state.maxerror / 1'000), ""});
}

/// The folder itself, or the nearest above it that is there.
std::filesystem::path nearest_existing(std::filesystem::path folder) {
  std::error_code error;
  while (!std::filesystem::is_directory(folder, error) && folder.has_parent_path() && folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

class Scratch {
 public:
  explicit Scratch(const std::filesystem::path& folder) : path_((folder / ".zell-doctor-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
      problem = fmt::format("cannot write in {}: {}", folder.string(), std::generic_category().message(errno));
    }
  }
  ~Scratch() {
    std::error_code error;
    if (problem.empty()) std::filesystem::remove_all(path_, error);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return path_; }
  std::string problem;

 private:
  std::string path_;
};

void examine_space(const std::filesystem::path& folder, Findings& out) {
  constexpr std::uint64_t least = 64 * mib, enough = 1'024 * mib;
  struct statvfs room{};
  if (::statvfs(folder.c_str(), &room) != 0) {
    return out.push_back({"space", Health::fail, folder.string() + ": " + std::generic_category().message(errno),
                          "make the folder readable, or choose another with --dir"});
  }
  const auto bytes = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
  const bool no_names = room.f_files > 0 && room.f_favail < 1'000;
  const auto health = bytes < least || no_names ? Health::fail : bytes < enough ? Health::warn : Health::ok;
  out.push_back({"space", health,
                 fmt::format("{} MiB free under {}{}", bytes / mib, folder.string(), no_names ? ", but no inodes" : ""),
                 health == Health::ok ? "" : "zell cluster ls, and zell cluster rm what you don't need"});
}

void examine_syncs(const std::filesystem::path& folder, Findings& out) {
  // A disk that has really written needs longer than the first; at the second a request takes a blink of the eye.
  constexpr double suspicious_us = 15, slow_us = 20'000, too_slow_us = 200'000;
  const Scratch scratch(folder);
  if (!scratch.problem.empty()) {
    return out.push_back({"disk", Health::fail, scratch.problem, "make it writable, or set XDG_STATE_HOME"});
  }
  const auto took = limits::disk_probes(scratch.path()).front().round();
  if (!took) return out.push_back({"disk", Health::fail, took.error().what, "zell bench limits --disk FOLDER"});
  const auto middle = took->front();
  auto what =
      fmt::format("a sync under {} takes {:.0f} us (1 of 100: {:.0f} us)", folder.string(), middle, took->back());
  if (is_in_memory(folder)) {
    return out.push_back({"disk", Health::warn, folder.string() + " is in memory: what is final is lost with the power",
                          "set XDG_STATE_HOME to a folder on a disk, unless it is for tests"});
  }
  if (middle < suspicious_us) {
    return out.push_back({"disk", Health::warn, what + ": too fast to be true; it may forget at a power cut",
                          "look for eatmydata, nobarrier, or cache=unsafe of a virtual machine"});
  }
  if (middle > slow_us) {
    const auto health = middle > too_slow_us ? Health::fail : Health::warn;
    return out.push_back({"disk", health, what + ": each request waits for three of them",
                          "set XDG_STATE_HOME to a folder on a faster disk"});
  }
  out.push_back({"disk", Health::ok, std::move(what), ""});
}

}  // namespace

void examine_machine(Findings& out) {
  examine_cores(out);
  examine_memory(out);
  examine_limit(out, "open-files", RLIMIT_NOFILE, 128, 1'024, "n");
  examine_limit(out, "processes", RLIMIT_NPROC, 64, 512, "u");
  examine_clock(out);
}

void examine_disk(const Environment& environment, Findings& out) {
  const auto folder = nearest_existing(environment.clusters());
  examine_space(folder, out);
  timespec wall[2], steady[2];
  ::clock_gettime(CLOCK_REALTIME, &wall[0]);
  ::clock_gettime(CLOCK_MONOTONIC, &steady[0]);
  examine_syncs(folder, out);
  ::clock_gettime(CLOCK_REALTIME, &wall[1]);
  ::clock_gettime(CLOCK_MONOTONIC, &steady[1]);
  const auto seconds = [](const timespec* two) {
    return static_cast<double>(two[1].tv_sec - two[0].tv_sec) +
           static_cast<double>(two[1].tv_nsec - two[0].tv_nsec) / 1e9;
  };
  const auto step = seconds(wall) - seconds(steady);
  if (std::abs(step) < 0.05) return;
  out.push_back({"clock-step", Health::warn, fmt::format("the clock was put {:+.2f} s on while this ran", step),
                 "let one program keep the time: timedatectl status"});
}

}  // namespace zell::cli
