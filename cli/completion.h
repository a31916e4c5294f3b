#pragma once
// What a shell may offer for a word that is being typed.

#include <string>
#include <string_view>
#include <vector>

#include "cli/command_description.h"
#include "cli/word_reader.h"

namespace zell::cli {

struct Offer {
  std::string word, help;
};
struct Offers {
  std::vector<Offer> words;
  enum class Files : std::uint8_t { none, files, folders, command };
  Files files = Files::none;  ///< what the shell itself is to offer besides
};
/// What there is now, by kind; asked only when such a value is wanted.
using LiveNames = std::function<std::vector<Offer>(ValueKind)>;

/// For the last of `words`, which may be empty; `read` are those before it.
[[nodiscard]] Offers offers_for(const ReadWords& read, const std::string& last, const LiveNames& live);

/// The script for "bash", "zsh" or "fish".
[[nodiscard]] std::string_view completion_script(std::string_view shell);

}  // namespace zell::cli
