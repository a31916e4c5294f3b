#include "cli/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace zell::cli {

bool LineReader::more_is_there() const {
  pollfd entry{fd_, POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

Result<std::vector<std::string>> LineReader::read_some(std::size_t max_lines, std::size_t max_bytes) {
  std::vector<std::string> lines;
  std::size_t bytes = 0;
  while (true) {
    std::size_t begin = 0;
    while (lines.size() < max_lines && bytes < max_bytes) {
      const auto end = buffer_.find('\n', begin);
      if (end == std::string::npos) break;
      lines.push_back(buffer_.substr(begin, end - begin));
      bytes += lines.back().size();
      ++line_number_;
      begin = end + 1;
    }
    buffer_.erase(0, begin);
    if (lines.size() >= max_lines || bytes >= max_bytes) return lines;
    if (ended_) {
      if (!buffer_.empty()) lines.push_back(std::exchange(buffer_, {}));
      return lines;
    }
    // What is good before a line that is too long is taken first.
    if (buffer_.size() > max_line_bytes_ && !lines.empty()) return lines;
    if (buffer_.size() > max_line_bytes_) {
      return Error{"request-too-large", "line " + std::to_string(line_number_ + 1) + " is too long for a request", ""};
    }
    if (!lines.empty() && !more_is_there()) return lines;
    char chunk[64 << 10];
    const auto got = ::read(fd_, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{"io", "cannot read: " + std::generic_category().message(errno), ""};
    if (got == 0) ended_ = true;
    buffer_.append(chunk, static_cast<std::size_t>(got));
  }
}

}  // namespace zell::cli
