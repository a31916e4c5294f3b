#include "cli/presets.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <system_error>

#include "node/config/nearest.h"
#include "node/config/strict_toml.h"

extern char** environ;

namespace zell::cli {
namespace {

constexpr std::uint64_t newest_schema = 1;
/// A file of every option has a tenth of it. Bounds how deep keys can be, too.
constexpr std::size_t max_file_bytes = 64 << 10;
constexpr std::string_view variable_prefix = "ZELL_";
/// What `zell cluster env` and `zell cluster run` tell other programs; none of them presets an option.
constexpr std::string_view told_to_others[] = {"ZELL_URL", "ZELL_URLS", "ZELL_GENESIS", "ZELL_CLUSTER_ID", "ZELL_DIR"};

/// `zell cluster up` is `zell up`: both have one place in a file.
bool has_short_form(const CommandDescription& command) {
  const auto* parent = command.parent;
  return parent != nullptr && parent->name == "cluster" && parent->parent != nullptr &&
         parent->parent->find(command.name) != nullptr;
}

std::string path_of(const CommandDescription& command) {
  if (command.parent == nullptr) return "";
  const auto above = has_short_form(command) ? std::string() : path_of(*command.parent);
  return above.empty() ? command.name : above + "." + command.name;
}

/// Whoever writes a project's file must not get to read or write the files of whoever enters its folder.
bool is_for_project(const OptionDescription& option) {
  return option.kind != ValueKind::file && option.kind != ValueKind::folder;
}

bool holds_presettables(const CommandDescription& command) {
  if (command.hidden) return false;
  const auto& options = command.options;
  return std::any_of(options.begin(), options.end(), [&](const auto& one) { return is_presettable(command, *one); }) ||
         std::any_of(command.commands.begin(), command.commands.end(),
                     [](const auto& child) { return !has_short_form(*child) && holds_presettables(*child); });
}

void collect(const CommandDescription& command, std::map<std::string, const OptionDescription*>& out) {
  for (const auto& option : command.options) {
    if (is_presettable(command, *option)) out.emplace(key_of(command, *option), option.get());
  }
  for (const auto& child : command.commands) {
    if (!child->hidden && !has_short_form(*child)) collect(*child, out);
  }
}

class FileReader {
 public:
  FileReader(std::string source, Origin origin, std::map<std::string, Preset>& out)
      : source_(std::move(source)), origin_(origin), mistake_(source_), out_(out) {}

  Status read(const CommandDescription& root, const std::string& text) {
    if (text.size() > max_file_bytes) {
      return Error{"bad-value", source_ + " has more than 64 KiB", "is it the right file? (zell config show --help)"};
    }
    auto parsed = parse_toml(text, source_);
    if (!parsed) return parsed.error();
    check_schema(*parsed, newest_schema, mistake_);
    read_table(root, *parsed);
    if (mistake_.any()) return mistake_.error();
    return Ok{};
  }

 private:
  void read_table(const CommandDescription& command, const TomlValue& table) {
    const auto path = path_of(command);
    std::vector<std::string_view> allowed;
    if (command.parent == nullptr) allowed.emplace_back("schema");
    for (const auto& option : command.options) {
      if (!is_presettable(command, *option)) continue;
      allowed.push_back(option->key());
      if (command.find(option->key()) != nullptr) allowed.push_back(option->long_name);
    }
    for (const auto& child : command.commands) {
      if (has_short_form(*child)) report_short_form(*child, table);
      if (!has_short_form(*child) && holds_presettables(*child)) allowed.emplace_back(child->name);
    }
    const StrictTable strict(table, path.empty() ? "the file" : "[" + path + "]", allowed, mistake_);
    for (const auto& [key, value] : table.members) {
      if (mistake_.any()) return;
      if (path.empty() && key == "schema") continue;
      const auto* child = command.find(key);
      // A command and an option may share a name: a table is for the command.
      if (child != nullptr && (value.kind == TomlValue::Kind::table || !has_option(command, key))) {
        if (value.kind == TomlValue::Kind::table) {
          read_table(*child, value);
        } else {
          mistake_.report(value.line, "wrong-type", key + " must be a table, [" + path_of(*child) + "]", "");
        }
        continue;
      }
      read_option(command, key, value);
    }
  }

  void report_short_form(const CommandDescription& command, const TomlValue& table) {
    for (const auto& [key, value] : table.members) {
      if (key != command.name) continue;
      mistake_.report(value.line, "unknown-key",
                      "zell " + command.name + " and zell cluster " + command.name + " are set in one place",
                      "[" + command.name + "]");
    }
  }

