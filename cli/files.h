#pragma once
// Files that a command reads, and those that it leaves.

#include <string>
#include <string_view>
#include <utility>

#include "cluster/unique_fd.h"
#include "node/base/result.h"

namespace zell::cli {

/// Open for reading; "-" is stdin. Code "not-found".
[[nodiscard]] Result<UniqueFd> open_input(const std::string& file);
/// All of it. Codes: "not-found", "io", and `too_large` if it has more than `max_bytes`.
[[nodiscard]] Result<std::string> read_input(const std::string& file, std::size_t max_bytes, const Error& too_large);

/// What a command makes: on stdout, or in a file that appears whole, when it is finished, or not at all.
class OutputFile {
 public:
  /// `file` empty or "-": stdout. `mode` is that of the file, less the umask. With `replace` it may take the place of
  /// a regular file. Codes: "exists", "bad-argument" (what is there is no regular file), "io".
  [[nodiscard]] static Result<OutputFile> open(const std::string& file, unsigned mode, bool replace);
  OutputFile(OutputFile&& other) noexcept
      : fd_(std::move(other.fd_)),
        path_(std::move(other.path_)),
        unfinished_(std::exchange(other.unfinished_, {})),
        replace_(other.replace_) {}
  OutputFile& operator=(OutputFile&&) noexcept = delete;
  ~OutputFile();

  [[nodiscard]] bool is_stdout() const { return path_.empty(); }
  /// Code "io".
  [[nodiscard]] Status write(std::string_view text);
  /// On disk under its name when it returns. Codes: "exists" (somebody else was faster), "io".
  [[nodiscard]] Status finish();

 private:
  OutputFile() = default;
  UniqueFd fd_;
  std::string path_, unfinished_;
  bool replace_ = false;
};

}  // namespace zell::cli
