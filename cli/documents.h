#pragma once
// Documents from a file or a pipe, and to one.

#include <functional>
#include <string>
#include <string_view>

#include "node/base/result.h"

namespace zell::cli {

/// Reads `file` ("-": stdin): a document a line; or, if its first line is not a whole one, a single document of several
/// lines. Empty lines are skipped. Ends early with what `use` gives, if that is an error. Codes: "not-found", "io",
/// "too-large" (a document over `max_bytes`), "bad-document" (there is none).
[[nodiscard]] Status each_document(const std::string& file, std::size_t max_bytes,
                                   const std::function<Status(std::string_view document, std::uint64_t number)>& use);

/// Writes the text and a newline to `file` (replaced as a whole), or to stdout if that is empty or "-". Codes:
/// OutputFile's.
[[nodiscard]] Status write_document(const std::string& file, const std::string& text);

}  // namespace zell::cli
