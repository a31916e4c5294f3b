#include "cli/word_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "node/config/nearest.h"

namespace zell::cli {
namespace {

class Reader {
 public:
  Reader(const CommandDescription& root, const std::vector<std::string>& words) : words_(words) {
    out_.command = &root;
  }

  ReadWords read() {
    while (next_ < words_.size() && !out_.rest) {
      const auto& word = words_[next_++];
      if (out_.only_arguments || word.size() < 2 || word.front() != '-') {
        read_plain(word);
      } else if (word == "--") {
        read_mark();
      } else if (word[1] == '-') {
        read_long(word);
      } else {
        read_letters(word);
      }
    }
    return std::move(out_);
  }

 private:
  void read_mark() {
    if (out_.command->rest.empty()) {
      out_.only_arguments = true;
      return;
    }
    out_.rest.emplace(words_.begin() + static_cast<std::ptrdiff_t>(next_), words_.end());
  }

  void read_plain(const std::string& word) {
    const auto* command = out_.command;
    if (out_.only_arguments || command->commands.empty()) {
      if (!command->rest.empty()) {
        return mistake(command->full_name() + " takes a command only after --",
                       fmt::format("{} -- {}", command->full_name(), word));
      }
      out_.arguments.push_back(word);
      return;
    }
    const auto* child = command->find(word);
    if (child == nullptr) return unknown_command(word);
    out_.command = child;
    out_.for_parser.push_back(word);
  }

  void read_long(const std::string& word) {
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    const auto* option = out_.command->find_option(name);
    if (option == nullptr) return unknown_option(name);
    give(option);
    if (equals == std::string::npos) return read_value(option, name);
    if (!option->takes_value()) return mistake(name + " takes no value", out_.command->full_name() + " --help");
    out_.for_parser.insert(out_.for_parser.end(), {name, word.substr(equals + 1)});
  }

  /// "-f", "-n7", "-fn 7".
  void read_letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string name{'-', word[i]};
      const auto* option = out_.command->find_option(name);
      if (option == nullptr) return unknown_option(i == 1 ? word.substr(0, word.find('=')) : name);
      give(option);
      if (option->takes_value() && i + 1 < word.size()) {
        const auto begin = i + 1 + (word[i + 1] == '=' ? 1U : 0U);
        out_.for_parser.insert(out_.for_parser.end(), {name, word.substr(begin)});
        return;
      }
      read_value(option, name);
    }
  }

  void read_value(const OptionDescription* option, const std::string& name) {
    const auto same = [&](const auto& one) { return one.option == option; };
    const bool again = std::count_if(out_.given.begin(), out_.given.end(), same) > 1;
    // A flag given again says nothing new.
    if (option->takes_value() || !again) out_.for_parser.push_back(name);
    if (!option->takes_value()) return;
    // Before what is not ours a value is missing, rather than called "--".
    const bool missing = next_ == words_.size() || (!out_.command->rest.empty() && words_[next_] == "--");
    if (!missing) {
      out_.for_parser.push_back(words_[next_++]);
      return;
    }
    if (next_ == words_.size()) out_.open = option;
    mistake(fmt::format("{} needs a value: {}", name, option->placeholder), out_.command->full_name() + " --help");
  }

  void give(const OptionDescription* option) {
    out_.help = out_.help || option->long_name == "--help";
    for (const auto* owner = out_.command; owner != nullptr; owner = owner->parent) {
      const auto found = std::any_of(owner->options.begin(), owner->options.end(),
                                     [&](const auto& one) { return one.get() == option; });
      if (found) out_.given.push_back({option, owner});
    }
  }

  void mistake(std::string what, std::string hint) {
    if (!out_.mistake) out_.mistake = Error{"usage", std::move(what), std::move(hint)};
  }
  void unknown_option(const std::string& name) {
    std::vector<std::string_view> names;
    for (const auto* command = out_.command; command != nullptr; command = command->parent) {
      for (const auto& option : command->options) {
        if (!option->long_name.empty()) names.push_back(option->long_name);
      }
    }
    mistake(fmt::format("{} has no option {}", out_.command->full_name(), name), suggestion(nearest_word(name, names)));
  }
  void unknown_command(const std::string& word) {
    std::vector<std::string_view> names;
    for (const auto& child : out_.command->commands) {
      if (!child->hidden) names.push_back(child->name);
    }
    mistake(fmt::format("{} has no command '{}'", out_.command->full_name(), word),
            suggestion(nearest_word(word, names)));
    // What comes after it can't be understood, except that help is wanted.
    const auto end = std::find(words_.begin(), words_.end(), "--");
    out_.help =
        out_.help || std::find(words_.begin(), end, "--help") != end || std::find(words_.begin(), end, "-h") != end;
    next_ = words_.size();
  }
  [[nodiscard]] std::string suggestion(std::string_view near) const {
    return near.empty() ? out_.command->full_name() + " --help" : "did you mean " + std::string(near) + "?";
  }

  const std::vector<std::string>& words_;
  std::size_t next_ = 0;
  ReadWords out_;
};

}  // namespace

bool ReadWords::has(const OptionDescription& option) const {
  return std::any_of(given.begin(), given.end(), [&](const auto& one) { return one.option == &option; });
}

ReadWords read_words(const CommandDescription& root, const std::vector<std::string>& words) {
  return Reader(root, words).read();
}

std::optional<Error> incomplete(const ReadWords& words) {
  const auto& command = *words.command;
  const auto name = command.full_name();
  const auto error = [&](std::string what) { return Error{"usage", std::move(what), name + " --help"}; };
  for (const auto& [option, owner] : words.given) {
    // It would be taken in, and ignored.
    if (owner == &command || owner->parent == nullptr) continue;
    const auto& shown = option->long_name.empty() ? option->short_name : option->long_name;
    return error(fmt::format("{} is an option of {}, not of {}", shown, owner->full_name(), name));
  }
  for (const auto& [option, owner] : words.given) {
    const auto times = std::count_if(words.given.begin(), words.given.end(),
                                     [one = option](const auto& other) { return other.option == one; });
    if (times > 1 && option->takes_value() && !option->repeats) return error(option->long_name + " is given twice");
  }
  if (!command.acts) return error(name + " needs a command");
  const auto& positionals = command.positionals;
  const bool endless = !positionals.empty() && positionals.back()->repeats;
  if (!endless && words.arguments.size() > positionals.size()) {
    std::string extra;
    for (auto i = positionals.size(); i < words.arguments.size(); ++i) extra += " " + words.arguments[i];
    return error("too many arguments:" + extra);
  }
  for (auto i = words.arguments.size(); i < positionals.size(); ++i) {
    if (positionals[i]->required) return error(positionals[i]->placeholder + " is required");
  }
  return std::nullopt;
}

}  // namespace zell::cli
