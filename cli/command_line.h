#pragma once
// Commands, their arguments and their help, without CLI11's headers: only command_line.cpp sees those.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_description.h"

namespace CLI {
class App;
}

namespace zell::cli {

/// One command, or the program itself. A light handle. What is bound must live until the command has run.
class Command {
 public:
  Command add(const std::string& name, const std::string& summary);
  /// Not in the list of commands, nor offered by completion: for programs.
  Command& hidden();
  /// What files and the environment set of it, and of commands that are added to it later.
  Command& configured(Configured how);
  /// What is called NAME in it and below it is a key, not a cluster.
  Command& names_keys();

  Command& flag(const std::string& names, bool& value, const std::string& help);
  Command& option(const std::string& names, std::string& value, const std::string& placeholder,
                  const std::string& help);
  Command& option(const std::string& names, std::optional<std::string>& value, const std::string& placeholder,
                  const std::string& help);
  /// Given again, or with commas, it takes more than one.
  Command& list(const std::string& names, std::vector<std::string>& values, const std::string& placeholder,
                const std::string& help);
  /// Whole numbers from `least` to `most`.
  Command& option(const std::string& names, std::optional<std::uint64_t>& value, const std::string& placeholder,
                  const std::string& help, std::uint64_t least = 0, std::uint64_t most = UINT64_MAX);
  /// Seconds with a unit, "10s", "500ms", "2m", or a plain number of seconds; kept in milliseconds.
  Command& duration(const std::string& names, std::uint64_t& milliseconds, const std::string& help);
  /// One of `words`.
  Command& choice(const std::string& names, std::string& value, const std::vector<std::string>& words,
                  const std::string& help);
  Command& positional(const std::string& name, std::string& value, const std::string& help, bool required);
  /// One of `words`; required.
  Command& positional(const std::string& name, std::string& value, const std::vector<std::string>& words,
                      const std::string& help);
  Command& positionals(const std::string& name, std::vector<std::string>& values, const std::string& help);
  /// Every word after the first "--", just as it is, also "--json" and a second "--". `placeholder` is what the usage
  /// calls them: "CMD [ARG...]". Not for a command with positionals.
  Command& rest(const std::string& placeholder, std::vector<std::string>& words);
  /// What was typed wins: files and the environment don't set `option` ("--tail") once one of `others` was typed, of
  /// this command or of every command.
  Command& preset_not_with(const std::string& option, std::vector<std::string> others);
  /// ... unless one of them was.
  Command& preset_only_with(const std::string& option, std::vector<std::string> others);
  /// Two or three lines that somebody could type; the help ends with them.
  Command& examples(std::vector<std::string> lines);
  /// After the examples.
  Command& closing_words(const std::string& text);
  /// What it does; with commands below it, when none of them is given.
  Command& run(std::function<int()> action);

 private:
  friend class CommandLine;
  struct Shared;
  Command(CLI::App* app, CommandDescription* description, Shared* shared)
      : app_(app), description_(description), shared_(shared) {}
  void bind(const std::string& names, OptionDescription option);
  void add_positional(OptionDescription option);

  CLI::App* app_;
  CommandDescription* description_;
  Shared* shared_;
};

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& summary);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  [[nodiscard]] Command root();
  [[nodiscard]] const CommandDescription& describe() const;
  /// While a command runs: whether the option was typed, rather than preset.
  [[nodiscard]] bool typed(std::string_view long_name) const;
  /// Parses, presets what was not typed, calls `before` once the options are set, and runs the command. Help goes to
  /// stdout (exit 0); mistakes go to stderr with the nearest word that is known (exit 2).
  [[nodiscard]] int run(int argc, char** argv, const std::function<void()>& before);

 private:
  std::unique_ptr<Command::Shared> shared_;
};

}  // namespace zell::cli
