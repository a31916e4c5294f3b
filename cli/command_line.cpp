#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

#include "cli/exit_codes.h"
#include "cli/output.h"
#include "node/config/nearest.h"

namespace zell::cli {
namespace {

/// Where a command wants what comes after "--".
struct Rest {
  std::string placeholder;
  std::vector<std::string>* words = nullptr;
};
using Rests = std::map<const CLI::App*, Rest>;

}  // namespace

struct Command::Shared {
  std::unique_ptr<CLI::App> app;
  Rests rests;
  std::function<void()> before;
  int exit_code = done;
};

namespace {

const CLI::App* root_of(const CLI::App* app) {
  while (app->get_parent() != nullptr) app = app->get_parent();
  return app;
}

std::string full_name(const CLI::App* app) {
  return app->get_parent() == nullptr ? app->get_name() : full_name(app->get_parent()) + " " + app->get_name();
}

/// Summary, usage, what it takes, the options that every command has, and the examples last.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(const Rests& rests) : rests_(rests) { column_width(32); }

  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode mode) const override {
    std::string out = app->get_description() + "\n" + make_usage(app, "");
    out += make_positionals(app) + make_groups(app, mode) + make_subcommands(app, mode);
    if (app->get_parent() != nullptr) {
      out += make_group("Options of every command", false, root_of(app)->get_options([](const CLI::Option* option) {
        return option->nonpositional() && !option->get_group().empty();
      }));
    }
    const auto footer = app->get_footer();
    return footer.empty() ? out : out + "\n" + footer + "\n";
  }
  std::string make_usage(const CLI::App* app, std::string) const override {
    std::string out = "\nUsage: " + full_name(app);
    for (const auto* option : app->get_options([](const CLI::Option* one) { return one->get_positional(); })) {
      const auto name = option->get_name(true) + (option->get_items_expected_max() > 1 ? "..." : "");
      out += option->get_required() ? " " + name : " [" + name + "]";
    }
    const bool needs_one = app->get_require_subcommand_min() > 0;
    if (!app->get_subcommands({}).empty()) out += needs_one ? " COMMAND" : " [COMMAND]";
    const auto rest = rests_.find(app);
    return out + " [OPTIONS]" + (rest == rests_.end() ? "" : " -- " + rest->second.placeholder) + "\n";
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_type_size() == 0 || option->get_positional() ? "" : " " + option->get_type_name();
  }

 private:
  const Rests& rests_;
};

/// The words after the program's name, read as far as they are understood, to say which one is not.
class Diagnosis {
 public:
  Diagnosis(const CLI::App* root, const Rests& rests) : app_(root), rests_(rests) {}

  std::optional<Error> first_mistake(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (word == "--") {
        mark_ = i;
        return std::nullopt;
      }
      if (word.size() > 1 && word.front() == '-') {
        const auto name = std::string(word.substr(0, word.find('=')));
        const auto* option = find_option(name);
        if (option == nullptr) return unknown_option(name);
        const bool separate_value = option->get_items_expected_max() != 0 && word.find('=') == std::string_view::npos;
        // Before what is not ours a value is missing, rather than called "--".
        const bool missing = rests_.contains(app_) && i + 1 < argc && std::string_view(argv[i + 1]) == "--";
        if (separate_value && !missing && !(word[1] != '-' && word.size() > 2)) ++i;
        continue;
      }
      const auto children = app_->get_subcommands([](const CLI::App* child) { return !child->get_name().empty(); });
      if (children.empty() && rests_.contains(app_)) {
        return Error{"usage", full_name(app_) + " takes a command only after --",
                     fmt::format("{} -- {}", full_name(app_), word)};
      }
      if (children.empty()) continue;
      const auto child =
          std::find_if(children.begin(), children.end(), [&](const CLI::App* one) { return one->get_name() == word; });
      if (child == children.end()) return unknown_command(std::string(word), children);
      app_ = *child;
    }
    return std::nullopt;
  }
  [[nodiscard]] const CLI::App* deepest() const { return app_; }
  /// Where "--" is, if it was come to.
  [[nodiscard]] std::optional<int> mark() const { return mark_; }

 private:
  [[nodiscard]] const CLI::Option* find_option(const std::string& name) const {
    const bool cluster_of_letters = name.size() > 2 && name[1] != '-';
    for (const auto* app = app_; app != nullptr; app = app->get_parent()) {
      if (const auto* option = app->get_option_no_throw(name)) return option;
      if (!cluster_of_letters) continue;
      if (const auto* option = app->get_option_no_throw(name.substr(0, 2))) return option;
    }
    return nullptr;
  }

  [[nodiscard]] Error unknown_option(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto* app = app_; app != nullptr; app = app->get_parent()) {
      for (const auto* option : app->get_options({})) {
        for (const auto& longer : option->get_lnames()) names.push_back("--" + longer);
      }
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto near = nearest_word(name, views);
    return {"usage", fmt::format("{} has no option {}", full_name(app_), name), suggestion(near)};
  }
  [[nodiscard]] Error unknown_command(const std::string& word, const std::vector<const CLI::App*>& children) const {
    std::vector<std::string_view> names;
    for (const auto* child : children) {
      if (!child->get_group().empty()) names.push_back(child->get_name());
    }
    return {"usage", fmt::format("{} has no command '{}'", full_name(app_), word),
            suggestion(nearest_word(word, names))};
  }
  [[nodiscard]] std::string suggestion(std::string_view near) const {
    return near.empty() ? full_name(app_) + " --help" : "did you mean " + std::string(near) + "?";
  }

  const CLI::App* app_;
  const Rests& rests_;
  std::optional<int> mark_;
};

