#include "cluster/log_tail.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace zell {
namespace {

constexpr std::size_t max_line_bytes = 16 << 10;
constexpr off_t max_history_bytes = 4 << 20;  // of one file, read to find its last lines
constexpr std::size_t time_bytes = 23;        // "2026-11-22T19:00:00.123"

bool begins_with_time(std::string_view line) {
  return line.size() >= time_bytes && line[0] == '2' && line[4] == '-' && line[7] == '-' && line[13] == ':';
}

}  // namespace

LogTail::LogTail(std::vector<LogSource> sources) {
  for (auto& source : sources) files_.push_back({std::move(source), {}, {}});
}

bool LogTail::reopened(File& file) const {
  struct stat now{}, open_one{};
  if (::stat(file.source.file.c_str(), &now) != 0) return false;
  if (file.fd.valid() && ::fstat(file.fd.get(), &open_one) == 0 && open_one.st_ino == now.st_ino) return false;
  file.fd.reset(::open(file.source.file.c_str(), O_RDONLY | O_CLOEXEC));
  return file.fd.valid();
}

void LogTail::drain(std::size_t position, std::vector<LogLine>& out) {
  auto& file = files_[position];
  char buffer[16 << 10];
  while (file.fd.valid()) {
    const auto got = ::read(file.fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    file.partial.append(buffer, static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (auto end = file.partial.find('\n'); end != std::string::npos; end = file.partial.find('\n', begin)) {
      out.push_back({position, file.partial.substr(begin, std::min(end - begin, max_line_bytes))});
      begin = end + 1;
    }
    file.partial.erase(0, begin);
    if (file.partial.size() > max_line_bytes) file.partial.resize(max_line_bytes);
  }
}

std::vector<LogLine> LogTail::read_new() {
  std::vector<LogLine> out;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    drain(i, out);
    if (reopened(files_[i])) drain(i, out);
  }
  return out;
}

std::vector<LogLine> LogTail::read_last(std::size_t lines) {
  std::vector<std::pair<std::string, LogLine>> all;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (!reopened(files_[i])) continue;
    const auto size = ::lseek(files_[i].fd.get(), 0, SEEK_END);
    const auto start = std::max<off_t>(0, size - max_history_bytes);
    ::lseek(files_[i].fd.get(), start, SEEK_SET);
    std::vector<LogLine> own;
    drain(i, own);
    if (start > 0 && !own.empty()) own.erase(own.begin());  // it begins in the middle
    std::string time;
    for (auto& line : own) {
      if (begins_with_time(line.text)) time = line.text.substr(0, time_bytes);
      all.emplace_back(time, std::move(line));
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<LogLine> out;
  for (auto i = all.size() - std::min(lines, all.size()); i < all.size(); ++i) out.push_back(std::move(all[i].second));
  return out;
}

Result<bool> LogTail::wait(int stop_fd) {
  if (!watch_.valid()) {
    watch_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    for (const auto& file : files_) {
      // The folder, not the file: the log may be moved away and begun anew, and so may what is not there yet.
      const auto folder = file.source.file.parent_path();
      if (::inotify_add_watch(watch_.get(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
        return Error{"io", "cannot watch " + folder.string() + ": " + std::generic_category().message(errno), ""};
      }
    }
    return false;  // something may have been written before the watch began
  }
  while (true) {
    pollfd entries[2] = {{watch_.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    if (::poll(entries, stop_fd >= 0 ? 2 : 1, -1) < 0) {
      if (errno == EINTR) continue;
      return Error{"io", "cannot wait: " + std::generic_category().message(errno), ""};
    }
    char events[4096];
    while (::read(watch_.get(), events, sizeof events) > 0) {
    }
    return stop_fd >= 0 && entries[1].revents != 0;
  }
}

}  // namespace zell
