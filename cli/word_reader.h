#pragma once
// The words after the program's name, told apart: commands, options with their values, arguments, and what comes after
// "--". Arguments are taken from here just as they were typed: to CLI11, "[a,b]" is two words.

#include <optional>
#include <string>
#include <vector>

#include "cli/command_description.h"

namespace zell::cli {

struct GivenOption {
  const OptionDescription* option = nullptr;
  const CommandDescription* owner = nullptr;
};

struct ReadWords {
  const CommandDescription* command = nullptr;  ///< the innermost that was named
  std::vector<std::string> for_parser;          ///< commands, and options each with its value as a word after it
  std::vector<std::string> arguments;
  std::optional<std::vector<std::string>> rest;  ///< after "--", of a command that takes them
  std::vector<GivenOption> given;
  const OptionDescription* open = nullptr;  ///< the last word is this option, and its value is missing
  bool only_arguments = false;              ///< after "--"
  bool help = false;
  std::optional<Error> mistake;  ///< the first; code "usage"

  [[nodiscard]] bool has(const OptionDescription& option) const;
};

[[nodiscard]] ReadWords read_words(const CommandDescription& root, const std::vector<std::string>& words);
/// What is wrong with the words as a whole, when there was no mistake in any: an argument missing or too many, no
/// command, an option of a command between.
[[nodiscard]] std::optional<Error> incomplete(const ReadWords& words);

}  // namespace zell::cli