/// Gives the words after "--" to a command that asked for them, and returns how many are left. CLI11 doesn't get to see
/// them: to it, "[a,b]" is two words.
int cut_rest(const CLI::App* root, const Rests& rests, int argc, char** argv) {
  Diagnosis diagnosis(root, rests);
  if (diagnosis.first_mistake(argc, argv)) return argc;
  const auto rest = rests.find(diagnosis.deepest());
  if (rest == rests.end() || !diagnosis.mark()) return argc;
  rest->second.words->assign(argv + *diagnosis.mark() + 1, argv + argc);
  return *diagnosis.mark();
}

/// "--color needs a value: auto|always|never", for CLI11's "--color: 1 required auto|always|never missing".
std::string without_value(const CLI::App& app, const std::string& what) {
  const auto name = what.substr(0, what.find(':'));
  for (const auto* one = &app; one != nullptr; one = one->get_parent()) {
    if (const auto* option = one->get_option_no_throw(name)) return name + " needs a value: " + option->get_type_name();
  }
  return what;
}

/// CLI11's own words, made to fit.
Error usage_error(const CLI::App* root, const Rests& rests, const CLI::ParseError& error, int argc, char** argv) {
  Diagnosis diagnosis(root, rests);
  if (auto mistake = diagnosis.first_mistake(argc, argv)) return *mistake;
  std::string what = error.what();
  if (const auto* extras = dynamic_cast<const CLI::ExtrasError*>(&error)) {
    what = extras->what();
    const auto colon = what.rfind(": ");
    what = "too many arguments:" + (colon == std::string::npos ? std::string() : what.substr(colon + 1));
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) what = without_value(*diagnosis.deepest(), what);
  const auto name = full_name(diagnosis.deepest());
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !diagnosis.deepest()->get_subcommands({}).empty()) {
    what = name + " needs a command";
  }
  return {"usage", std::move(what), name + " --help"};
}

