#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

#include "cli/exit_codes.h"
#include "cli/help_text.h"
#include "cli/output.h"
#include "cli/presets.h"
#include "cli/word_reader.h"
#include "node/config/nearest.h"

namespace zell::cli {

struct Command::Shared {
  std::unique_ptr<CLI::App> app;
  CommandDescription root;
  std::map<const CommandDescription*, std::function<int()>> actions;
  ReadWords words;
};

namespace {

Status not_taken(std::string what) {
  return Error{"usage", std::move(what), ""};
}

std::optional<std::uint64_t> parse_duration(std::string_view text) {
  static constexpr std::pair<std::string_view, double> units[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1'000}};
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (problem != std::errc{}) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, milliseconds] : units) {
    if (unit != name) continue;
    const double value = number * milliseconds;
    if (!(value >= 0) || value > 1e10) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(value));
  }
  return std::nullopt;
}

std::string duration_text(std::uint64_t milliseconds) {
  return milliseconds % 1'000 == 0 ? fmt::format("{}s", milliseconds / 1'000) : fmt::format("{}ms", milliseconds);
}

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// What a placeholder says about the value.
ValueKind kind_of(const std::string& placeholder, const CommandDescription& command) {
  static constexpr std::pair<std::string_view, ValueKind> kinds[] = {
      {"FILE", ValueKind::file},  {"PATH", ValueKind::file},   {"FOLDER", ValueKind::folder},
      {"NODE", ValueKind::nodes}, {"NODES", ValueKind::nodes}, {"KEY", ValueKind::key},
      {"WHO", ValueKind::key},    {"COMMAND", ValueKind::text}};
  for (const auto& [word, kind] : kinds) {
    if (word == placeholder) return kind;
  }
  if (placeholder != "NAME") return ValueKind::text;
  for (const auto* one = &command; one != nullptr; one = one->parent) {
    if (one->name_is_key) return ValueKind::key;
  }
  return ValueKind::cluster;
}

/// "-n,--nodes" into its two.
void split_names(const std::string& names, OptionDescription& option) {
  std::size_t begin = 0;
  while (begin < names.size()) {
    const auto end = std::min(names.find(',', begin), names.size());
    auto name = names.substr(begin, end - begin);
    (name.starts_with("--") ? option.long_name : option.short_name) = std::move(name);
    begin = end + 1;
  }
}

std::function<Status(const std::string&)> setting(std::string& value) {
  return [&value](const std::string& text) -> Status {
    value = text;
    return Ok{};
  };
}

OptionDescription described(const std::string& placeholder, const std::string& help, ValueKind kind) {
  OptionDescription out;
  out.placeholder = placeholder;
  out.help = help;
  out.kind = kind;
  return out;
}

/// What was not typed. Code "bad-value", Presets::read's.
Status take_presets(const CommandDescription& root, const ReadWords& words) {
  const auto how = words.command->configured;
  if (how == Configured::not_at_all) return Ok{};
  auto presets = Presets::read(root);
  auto done = presets ? presets->apply(words, how != Configured::fully) : Status(presets.error());
  if (how == Configured::leniently) return Ok{};
  if (presets) {
    for (const auto& note : presets->notes) talk(note);
  }
  return done;
}

/// The arguments, in their order, just as they were typed.
Status take_arguments(const ReadWords& words) {
  const auto& positionals = words.command->positionals;
  for (std::size_t i = 0; i < words.arguments.size(); ++i) {
    const auto& one = *positionals[std::min(i, positionals.size() - 1)];
    if (auto taken = one.take(words.arguments[i]); !taken) return taken;
  }
  if (words.rest) words.command->take_rest(*words.rest);
  return Ok{};
}

}  // namespace

Command Command::add(const std::string& name, const std::string& summary) {
  auto* child = app_->add_subcommand(name, summary);
  child->set_help_flag();
  child->fallthrough();
  auto& description = description_->commands.emplace_back(std::make_unique<CommandDescription>());
  description->name = name;
  description->summary = summary;
  description->parent = description_;
  description->configured = description_->configured;
  return {child, description.get(), shared_};
}

Command& Command::hidden() {
  description_->hidden = true;
  return *this;
}

Command& Command::configured(Configured how) {
  description_->configured = how;
  return *this;
}

