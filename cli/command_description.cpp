#include "cli/command_description.h"

namespace zell::cli {

std::string_view OptionDescription::key() const {
  return long_name.empty() ? std::string_view() : std::string_view(long_name).substr(2);
}

std::string OptionDescription::names() const {
  if (is_positional) return placeholder;
  return short_name + (short_name.empty() || long_name.empty() ? "" : ",") + long_name;
}

std::string CommandDescription::full_name() const {
  return parent == nullptr ? name : parent->full_name() + " " + name;
}

const CommandDescription& CommandDescription::root() const {
  return parent == nullptr ? *this : parent->root();
}

const CommandDescription* CommandDescription::find(std::string_view command) const {
  for (const auto& one : commands) {
    if (one->name == command) return one.get();
  }
  return nullptr;
}

const OptionDescription* CommandDescription::find_option(std::string_view option_name) const {
  for (const auto* command = this; command != nullptr; command = command->parent) {
    for (const auto& option : command->options) {
      if (option->long_name == option_name || option->short_name == option_name) return option.get();
    }
  }
  return nullptr;
}

}  // namespace zell::cli