/// Options of every command are the root's. Those of a command between would be taken in for its subcommand, and
/// ignored.
void refuse_options_of_parents(const CLI::App& app) {
  for (const auto* parent = app.get_parent(); parent != nullptr && parent->get_parent() != nullptr;
       parent = parent->get_parent()) {
    for (const auto* option : parent->get_options({})) {
      if (option->count() == 0) continue;
      throw CLI::ValidationError(
          fmt::format("{} is an option of {}, not of {}", option->get_name(), full_name(parent), full_name(&app)));
    }
  }
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

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Command Command::add(const std::string& name, const std::string& summary) {
  auto* child = app_->add_subcommand(name, summary);
  child->fallthrough();
  app_->require_subcommand(1);
  return {child, shared_};
}

Command& Command::hidden() {
  app_->group("");
  return *this;
}

Command& Command::flag(const std::string& names, bool& value, const std::string& help) {
  app_->add_flag(names, value, help);
  return *this;
}

Command& Command::option(const std::string& names, std::string& value, const std::string& placeholder,
                         const std::string& help) {
  app_->add_option(names, value, help)->type_name(placeholder);
  return *this;
}

Command& Command::option(const std::string& names, std::optional<std::string>& value, const std::string& placeholder,
                         const std::string& help) {
  app_->add_option_function<std::string>(
          names, [&value](const std::string& text) { value = text; }, help)
      ->type_name(placeholder);
  return *this;
}

Command& Command::list(const std::string& names, std::vector<std::string>& values, const std::string& placeholder,
                       const std::string& help) {
  app_->add_option(names, values, help)->delimiter(',')->expected(1)->take_all()->type_name(placeholder);
  return *this;
}

Command& Command::option(const std::string& names, std::optional<std::uint64_t>& value, const std::string& placeholder,
                         const std::string& help, std::uint64_t least, std::uint64_t most) {
  const auto read = [&value, names, least, most](const std::string& text) {
    value = parse_whole(text);
    if (!value) throw CLI::ValidationError(fmt::format("{}: '{}' is no whole number", names, text));
    if (*value < least || *value > most) {
      throw CLI::ValidationError(most == UINT64_MAX ? fmt::format("{}: {} is below {}", names, text, least)
                                                    : fmt::format("{}: {} is not {} to {}", names, text, least, most));
    }
  };
  app_->add_option_function<std::string>(names, read, help)->type_name(placeholder);
  return *this;
}

Command& Command::duration(const std::string& names, std::uint64_t& milliseconds, const std::string& help) {
  const auto read = [&milliseconds, names](const std::string& text) {
    const auto value = parse_duration(text);
    if (!value) throw CLI::ValidationError(fmt::format("{}: '{}' is no time such as 10s, 500ms or 2m", names, text));
    milliseconds = *value;
  };
  app_->add_option_function<std::string>(names, read, help)->type_name("TIME");
  return *this;
}

Command& Command::choice(const std::string& names, std::string& value, const std::vector<std::string>& words,
                         const std::string& help) {
  const auto read = [&value, names, words](const std::string& text) {
    if (std::find(words.begin(), words.end(), text) == words.end()) {
      const std::vector<std::string_view> views(words.begin(), words.end());
      const auto near = nearest_word(text, views);
      const auto end =
          near.empty() ? fmt::format("one of {}", fmt::join(words, ", ")) : fmt::format("did you mean {}?", near);
      throw CLI::ValidationError(fmt::format("{}: '{}' is not known; {}", names, text, end));
    }
    value = text;
  };
  app_->add_option_function<std::string>(names, read, help)->type_name(fmt::format("{}", fmt::join(words, "|")));
  return *this;
}

Command& Command::positional(const std::string& name, std::string& value, const std::string& help, bool required) {
  app_->add_option(name, value, help)->required(required);
  return *this;
}

Command& Command::positionals(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  app_->add_option(name, values, help);
  return *this;
}

Command& Command::rest(const std::string& placeholder, std::vector<std::string>& words) {
  shared_->rests[app_] = {placeholder, &words};
  return *this;
}

Command& Command::examples(std::vector<std::string> lines) {
  app_->footer(fmt::format("Examples:\n  {}", fmt::join(lines, "\n  ")));
  return *this;
}

Command& Command::closing_words(const std::string& text) {
  const auto before = app_->get_footer();
  app_->footer(before.empty() ? text : before + "\n\n" + text);
  return *this;
}

Command& Command::run(std::function<int()> action) {
  app_->require_subcommand(0, 1);
  app_->final_callback([app = app_, shared = shared_, action = std::move(action)] {
    if (!app->get_subcommands().empty()) return;
    refuse_options_of_parents(*app);
    shared->before();
    shared->exit_code = action();
  });
  return *this;
}

CommandLine::CommandLine(const std::string& name, const std::string& summary)
    : shared_(std::make_unique<Command::Shared>()) {
  shared_->app = std::make_unique<CLI::App>(summary, name);
  shared_->app->formatter(std::make_shared<HelpFormatter>(shared_->rests));
  shared_->app->set_help_flag("-h,--help", "Say what a command does, with examples");
}

CommandLine::~CommandLine() = default;

Command CommandLine::root() {
  return {shared_->app.get(), shared_.get()};
}

int CommandLine::run(int argc, char** argv, const std::function<void()>& before) {
  shared_->before = before;
  argc = cut_rest(shared_->app.get(), shared_->rests, argc, argv);
  try {
    shared_->app->parse(argc, argv);
    return shared_->exit_code;
  } catch (const CLI::CallForHelp&) {
    print(shared_->app->help());
    return done;
  } catch (const CLI::ParseError& error) {
    before();
    return fail(usage_error(shared_->app.get(), shared_->rests, error, argc, argv));
  }
}

}  // namespace zell::cli
