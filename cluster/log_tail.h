#pragma once
// Reading the logs of several nodes as one stream, and following them over rotations (node/runtime/LOG.md).

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cluster/unique_fd.h"
#include "node/base/result.h"

namespace zell {

struct LogSource {
  std::string name;  ///< "n1"
  std::filesystem::path
      file;  ///< the newest; may not exist yet; its folder must. FILE.1 is the one before it, and so on
};
struct LogLine {
  std::size_t source = 0;    ///< position in the list given
  std::string text;          ///< without its end, at most 16 KiB
  std::int64_t unix_ms = 0;  ///< the time that it begins with, or else that of the line before it; 0: there was none
};

/// Lines are in the order of their times; one without a time stays behind the line before it. Not thread-safe.
class LogTail {
 public:
  explicit LogTail(std::vector<LogSource> sources);

  /// The last `lines` complete lines of all nodes together. Looks at the last 4 MiB of each. Later calls of read_new()
  /// go on from here.
  [[nodiscard]] std::vector<LogLine> read_last(std::size_t lines);
  /// Hands over every complete line that is still there and not older than `since_unix_ms`; memory does not grow with
  /// their number. Later calls of read_new() go on from here.
  void read_all(std::int64_t since_unix_ms, const std::function<void(LogLine)>& use);
  /// What was added since, also over rotations; a file that was begun anew otherwise is read from its beginning.
  [[nodiscard]] std::vector<LogLine> read_new();
  /// Blocks until a file may have grown (false), or `stop_fd` can be read or was hung up (true). Codes: "io";
  /// "no-cluster" once the nodes' folders are gone, unless there is a `stop_fd`, which then tells more.
  [[nodiscard]] Result<bool> wait(int stop_fd);

 private:
  struct File {
    LogSource source;
    UniqueFd fd;
    std::string partial;    // a line whose end is not written yet
    std::int64_t time = 0;  // of the last line that had one
  };
  void read(std::int64_t since_unix_ms, std::optional<std::uint64_t> last_bytes,
            const std::function<void(LogLine)>& use);
  void drain(std::size_t position, std::vector<LogLine>& out);
  void take_line(std::size_t position, std::string text, std::vector<LogLine>& out);
  [[nodiscard]] static bool begun_anew(const File& file);
  [[nodiscard]] static bool go_on_with_next(File& file);

  std::vector<File> files_;
  UniqueFd watch_;
};

}  // namespace zell
