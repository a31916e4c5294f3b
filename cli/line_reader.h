#pragma once
// Lines from a file or a pipe, as many at once as have arrived.

#include <string>
#include <vector>

#include "node/base/result.h"

namespace zell::cli {

class LineReader {
 public:
  LineReader(int fd, std::size_t max_line_bytes) : fd_(fd), max_line_bytes_(max_line_bytes) {}
  /// Waits for one line, then takes what else is there, up to about the limits. Empty at the end. A last line without
  /// its newline counts. Codes: "io", "request-too-large" (a line over the limit, with its number).
  [[nodiscard]] Result<std::vector<std::string>> read_some(std::size_t max_lines, std::size_t max_bytes);

 private:
  [[nodiscard]] bool more_is_there() const;

  int fd_;
  std::size_t max_line_bytes_;
  std::string buffer_;
  std::uint64_t line_number_ = 0;
  bool ended_ = false;
};

}  // namespace zell::cli
