#include "cluster/log_tail.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <system_error>

#include "node/base/log_line.h"

namespace zell {
namespace {

constexpr std::size_t max_line_bytes = 16 << 10;
constexpr std::uint64_t looked_at_bytes = 4 << 20;  // of one node, to find its last lines
constexpr int max_files = 16;                       // of one node that are looked at; it keeps 4

std::filesystem::path nth_file(const std::filesystem::path& newest, int n) {
  return n == 0 ? newest : std::filesystem::path(newest.string() + "." + std::to_string(n));
}

UniqueFd open_file(const std::filesystem::path& file) {
  return UniqueFd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool is_at(const std::filesystem::path& file, const struct stat& what) {
  struct stat there{};
  return ::stat(file.c_str(), &there) == 0 && is_same(there, what);
}

std::int64_t modified_unix_ms(const struct stat& file) {
  return file.st_mtim.tv_sec * 1'000LL + file.st_mtim.tv_nsec / 1'000'000;
}

struct Stretch {
  UniqueFd fd;
  bool from_the_middle = false;  // what comes first may be the end of a line
};

/// A node's files, the oldest first, each open. From the newest back: should they be rotated meanwhile, one is met
/// twice, but none is missed.
std::deque<Stretch> open_all(const std::filesystem::path& newest, std::int64_t since_unix_ms,
                             std::optional<std::uint64_t> last_bytes) {
  std::deque<Stretch> out;
  std::vector<struct stat> seen;
  for (int n = 0; n < max_files; ++n) {
    auto fd = open_file(nth_file(newest, n));
    struct stat file{};
    if (!fd.valid() && n == 0) continue;  // between two files
    if (!fd.valid() || ::fstat(fd.get(), &file) != 0) break;
    if (std::any_of(seen.begin(), seen.end(), [&](const auto& other) { return is_same(other, file); })) continue;
    seen.push_back(file);
    if (n > 0 && modified_unix_ms(file) < since_unix_ms) break;
    const auto size = static_cast<std::uint64_t>(file.st_size);
    const bool enough = last_bytes && size > *last_bytes;
    if (enough) ::lseek(fd.get(), static_cast<off_t>(size - *last_bytes), SEEK_SET);
    out.push_front({std::move(fd), enough});
    if (enough) break;
    if (last_bytes) *last_bytes -= size;
  }
  return out;
}

/// The lines of one node's files, one after the other.
class LineReader {
 public:
  explicit LineReader(std::deque<Stretch> stretches) : stretches_(std::move(stretches)) {
    skipping_ = !stretches_.empty() && stretches_.front().from_the_middle;
  }
  /// nullopt at the end of the newest file; what is left there has no end yet.
  std::optional<std::string> next() {
    while (true) {
      if (const auto end = text_.find('\n', begin_); end != std::string::npos) {
        auto line = text_.substr(begin_, std::min(end - begin_, max_line_bytes));
        begin_ = end + 1;
        if (!std::exchange(skipping_, false)) return line;
        continue;
      }
      text_.erase(0, begin_);
      begin_ = 0;
      if (text_.size() > max_line_bytes) text_.resize(max_line_bytes);
      if (stretches_.empty()) return std::nullopt;
      if (read_more()) continue;
      if (stretches_.size() == 1) return std::nullopt;
      stretches_.pop_front();
      if (!text_.empty()) text_ += '\n';  // nothing will be added to it any more
    }
  }
  UniqueFd take_newest() { return stretches_.empty() ? UniqueFd() : std::move(stretches_.back().fd); }
  std::string take_rest() { return skipping_ ? std::string() : text_.substr(begin_); }

 private:
  bool read_more() {
    char buffer[64 << 10];
    while (true) {
      const auto got = ::read(stretches_.front().fd.get(), buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      text_.append(buffer, static_cast<std::size_t>(got));
      return true;
    }
  }

  std::deque<Stretch> stretches_;
  std::string text_;
  std::size_t begin_ = 0;
  bool skipping_ = false;
};

}  // namespace

LogTail::LogTail(std::vector<LogSource> sources) {
  for (auto& source : sources) files_.push_back({std::move(source), {}, {}, 0});
}

void LogTail::read(std::int64_t since_unix_ms, std::optional<std::uint64_t> last_bytes,
                   const std::function<void(LogLine)>& use) {
  std::deque<LineReader> readers;
  for (const auto& file : files_) readers.emplace_back(open_all(file.source.file, since_unix_ms, last_bytes));
  // Of each node the line that comes next.
  std::vector<std::optional<LogLine>> heads(files_.size());
  const auto advance = [&](std::size_t i) {
    auto text = readers[i].next();
    if (!text) return heads[i].reset();
    files_[i].time = parse_log_time(*text).value_or(files_[i].time);
    heads[i] = LogLine{i, std::move(*text), files_[i].time};
  };
  for (std::size_t i = 0; i < files_.size(); ++i) advance(i);
  while (true) {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < heads.size(); ++i) {
      if (heads[i] && (!first || heads[i]->unix_ms < heads[*first]->unix_ms)) first = i;
    }
    if (!first) break;
    if (heads[*first]->unix_ms >= since_unix_ms) use(std::move(*heads[*first]));
    advance(*first);
  }
  for (std::size_t i = 0; i < files_.size(); ++i) {
    files_[i].partial = readers[i].take_rest();
    files_[i].fd = readers[i].take_newest();
  }
}

std::vector<LogLine> LogTail::read_last(std::size_t lines) {
  std::deque<LogLine> last;
  read(0, looked_at_bytes, [&](LogLine line) {
    last.push_back(std::move(line));
    if (last.size() > lines) last.pop_front();
  });
  return {std::make_move_iterator(last.begin()), std::make_move_iterator(last.end())};
}

void LogTail::read_all(std::int64_t since_unix_ms, const std::function<void(LogLine)>& use) {
  read(since_unix_ms, std::nullopt, use);
}

void LogTail::take_line(std::size_t position, std::string text, std::vector<LogLine>& out) {
  auto& file = files_[position];
  file.time = parse_log_time(text).value_or(file.time);
  out.push_back({position, std::move(text), file.time});
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
      take_line(position, file.partial.substr(begin, std::min(end - begin, max_line_bytes)), out);
      begin = end + 1;
    }
    file.partial.erase(0, begin);
    if (file.partial.size() > max_line_bytes) file.partial.resize(max_line_bytes);
  }
}

