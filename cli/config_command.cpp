// zell config show: what is set, and by what.

#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/presets.h"
#include "node/config/strict_toml.h"

namespace zell::cli {
namespace {

struct ShowOptions {
  bool origin = false, all = false;
};

struct Setting {
  std::string key;
  const OptionDescription* option = nullptr;
  bool command_has_name = false;  ///< a command beside it is called the same, and has a table
  Preset preset;
};

bool is_plain_number(std::string_view text) {
  return !text.empty() && text.size() < 19 && (text.size() == 1 || text.front() != '0') &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// As a configuration file has it.
std::string toml_value(const OptionDescription& option, const std::vector<std::string>& values) {
  if (!option.takes_value()) return values.front();
  if (values.size() == 1 && option.kind == ValueKind::number && is_plain_number(values.front())) return values.front();
  if (!option.repeats) return toml_quoted(values.front());
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ", ") + toml_quoted(value);
  return "[" + out + "]";
}

/// "up" of "up.nodes"; empty for an option of every command.
std::string table_of(const Setting& setting) {
  const auto dot = setting.key.rfind('.');
  return dot == std::string::npos ? std::string() : setting.key.substr(0, dot);
}

/// By table, and in it by key; those of every command first.
std::vector<Setting> settings_of(const CommandDescription& root, const Presets& presets, const Globals& globals,
                                 bool all) {
  std::vector<Setting> out;
  const auto options = presettable_options(root);
  for (const auto& [key, option] : options) {
    const auto preset = presets.all().find(key);
    const auto below = options.lower_bound(key + ".");
    const bool command_has_name = below != options.end() && below->first.starts_with(key + ".");
    Setting setting{key, option, command_has_name, {}};
    if (key == "cluster" && globals.cluster_is_typed) {
      setting.preset = {option, {globals.cluster}, Origin::typed, "--cluster"};
    } else if (preset != presets.all().end()) {
      setting.preset = preset->second;
    } else if (all) {
      setting.preset = {option, {}, Origin::standard, ""};
      if (!option->standard.empty()) setting.preset.values.push_back(option->standard);
    } else {
      continue;
    }
    out.push_back(std::move(setting));
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return table_of(a) < table_of(b); });
  return out;
}

Json to_json(const Setting& setting) {
  const auto& values = setting.preset.values;
  Json value;
  if (!values.empty()) value = values.front();
  if (setting.option->repeats) value = values;
  if (!setting.option->takes_value() && !values.empty()) value = values.front() == "true";
  return {{"key", setting.key},
          {"value", value},
          {"origin", to_string(setting.preset.origin)},
          {"where", setting.preset.where.empty() ? Json() : Json(setting.preset.where)},
          {"variable", variable_of(setting.key)}};
}

/// A line of text whatever is in a path.
std::string comment(const std::string& text) {
  return readable(text, text.size() + 1);
}

bool is_set(const Setting& setting) {
  return setting.preset.origin != Origin::standard;
}

std::string toml_line(const Setting& setting, bool origin) {
  const auto& option = setting.option;
  const auto& preset = setting.preset;
  // TOML has one place for a name: with its dashes it is the option's.
  const auto name = setting.command_has_name ? std::string_view(option->long_name) : option->key();
  auto line = fmt::format("{}{} =", is_set(setting) ? "" : "# ", name);
  if (!preset.values.empty()) line += " " + toml_value(*option, preset.values);
  if (preset.values.empty() && option->repeats) line += " []";
  if (origin) line += "  # " + (is_set(setting) ? comment(preset.where) : std::string("default"));
  return line;
}

/// A file that could be the user's configuration. A table in which nothing is set is a comment, too: an option of the
/// command above it may have its name.
void print_toml(const std::vector<Setting>& settings, bool origin) {
  print("schema = 1");
  std::string table;
  for (const auto& setting : settings) {
    const auto own = table_of(setting);
    if (own != table) {
      const bool any = std::any_of(settings.begin(), settings.end(),
                                   [&](const auto& one) { return is_set(one) && table_of(one) == own; });
      print(fmt::format("\n{}[{}]", any ? "" : "# ", own));
    }
    table = own;
    print(toml_line(setting, origin));
  }
}

int show(const Globals& globals, const CommandLine& line, const ShowOptions& options) {
  const auto& root = line.describe();
  auto presets = Presets::read(root);
  if (!presets) return fail(presets.error());
  if (auto good = presets->check([&](std::string_view name) { return line.typed(name); }); !good)
    return fail(good.error());
  const auto settings = settings_of(root, *presets, globals, options.all);
  auto notes = presets->notes;
  notes.insert(notes.end(), presets->strangers.begin(), presets->strangers.end());
  if (globals.json) {
    Json all = Json::array();
    for (const auto& setting : settings) all.push_back(to_json(setting));
    print_json({{"user_file", presets->user_file.string()},
                {"project_file", presets->project_file ? Json(presets->project_file->string()) : Json()},
                {"settings", all},
                {"notes", notes}});
    return done;
  }
  print_toml(settings, options.origin);
  for (const auto& note : notes) talk(note);
  if (settings.empty()) {
    hint("nothing is set. files", fmt::format("{} · zell.toml in your project's folder", presets->user_file.string()));
  }
  return done;
}

}  // namespace

void add_config_command(Command root, const Globals& globals, const CommandLine& line) {
  auto config = root.add("config", "Options that files and the environment set");
  config.configured(Configured::leniently);
  config.examples({"zell config show --origin", "zell config show --all"});
  auto options = std::make_shared<ShowOptions>();
  config.add("show", "What is set: flags over environment over project over user over default")
      .flag("--origin", options->origin, "Say which file and line, variable or flag each comes from")
      .flag("--all", options->all, "Also what could be set, with its default")
      .examples({"zell config show --origin", "zell config show --all", "ZELL_UP_NODES=7 zell config show --json"})
      .closing_words(
          "Files: zell.toml in the working directory or above it, and $XDG_CONFIG_HOME/zell/config.toml. They have\n"
          "schema = 1, a table for each command, and the long names of its options: [up] nodes = 7. What is printed "
          "is\n"
          "such a file. A variable is the same path: ZELL_UP_NODES=7.")
      .run([&globals, &line, options] { return show(globals, line, *options); });
}

}  // namespace zell::cli
