#include "cli/man_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/presets.h"

namespace zell::cli {
namespace {

/// Text that roff prints as it is: a hyphen that can be copied, a backslash, and no line that is a request.
std::string escaped(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '`') {
      out += "\\(ga";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '~') {
      out += "\\(ti";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) {
  return "\\fB" + escaped(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + escaped(text) + "\\fR";
}

std::string synopsis(const CommandDescription& command) {
  std::string out = bold(command.full_name());
  for (const auto& one : command.positionals) {
    const auto name = italic(one->placeholder) + (one->repeats ? "..." : "");
    out += one->required ? " " + name : " [" + name + "]";
  }
  if (!command.commands.empty()) out += command.acts ? " [" + italic("COMMAND") + "]" : " " + italic("COMMAND");
  out += " [" + italic("OPTIONS") + "]";
  return command.rest.empty() ? out : out + " " + bold("--") + " " + italic(command.rest);
}

std::string term(const OptionDescription& option) {
  if (option.is_positional) return italic(option.placeholder);
  std::string out = option.short_name.empty() ? "" : bold(option.short_name);
  if (!option.long_name.empty()) out += (out.empty() ? "" : ", ") + bold(option.long_name);
  return option.takes_value() ? out + " " + italic(option.placeholder) : out;
}

std::string options_section(std::string_view title, const std::vector<std::unique_ptr<OptionDescription>>& options) {
  if (options.empty()) return "";
  auto out = fmt::format(".SH {}\n", title);
  for (const auto& option : options) out += ".TP\n" + term(*option) + "\n" + escaped(option->help) + "\n";
  return out;
}

std::string commands_section(const CommandDescription& command) {
  std::string rows;
  for (const auto& child : command.commands) {
    if (!child->hidden) rows += ".TP\n" + bold(child->name) + "\n" + escaped(child->summary) + "\n";
  }
  return rows.empty() ? "" : ".SH COMMANDS\n" + rows;
}

std::string environment_section(const CommandDescription& command) {
  std::string rows;
  for (const auto& option : command.options) {
    if (!is_presettable(command, *option)) continue;
    const auto key = key_of(command, *option);
    rows += fmt::format(".TP\n{}\nAs {}; {} in a configuration file.\n", bold(variable_of(key)),
                        bold(option->long_name), bold(key));
  }
  return rows.empty() ? "" : ".SH ENVIRONMENT\n" + rows;
}

std::string see_also(const CommandDescription& command) {
  std::vector<std::string> names;
  if (command.parent != nullptr) names.push_back(man_page_name(*command.parent));
  for (const auto& child : command.commands) {
    if (!child->hidden) names.push_back(man_page_name(*child));
  }
  std::sort(names.begin(), names.end());
  std::string out = ".SH SEE ALSO\n";
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += fmt::format(".BR {} (1){}\n", escaped(names[i]), i + 1 == names.size() ? "" : ",");
  }
  return names.empty() ? "" : out;
}

std::string title_of(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

}  // namespace

std::string man_page_name(const CommandDescription& command) {
  return command.parent == nullptr ? command.name : man_page_name(*command.parent) + "-" + command.name;
}

std::string man_page(const CommandDescription& command, const std::string& version) {
  const auto name = man_page_name(command);
  auto out = fmt::format(".TH {} 1 \"\" \"zell {}\" \"zell\"\n", escaped(title_of(name)), escaped(version));
  out += fmt::format(".SH NAME\n{} \\- {}\n", escaped(name), escaped(command.summary));
  out += ".SH SYNOPSIS\n" + synopsis(command) + "\n";
  out += options_section("ARGUMENTS", command.positionals);
  out += options_section("OPTIONS", command.options);
  out += commands_section(command);
  if (command.parent != nullptr) out += options_section("OPTIONS OF EVERY COMMAND", command.root().options);
  out += environment_section(command);
  if (!command.examples.empty()) {
    out += ".SH EXAMPLES\n.nf\n";
    for (const auto& example : command.examples) out += escaped(example) + "\n";
    out += ".fi\n";
  }
  if (!command.closing_words.empty()) out += ".SH NOTES\n";
  for (std::size_t i = 0; i < command.closing_words.size(); ++i) {
    out += (i == 0 ? "" : ".PP\n") + escaped(command.closing_words[i]) + "\n";
  }
  return out + see_also(command);
}

}  // namespace zell::cli
