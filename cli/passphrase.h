#pragma once
// Secrets that somebody types, or keeps in a file: never in arguments, which others can see.

#include <string>

#include "node/base/result.h"

namespace zell::cli {

/// The first line of `file` if one is given; else asked for on the terminal without showing it, twice if `confirm`.
/// `option` is how such a file is given. Codes: "not-found", "too-open" (a file that others may read), "bad-argument"
/// (no terminal to ask on, or the two differ), "interrupted".
[[nodiscard]] Result<std::string> read_passphrase(const std::string& file, const std::string& prompt, bool confirm,
                                                  const std::string& option = "--password-file");
/// For a key that is about to be encrypted: asked for twice, and not empty (code "bad-argument").
[[nodiscard]] Result<std::string> read_new_passphrase(const std::string& file, const std::string& prompt,
                                                      const std::string& option = "--password-file");
/// What is typed on the terminal, without showing it. Codes: "bad-argument" (no terminal), "interrupted".
[[nodiscard]] Result<std::string> read_hidden_line(const std::string& prompt);
/// Ok once `word` was typed in answer. Codes: "usage" (stdin or stderr is no terminal; the hint is --yes), "declined".
[[nodiscard]] Status confirm(const std::string& question, const std::string& word);

}  // namespace zell::cli
