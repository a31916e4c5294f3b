#include "cli/completion.h"

#include <algorithm>

namespace zell::cli {
namespace {

void offer(std::vector<Offer>& out, std::string word, const std::string& help, std::string_view begin) {
  if (word.starts_with(begin)) out.push_back({std::move(word), help});
}

/// Values of `option` that begin with `text`, each after `before`, which is typed already.
void offer_values(const OptionDescription& option, const std::string& before, const std::string& text,
                  const LiveNames& live, Offers& out) {
  switch (option.kind) {
    case ValueKind::choice:
      for (const auto& word : option.choices) offer(out.words, before + word, "", before + text);
      return;
    case ValueKind::file:
      out.files = Offers::Files::files;
      return;
    case ValueKind::folder:
      out.files = Offers::Files::folders;
      return;
    case ValueKind::key:
      if (text.find('/') != std::string::npos) out.files = Offers::Files::files;
      break;
    case ValueKind::cluster:
    case ValueKind::nodes:
      break;
    default:
      return;
  }
  // Nodes may be a list: what is before the last comma stays.
  const auto comma = option.kind == ValueKind::nodes ? text.rfind(',') : std::string::npos;
  const auto kept = before + (comma == std::string::npos ? "" : text.substr(0, comma + 1));
  for (auto& [word, help] : live(option.kind)) offer(out.words, kept + word, help, before + text);
}

void offer_options(const ReadWords& read, const std::string& last, Offers& out) {
  for (const auto* command = read.command; command != nullptr; command = command->parent) {
    // Those of a command between are none of this one's.
    if (command != read.command && command->parent != nullptr) continue;
    for (const auto& option : command->options) {
      if (read.has(*option) && !option->repeats) continue;
      offer(out.words, option->long_name, option->help, last);
    }
  }
}

}  // namespace

Offers offers_for(const ReadWords& read, const std::string& last, const LiveNames& live) {
  Offers out;
  if (read.rest) {
    out.files = read.rest->empty() ? Offers::Files::command : Offers::Files::files;
    return out;
  }
  if (read.mistake && read.open == nullptr) return out;
  if (read.open != nullptr) {
    offer_values(*read.open, "", last, live, out);
    return out;
  }
  if (!read.only_arguments && last.starts_with('-')) {
    const auto equals = last.find('=');
    const auto* option = equals == std::string::npos ? nullptr : read.command->find_option(last.substr(0, equals));
    if (option != nullptr) {
      offer_values(*option, last.substr(0, equals + 1), last.substr(equals + 1), live, out);
    } else {
      offer_options(read, last, out);
    }
    return out;
  }
  for (const auto& child : read.command->commands) {
    if (!child->hidden) offer(out.words, child->name, child->summary, last);
  }
  const auto& positionals = read.command->positionals;
  if (positionals.empty()) return out;
  const bool full = read.arguments.size() >= positionals.size() && !positionals.back()->repeats;
  if (!full) offer_values(*positionals[std::min(read.arguments.size(), positionals.size() - 1)], "", last, live, out);
  return out;
}

}  // namespace zell::cli
