#pragma once
// Secrets that somebody types, or keeps in a file: never in arguments, which others can see.

#include <string>

#include "node/base/result.h"

namespace zell::cli {

/// The first line of `file` if one is given; else asked for on the terminal without showing it, twice if `confirm`.
/// Codes: "not-found", "too-open" (a file that others may read), "bad-argument" (no terminal to ask on, or the two
/// differ).
[[nodiscard]] Result<std::string> read_passphrase(const std::string& file, const std::string& prompt, bool confirm);

}  // namespace zell::cli
