#pragma once
// Options that are set by a configuration file or the environment instead of being typed. CONFIG.md is the page.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_description.h"
#include "cli/word_reader.h"
#include "node/base/result.h"

namespace zell::cli {

/// A later one wins.
enum class Origin : std::uint8_t { standard, user, project, environment, typed };
[[nodiscard]] std::string_view to_string(Origin origin);

struct Preset {
  const OptionDescription* option = nullptr;
  std::vector<std::string> values;  ///< more than one only of an option that takes more
  Origin origin = Origin::standard;
  std::string where;  ///< "/home/u/app/zell.toml:3", "ZELL_UP_NODES"
};

/// "up.nodes"; the same for `zell up` and `zell cluster up`.
[[nodiscard]] std::string key_of(const CommandDescription& owner, const OptionDescription& option);
/// "ZELL_UP_NODES".
[[nodiscard]] std::string variable_of(std::string_view key);
/// Whether configuration may set it at all.
[[nodiscard]] bool is_presettable(const CommandDescription& owner, const OptionDescription& option);
/// Everything that may be set, by its key.
[[nodiscard]] std::map<std::string, const OptionDescription*> presettable_options(const CommandDescription& root);

class Presets {
 public:
  /// Of this process: the user's file, the project's file above the working directory, and the environment. Keys are
  /// checked, values when they are taken. Codes: read_config_file's, "bad-toml", "unknown-key", "wrong-type",
  /// "missing-key", "newer-schema", "out-of-range", "bad-value" (not for a project's file), "too-open".
  [[nodiscard]] static Result<Presets> read(const CommandDescription& root);

  /// By key; the one that wins.
  [[nodiscard]] const std::map<std::string, Preset>& all() const { return all_; }
  /// Sets what was not typed: options of the command (unless `only_globals`) and those of every command.
  /// Code "bad-value".
  [[nodiscard]] Status apply(const ReadWords& words, bool only_globals) const;
  /// Whether every value would be taken. `typed` tells which options of every command were typed: they keep their
  /// value.
  [[nodiscard]] Status check(const std::function<bool(std::string_view long_name)>& typed) const;

  std::filesystem::path user_file;                    ///< where it is, or would be
  std::optional<std::filesystem::path> project_file;  ///< the one that was read
  std::vector<std::string> notes;                     ///< which file was left out, and why
  std::vector<std::string> strangers;                 ///< variables that look like ours, and set nothing

 private:
  [[nodiscard]] Status read_user_file(const CommandDescription& root);
  [[nodiscard]] Status read_project_file(const CommandDescription& root);
  void read_environment(const CommandDescription& root);

  std::map<std::string, Preset> all_;
};

}  // namespace zell::cli
