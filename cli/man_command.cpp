// zell man: the manual, made from what --help is made from.

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/man_page.h"
#include "cluster/cluster_file.h"
#include "node/config/nearest.h"

namespace zell::cli {
namespace {

struct ManOptions {
  std::vector<std::string> words;
  std::string folder;
};

void collect(const CommandDescription& command, std::vector<const CommandDescription*>& out) {
  out.push_back(&command);
  for (const auto& child : command.commands) {
    if (!child->hidden) collect(*child, out);
  }
}

/// One file a command; what was there with the same name is replaced.
int write_pages(const Globals& globals, const CommandDescription& root, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail({"io", fmt::format("cannot make the folder {}: {}", folder.string(), error.message()), ""});
  std::vector<const CommandDescription*> commands;
  collect(root, commands);
  for (const auto* command : commands) {
    const auto file = folder / (man_page_name(*command) + ".1");
    if (auto written = write_file(file, man_page(*command, ZELL_VERSION)); !written) return fail(written.error());
    std::filesystem::permissions(file, std::filesystem::perms(0644), error);
    if (error) return fail({"io", fmt::format("cannot set the mode of {}: {}", file.string(), error.message()), ""});
  }
  if (globals.json) {
    print_json({{"folder", folder.string()}, {"pages", commands.size()}});
  } else {
    print(fmt::format("{} pages in {}", commands.size(), folder.string()));
  }
  return done;
}

int man(const Globals& globals, const CommandDescription& root, const ManOptions& options) {
  if (!options.folder.empty()) {
    if (options.words.empty()) return write_pages(globals, root, options.folder);
    return fail({"usage", "--into writes all pages: name no command beside it", "zell man --into FOLDER"});
  }
  const auto* command = &root;
  for (const auto& word : options.words) {
    const auto* child = command->find(word);
    if (child == nullptr || child->hidden) {
      std::vector<std::string_view> names;
      for (const auto& one : command->commands) {
        if (!one->hidden) names.push_back(one->name);
      }
      const auto near = nearest_word(word, names);
      return fail({"usage", fmt::format("{} has no command '{}'", command->full_name(), word),
                   near.empty() ? command->full_name() + " --help" : fmt::format("did you mean {}?", near)});
    }
    command = child;
  }
  auto page = man_page(*command, ZELL_VERSION);
  page.pop_back();
  if (globals.json) {
    print_json({{"name", man_page_name(*command)}, {"roff", page}});
  } else {
    print(page);
  }
  if (output_mode().terminal_out) hint("try", command->full_name().replace(0, 4, "zell man") + " | man -l -");
  return done;
}

}  // namespace

void add_man_command(Command root, const Globals& globals, const CommandLine& line) {
  auto options = std::make_shared<ManOptions>();
  root.add("man", "Print a command's manual page, for man -l -")
      .configured(Configured::leniently)
      .positionals("COMMAND", options->words, "The command's words; zell itself if not given")
      .option("--into", options->folder, "FOLDER", "Write every page there, as zell.1, zell-submit.1, ...")
      .examples({"zell man submit", "zell man node kill", "zell man --into man1"})
      .run([&globals, &line, options] { return man(globals, line.describe(), *options); });
}

}  // namespace zell::cli