  static bool has_option(const CommandDescription& command, std::string_view key) {
    return std::any_of(command.options.begin(), command.options.end(),
                       [&](const auto& one) { return one->key() == key && is_presettable(command, *one); });
  }

  void read_option(const CommandDescription& command, const std::string& key, const TomlValue& value) {
    const auto found = std::find_if(command.options.begin(), command.options.end(),
                                    [&](const auto& one) { return one->key() == key || one->long_name == key; });
    const OptionDescription& option = **found;
    Preset preset{&option, {}, origin_, fmt::format("{}:{}", source_, value.line)};
    if (value.kind == TomlValue::Kind::list && option.repeats) {
      for (const auto& item : value.items) add_value(key, option, item, preset.values);
    } else {
      add_value(key, option, value, preset.values);
    }
    const bool names_file = option.kind == ValueKind::key &&
                            std::any_of(preset.values.begin(), preset.values.end(),
                                        [](const auto& one) { return one.find('/') != std::string::npos; });
    const auto full = key_of(command, option);
    if (!seen_.insert(full).second) {
      return mistake_.report(value.line, "bad-value", full + " is set twice", "remove one of the two");
    }
    if (origin_ == Origin::project && (!is_for_project(option) || names_file)) {
      return mistake_.report(value.line, "bad-value", full + " names a file, which a project's zell.toml may not do",
                             fmt::format("set it in your own configuration, or by {}", variable_of(full)));
    }
    out_[full] = std::move(preset);
  }

  void add_value(const std::string& key, const OptionDescription& option, const TomlValue& value,
                 std::vector<std::string>& values) {
    const auto wrong = [&](std::string_view wanted) {
      mistake_.report(value.line, "wrong-type", fmt::format("{} must be {}", key, wanted), "");
    };
    if (!option.takes_value()) {
      if (value.kind != TomlValue::Kind::boolean) return wrong("true or false");
      values.emplace_back(value.boolean ? "true" : "false");
    } else if (value.kind == TomlValue::Kind::text) {
      values.push_back(value.text);
    } else if (value.kind == TomlValue::Kind::integer &&
               (option.kind == ValueKind::number || option.kind == ValueKind::time)) {
      values.push_back(std::to_string(value.integer));
    } else {
      wrong(option.kind == ValueKind::number ? "a whole number"
            : option.kind == ValueKind::time ? "a time in quotes, such as \"10s\", or a number of seconds"
            : option.repeats                 ? "a string in quotes, or a list of them"
                                             : "a string in quotes");
    }
  }

  std::string source_;
  Origin origin_;
  Mistake mistake_;
  std::set<std::string> seen_;
  std::map<std::string, Preset>& out_;
};

/// Empty if it may be believed; else why not.
std::string distrust(const std::filesystem::path& file) {
  struct stat link{}, target{};
  if (::lstat(file.c_str(), &link) != 0 || ::stat(file.c_str(), &target) != 0) return "";
  for (const auto& status : {link, target}) {
    if (status.st_uid != ::getuid() && status.st_uid != 0) return "belongs to another user";
  }
  return (target.st_mode & 0002) != 0 ? "can be written by anybody" : "";
}

std::filesystem::path folder_of_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value != '/' ? std::filesystem::path() : std::filesystem::path(value);
}

/// The nearest zell.toml from the working directory upwards, as far as the home folder.
std::optional<std::filesystem::path> find_project_file() {
  std::error_code error;
  auto folder = std::filesystem::current_path(error);
  if (error) return std::nullopt;
  const auto home = std::filesystem::weakly_canonical(folder_of_variable("HOME"), error);
  while (true) {
    auto file = folder / "zell.toml";
    if (std::filesystem::is_regular_file(file, error)) return file;
    if (folder == home || folder == folder.parent_path()) return std::nullopt;
    folder = folder.parent_path();
  }
}

/// Whether it gives way to what was typed beside it.
bool yields(const ReadWords& words, const CommandDescription& command, const OptionDescription& option) {
  return std::any_of(command.preset_rules.begin(), command.preset_rules.end(), [&](const PresetRule& rule) {
    if (rule.option != option.long_name) return false;
    const bool typed = std::any_of(rule.others.begin(), rule.others.end(), [&](const std::string& name) {
      const auto* other = command.find_option(name);
      return other != nullptr && words.has(*other);
    });
    return typed != rule.only_with;
  });
}

Status take_all(const Preset& preset) {
  for (const auto& value : preset.values) {
    if (auto taken = preset.option->take(value); !taken) {
      return Error{"bad-value", preset.where + ": " + taken.error().what, "zell config show"};
    }
  }
  return Ok{};
}

}  // namespace

std::string_view to_string(Origin origin) {
  static constexpr std::string_view words[] = {"default", "user", "project", "environment", "flag"};
  return words[static_cast<std::size_t>(origin)];
}

