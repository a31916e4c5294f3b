#include "cli/help_text.h"

#include <algorithm>
#include <utility>

namespace zell::cli {
namespace {

constexpr std::size_t help_column = 32;

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string section(const std::string& title, const Rows& rows) {
  if (rows.empty()) return "";
  std::string out = "\n" + title + ":\n";
  for (const auto& [term, help] : rows) {
    out += "  " + term;
    const bool fits = term.size() + 3 <= help_column;
    if (!fits) out += "\n";
    out += std::string(fits ? help_column - 2 - term.size() : help_column, ' ') + help + "\n";
  }
  return out;
}

Rows rows_of(const std::vector<std::unique_ptr<OptionDescription>>& options) {
  Rows out;
  for (const auto& option : options) {
    const bool shows_value = option->takes_value() && !option->is_positional;
    out.emplace_back(option->names() + (shows_value ? " " + option->placeholder : ""), option->help);
  }
  return out;
}

}  // namespace

std::string usage_line(const CommandDescription& command) {
  std::string out = command.full_name();
  for (const auto& one : command.positionals) {
    const auto name = one->placeholder + (one->repeats ? "..." : "");
    out += one->required ? " " + name : " [" + name + "]";
  }
  if (!command.commands.empty()) out += command.acts ? " [COMMAND]" : " COMMAND";
  return out + " [OPTIONS]" + (command.rest.empty() ? "" : " -- " + command.rest);
}

std::string help_text(const CommandDescription& command) {
  std::string out = command.summary + "\n\nUsage: " + usage_line(command) + "\n";
  out += section("Positionals", rows_of(command.positionals));
  out += section("Options", rows_of(command.options));
  Rows commands;
  for (const auto& child : command.commands) {
    if (!child->hidden) commands.emplace_back(child->name, child->summary);
  }
  out += section("Subcommands", commands);
  if (command.parent != nullptr) out += section("Options of every command", rows_of(command.root().options));
  if (!command.examples.empty()) {
    out += "\nExamples:\n";
    for (const auto& example : command.examples) out += "  " + example + "\n";
  }
  for (const auto& words : command.closing_words) out += "\n" + words + "\n";
  return out;
}

}  // namespace zell::cli
