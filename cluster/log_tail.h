#pragma once
// Reading the logs of several nodes as one stream, and following them.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cluster/unique_fd.h"
#include "node/base/result.h"

namespace zell {

struct LogSource {
  std::string name;            ///< "n1"
  std::filesystem::path file;  ///< may not exist yet; its folder must
};
struct LogLine {
  std::size_t source = 0;  ///< position in the list given
  std::string text;        ///< without its end, at most 16 KiB
};

/// Not thread-safe.
class LogTail {
 public:
  explicit LogTail(std::vector<LogSource> sources);

  /// The last `lines` complete lines of all files together, by time (a line begins with its time; one that does not
  /// stays behind the line before it). Later calls of read_new() go on from here.
  [[nodiscard]] std::vector<LogLine> read_last(std::size_t lines);
  /// What was added since; a file that was moved away and begun anew is read from its beginning.
  [[nodiscard]] std::vector<LogLine> read_new();
  /// Blocks until a file may have grown (false), or `stop_fd` can be read or was hung up (true). Code "io".
  [[nodiscard]] Result<bool> wait(int stop_fd);

 private:
  struct File {
    LogSource source;
    UniqueFd fd;
    std::string partial;  // a line whose end is not written yet
  };
  bool reopened(File& file) const;
  void drain(std::size_t position, std::vector<LogLine>& out);

  std::vector<File> files_;
  UniqueFd watch_;
};

}  // namespace zell