Command& Command::names_keys() {
  description_->name_is_key = true;
  return *this;
}

void Command::bind(const std::string& names, OptionDescription option) {
  split_names(names, option);
  auto& kept = description_->options.emplace_back(std::make_unique<OptionDescription>(std::move(option)));
  const auto take = [description = kept.get()](const CLI::results_t& values) {
    for (const auto& value : values) {
      if (auto taken = description->take(value); !taken) throw CLI::ValidationError(taken.error().what);
    }
    return true;
  };
  if (kept->takes_value()) {
    app_->add_option(names, CLI::callback_t(take), kept->help)->take_all();
  } else {
    app_->add_flag_callback(names, [take] { take({"true"}); }, kept->help);
  }
}

void Command::add_positional(OptionDescription option) {
  option.is_positional = true;
  description_->positionals.push_back(std::make_unique<OptionDescription>(std::move(option)));
}

Command& Command::flag(const std::string& names, bool& value, const std::string& help) {
  auto option = described("", help, ValueKind::none);
  option.standard = value ? "true" : "false";
  option.take = [&value, names](const std::string& text) -> Status {
    if (text != "true" && text != "false") return not_taken(fmt::format("{}: '{}' is not true or false", names, text));
    value = text == "true";
    return Ok{};
  };
  bind(names, std::move(option));
  return *this;
}

Command& Command::option(const std::string& names, std::string& value, const std::string& placeholder,
                         const std::string& help) {
  auto option = described(placeholder, help, kind_of(placeholder, *description_));
  option.standard = value;
  option.take = setting(value);
  bind(names, std::move(option));
  return *this;
}

Command& Command::option(const std::string& names, std::optional<std::string>& value, const std::string& placeholder,
                         const std::string& help) {
  auto option = described(placeholder, help, kind_of(placeholder, *description_));
  option.take = [&value](const std::string& text) -> Status {
    value = text;
    return Ok{};
  };
  bind(names, std::move(option));
  return *this;
}

Command& Command::list(const std::string& names, std::vector<std::string>& values, const std::string& placeholder,
                       const std::string& help) {
  auto option = described(placeholder, help, kind_of(placeholder, *description_));
  option.repeats = true;
  option.take = [&values](const std::string& text) -> Status {
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find(',', begin), text.size());
      if (end > begin) values.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return Ok{};
  };
  bind(names, std::move(option));
  return *this;
}

Command& Command::option(const std::string& names, std::optional<std::uint64_t>& value, const std::string& placeholder,
                         const std::string& help, std::uint64_t least, std::uint64_t most) {
  auto option = described(placeholder, help, ValueKind::number);
  option.take = [&value, names, least, most](const std::string& text) -> Status {
    const auto number = parse_whole(text);
    if (!number) return not_taken(fmt::format("{}: '{}' is no whole number", names, text));
    if (*number < least || *number > most) {
      return not_taken(most == UINT64_MAX ? fmt::format("{}: {} is below {}", names, text, least)
                                          : fmt::format("{}: {} is not {} to {}", names, text, least, most));
    }
    value = number;
    return Ok{};
  };
  bind(names, std::move(option));
  return *this;
}

Command& Command::duration(const std::string& names, std::uint64_t& milliseconds, const std::string& help) {
  auto option = described("TIME", help, ValueKind::time);
  option.standard = duration_text(milliseconds);
  option.take = [&milliseconds, names](const std::string& text) -> Status {
    const auto value = parse_duration(text);
    if (!value) return not_taken(fmt::format("{}: '{}' is no time such as 10s, 500ms or 2m", names, text));
    milliseconds = *value;
    return Ok{};
  };
  bind(names, std::move(option));
  return *this;
}

Command& Command::choice(const std::string& names, std::string& value, const std::vector<std::string>& words,
                         const std::string& help) {
  auto option = described(fmt::format("{}", fmt::join(words, "|")), help, ValueKind::choice);
  option.choices = words;
  option.standard = value;
  option.take = [&value, names, words](const std::string& text) -> Status {
    if (std::find(words.begin(), words.end(), text) == words.end()) {
      const std::vector<std::string_view> views(words.begin(), words.end());
      const auto near = nearest_word(text, views);
      const auto end =
          near.empty() ? fmt::format("one of {}", fmt::join(words, ", ")) : fmt::format("did you mean {}?", near);
      return not_taken(fmt::format("{}: '{}' is not known; {}", names, text, end));
    }
    value = text;
    return Ok{};
  };
  bind(names, std::move(option));
  return *this;
}

