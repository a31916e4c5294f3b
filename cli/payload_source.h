#pragma once
// What is to be signed: arguments, the lines of a file or a pipe, or a whole file.

#include <functional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "node/base/bytes.h"
#include "node/base/result.h"

namespace zell::cli {

// So many requests are handled at once, when they have arrived: at most a sender's nonce window. With more on the way,
// a new leader could order the later ones first, and the earlier ones would be too old.
inline constexpr std::size_t max_chunk_requests = 1'024;
inline constexpr std::size_t max_chunk_bytes = 4 << 20;

struct PayloadSource {
  std::vector<std::string> arguments;
  std::string lines, file;
  bool bundle = false;  ///< all payloads are one request

  void add_to(Command& command);
  [[nodiscard]] bool given() const { return !arguments.empty() || !lines.empty() || !file.empty() || bundle; }
  /// Just one source is given. `verb` is what is done with it. Code "usage".
  [[nodiscard]] Status check(const std::string& verb) const;
};

/// The payloads of one request.
using Payloads = std::vector<Bytes>;

/// Gives the requests that are to be made to `take`, in order, up to max_chunk_requests at once: lines as they arrive.
/// Memory is bounded, whatever the source. REQUIRES: source.check(). Codes: "not-found", "io", "request-too-large",
/// "too-many-payloads", and those of `take`.
[[nodiscard]] Status for_each_chunk(const PayloadSource& source,
                                    const std::function<Status(const std::vector<Payloads>&)>& take);

}  // namespace zell::cli
