#pragma once
// All commands with their options, arguments and examples, as data. The one source of --help, of completion, of the man
// pages, and of what a configuration file may set.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/result.h"

namespace zell::cli {

/// What a value is, so that a shell can offer some.
enum class ValueKind : std::uint8_t {
  none,  ///< a flag: it takes no value
  text,
  number,
  time,
  choice,
  file,
  folder,
  cluster,  ///< its name
  key,      ///< its name, or the path of its file
  nodes,    ///< n2, leader, followers:2, ..., and lists of these
};

/// An option, or with `is_positional` an argument that is known by its place.
struct OptionDescription {
  std::string short_name;  ///< "-n", or empty
  std::string long_name;   ///< "--nodes", or empty
  std::string placeholder;
  std::string help;
  std::vector<std::string> choices;
  ValueKind kind = ValueKind::none;
  bool is_positional = false;
  bool required = false;
  bool repeats = false;  ///< takes more than one value
  std::string standard;  ///< the value when none is given; empty: none, or the help says it
  /// Takes a value as if it were typed ("true" or "false" for a flag). Code "usage".
  std::function<Status(const std::string&)> take;

  [[nodiscard]] bool takes_value() const { return kind != ValueKind::none; }
  /// "nodes"; empty for one without a long name.
  [[nodiscard]] std::string_view key() const;
  /// "-n,--nodes"; of an argument its placeholder.
  [[nodiscard]] std::string names() const;
};

/// When a preset of `option` is not taken: once one of the others was typed, with which it does not go; or, if it only
/// goes with them, unless one was.
struct PresetRule {
  std::string option;
  std::vector<std::string> others;
  bool only_with = false;
};

/// What files and the environment may set (CONFIG.md).
enum class Configured : std::uint8_t {
  fully,
  only_globals,  ///< its own options have to be typed
  leniently,     ///< so do these; it works with a broken file, too
  not_at_all,    ///< for what is run by programs
};

struct CommandDescription {
  std::string name, summary;
  CommandDescription* parent = nullptr;
  std::vector<std::unique_ptr<CommandDescription>> commands;
  std::vector<std::unique_ptr<OptionDescription>> options, positionals;
  std::string rest;  ///< what the words after "--" are called; empty: it takes none
  std::function<void(std::vector<std::string>)> take_rest;
  std::vector<std::string> examples, closing_words;
  bool hidden = false;
  bool acts = false;  ///< it does something also when no command below it is named
  Configured configured = Configured::fully;
  std::vector<PresetRule> preset_rules;
  bool name_is_key = false;  ///< what is called NAME below it is a key, not a cluster

  [[nodiscard]] std::string full_name() const;
  [[nodiscard]] const CommandDescription& root() const;
  [[nodiscard]] const CommandDescription* find(std::string_view command) const;
  /// By "-n" or "--nodes", here or further up.
  [[nodiscard]] const OptionDescription* find_option(std::string_view option_name) const;
};

}  // namespace zell::cli