Command& Command::positional(const std::string& name, std::string& value, const std::string& help, bool required) {
  auto option = described(name, help, kind_of(name, *description_));
  option.required = required;
  option.take = setting(value);
  add_positional(std::move(option));
  return *this;
}

Command& Command::positional(const std::string& name, std::string& value, const std::vector<std::string>& words,
                             const std::string& help) {
  auto option = described(name, help, ValueKind::choice);
  option.choices = words;
  option.required = true;
  option.take = [&value, name, words](const std::string& text) -> Status {
    value = text;
    if (std::find(words.begin(), words.end(), text) != words.end()) return Ok{};
    const std::vector<std::string_view> views(words.begin(), words.end());
    const auto near = nearest_word(text, views);
    return not_taken(fmt::format("{} is one of {}, not '{}'{}", name, fmt::join(words, ", "), text,
                                 near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  };
  add_positional(std::move(option));
  return *this;
}

Command& Command::positionals(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  auto option = described(name, help, kind_of(name, *description_));
  option.repeats = true;
  option.take = [&values](const std::string& text) -> Status {
    values.push_back(text);
    return Ok{};
  };
  add_positional(std::move(option));
  return *this;
}

Command& Command::rest(const std::string& placeholder, std::vector<std::string>& words) {
  description_->rest = placeholder;
  description_->take_rest = [&words](std::vector<std::string> given) { words = std::move(given); };
  return *this;
}

Command& Command::preset_not_with(const std::string& option, std::vector<std::string> others) {
  description_->preset_rules.push_back({option, std::move(others), false});
  return *this;
}

Command& Command::preset_only_with(const std::string& option, std::vector<std::string> others) {
  description_->preset_rules.push_back({option, std::move(others), true});
  return *this;
}

Command& Command::examples(std::vector<std::string> lines) {
  description_->examples = std::move(lines);
  return *this;
}

Command& Command::closing_words(const std::string& text) {
  description_->closing_words.push_back(text);
  return *this;
}

Command& Command::run(std::function<int()> action) {
  description_->acts = true;
  shared_->actions[description_] = std::move(action);
  return *this;
}

CommandLine::CommandLine(const std::string& name, const std::string& summary)
    : shared_(std::make_unique<Command::Shared>()) {
  shared_->app = std::make_unique<CLI::App>(summary, name);
  shared_->app->set_help_flag();
  shared_->root.name = name;
  shared_->root.summary = summary;
  // It is asked for before anything is parsed; here it gets its place in the help.
  root().flag("-h,--help", shared_->words.help, "Say what a command does, with examples");
}

CommandLine::~CommandLine() = default;

Command CommandLine::root() {
  return {shared_->app.get(), &shared_->root, shared_.get()};
}

const CommandDescription& CommandLine::describe() const {
  return shared_->root;
}

bool CommandLine::typed(std::string_view long_name) const {
  const auto* option = shared_->words.command->find_option(long_name);
  return option != nullptr && shared_->words.has(*option);
}

int CommandLine::run(int argc, char** argv, const std::function<void()>& before) {
  auto& words = shared_->words;
  words = read_words(shared_->root, std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  const auto refuse = [&](const Error& error) {
    before();
    return fail(error);
  };
  if (words.help) {
    auto text = help_text(*words.command);
    text.pop_back();
    print(text);
    return done;
  }
  if (words.mistake) return refuse(*words.mistake);
  if (auto error = incomplete(words)) return refuse(*error);
  const auto help = words.command->full_name() + " --help";
  if (auto taken = take_arguments(words); !taken) return refuse({"usage", taken.error().what, help});
  if (auto taken = take_presets(shared_->root, words); !taken) return refuse(taken.error());
  try {
    std::vector<std::string> reversed(words.for_parser.rbegin(), words.for_parser.rend());
    shared_->app->parse(reversed);
  } catch (const CLI::ParseError& error) {
    return refuse({"usage", error.what(), help});
  }
  before();
  return shared_->actions.at(words.command)();
}

}  // namespace zell::cli