std::string key_of(const CommandDescription& owner, const OptionDescription& option) {
  const auto path = path_of(owner);
  return path.empty() ? std::string(option.key()) : fmt::format("{}.{}", path, option.key());
}

std::string variable_of(std::string_view key) {
  std::string out(variable_prefix);
  for (const char c : key) {
    out += c == '.' || c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

bool is_presettable(const CommandDescription& owner, const OptionDescription& option) {
  // What a person has to say each time: which folder is a cluster, and that something is to go for good.
  static constexpr std::string_view only_typed[] = {"", "help", "dir", "force", "yes"};
  if (owner.hidden || owner.configured != Configured::fully) return false;
  return std::find(std::begin(only_typed), std::end(only_typed), option.key()) == std::end(only_typed);
}

std::map<std::string, const OptionDescription*> presettable_options(const CommandDescription& root) {
  std::map<std::string, const OptionDescription*> out;
  collect(root, out);
  return out;
}

Result<Presets> Presets::read(const CommandDescription& root) {
  Presets out;
  auto config_home = folder_of_variable("XDG_CONFIG_HOME");
  if (config_home.empty()) config_home = folder_of_variable("HOME") / ".config";
  out.user_file = config_home / "zell" / "config.toml";
  if (auto read = out.read_user_file(root); !read) return read.error();
  if (auto read = out.read_project_file(root); !read) return read.error();
  out.read_environment(root);
  return out;
}

Status Presets::read_user_file(const CommandDescription& root) {
  auto text = read_config_file(user_file);
  if (!text) return text.error().code == "not-found" ? Status(Ok{}) : Status(text.error());
  if (const auto why = distrust(user_file); !why.empty()) {
    return Error{"too-open", user_file.string() + " " + why, "chmod 600 " + user_file.string()};
  }
  return FileReader(user_file.string(), Origin::user, all_).read(root, *text);
}

Status Presets::read_project_file(const CommandDescription& root) {
  project_file = find_project_file();
  if (!project_file) return Ok{};
  if (const auto why = distrust(*project_file); !why.empty()) {
    notes.push_back(fmt::format("{} is left out: it {}", project_file->string(), why));
    project_file.reset();
    return Ok{};
  }
  auto text = read_config_file(*project_file);
  if (!text) return text.error();
  return FileReader(project_file->string(), Origin::project, all_).read(root, *text);
}

void Presets::read_environment(const CommandDescription& root) {
  const auto options = presettable_options(root);
  std::map<std::string, std::string> keys;
  for (const auto& [key, option] : options) keys.emplace(variable_of(key), key);
  std::vector<std::string_view> names;
  for (const auto& [name, key] : keys) names.push_back(name);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (!text.starts_with(variable_prefix) || equals == std::string_view::npos) continue;
    const std::string name(text.substr(0, equals));
    const auto found = keys.find(name);
    if (found == keys.end()) {
      const auto near = nearest_word(name, names);
      const bool told =
          std::find(std::begin(told_to_others), std::end(told_to_others), name) != std::end(told_to_others);
      if (!told && !near.empty()) strangers.push_back(fmt::format("{} sets nothing; did you mean {}?", name, near));
      continue;
    }
    std::string value(text.substr(equals + 1));
    // As if it were not there: the shell's way to take one away for a single command.
    if (value.empty()) continue;
    const auto* option = options.at(found->second);
    if (!option->takes_value() && (value == "1" || value == "0")) value = value == "1" ? "true" : "false";
    all_[found->second] = Preset{option, {std::move(value)}, Origin::environment, name};
  }
}

Status Presets::apply(const ReadWords& words, bool only_globals) const {
  for (const auto* command : {&words.command->root(), words.command}) {
    if (only_globals && command->parent != nullptr) continue;
    for (const auto& option : command->options) {
      const auto preset = all_.find(key_of(*command, *option));
      if (preset == all_.end() || words.has(*option) || !is_presettable(*command, *option)) continue;
      if (yields(words, *command, *option)) continue;
      // The option of `zell cluster up` is another than that of `zell up`.
      auto own = preset->second;
      own.option = option.get();
      if (auto taken = take_all(own); !taken) return taken;
    }
  }
  return Ok{};
}

Status Presets::check(const std::function<bool(std::string_view)>& typed) const {
  for (const auto& [key, preset] : all_) {
    // To take a value sets the option: what was typed for the command that runs has to stay.
    if (key.find('.') == std::string::npos && typed(preset.option->long_name)) continue;
    if (auto taken = take_all(preset); !taken) return taken;
  }
  return Ok{};
}

}  // namespace zell::cli