/// Its name leads to another file by now, or it was emptied.
bool LogTail::begun_anew(const File& file) {
  struct stat open_one{};
  if (!file.fd.valid() || ::fstat(file.fd.get(), &open_one) != 0) return ::access(file.source.file.c_str(), F_OK) == 0;
  struct stat newest{};
  if (::stat(file.source.file.c_str(), &newest) != 0) return false;  // between two names
  return !is_same(newest, open_one) || ::lseek(file.fd.get(), 0, SEEK_CUR) > open_one.st_size;
}

/// Opens the file that came after the open one. False: there is none.
bool LogTail::go_on_with_next(File& file) {
  struct stat open_one{};
  const bool known = file.fd.valid() && ::fstat(file.fd.get(), &open_one) == 0;
  for (int n = 1; known && n < max_files; ++n) {
    if (!is_at(nth_file(file.source.file, n), open_one)) continue;
    auto next = open_file(nth_file(file.source.file, n - 1));
    // Rotated between these lines: it is one further by now.
    if (!next.valid() || !is_at(nth_file(file.source.file, n), open_one)) continue;
    file.fd = std::move(next);
    return true;
  }
  file.fd = open_file(file.source.file);  // it is no more, or this is the first
  return file.fd.valid();
}

std::vector<LogLine> LogTail::read_new() {
  std::vector<LogLine> out;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    drain(i, out);
    for (int n = 0; n < max_files && begun_anew(files_[i]); ++n) {
      drain(i, out);  // what was written last before it was moved away
      if (!files_[i].partial.empty()) take_line(i, std::exchange(files_[i].partial, {}), out);
      if (!go_on_with_next(files_[i])) break;
      drain(i, out);
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.unix_ms < b.unix_ms; });
  return out;
}

Result<bool> LogTail::wait(int stop_fd) {
  if (!watch_.valid()) {
    watch_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    for (const auto& file : files_) {
      // The folder, not the file: the log may be moved away and begun anew, and so may what is not there yet.
      const auto folder = file.source.file.parent_path();
      const auto events = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
      if (::inotify_add_watch(watch_.get(), folder.c_str(), events) < 0) {
        return Error{"io", "cannot watch " + folder.string() + ": " + std::generic_category().message(errno), ""};
      }
    }
    return false;  // something may have been written before the watch began
  }
  while (true) {
    const bool any_left = std::any_of(files_.begin(), files_.end(), [](const File& file) {
      return ::access(file.source.file.parent_path().c_str(), F_OK) == 0;
    });
    if (stop_fd < 0 && !any_left && !files_.empty()) {
      const auto folder = files_.front().source.file.parent_path().parent_path();
      return Error{"no-cluster", "the logs are gone: " + folder.string() + " was removed", "zell cluster ls"};
    }
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
