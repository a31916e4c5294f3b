// zell completion, and what the scripts that it prints ask.

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cluster/user_keys.h"

namespace zell::cli {
namespace {

/// Bounds what a shell is handed: what is more nobody reads.
constexpr std::size_t max_offers = 1'000;

std::vector<Offer> live_clusters() {
  std::vector<Offer> out;
  for (const auto& cluster : list_clusters(Environment::of_process()).clusters) {
    const auto count = cluster.file.nodes.size();
    out.push_back({cluster.file.name, fmt::format("{} node{}, {}", count, count == 1 ? "" : "s",
                                                  cluster.running() ? "running" : "stopped")});
  }
  return out;
}

/// Of the cluster that is meant, or where that is not clear of none: then the words that fit any.
std::vector<Offer> live_nodes(const ClusterChoice& choice) {
  std::vector<Offer> out;
  if (const auto cluster = choose_cluster(Environment::of_process(), choice, true)) {
    for (const auto& node : cluster->file.nodes) out.push_back({node.name, node.api_url()});
  }
  for (const auto& [word, help] : {std::pair{"leader", "the node that leads now"},
                                   {"followers", "all but the leader"},
                                   {"followers:2", "so many of them"},
                                   {"random:1", "so many, drawn at random"},
                                   {"f", "as many as may fail"},
                                   {"f+1", "one more than may fail"},
                                   {"all", "every node"}}) {
    out.push_back({word, help});
  }
  return out;
}

std::vector<Offer> live_keys(const ClusterChoice& choice) {
  std::vector<Offer> out;
  const auto environment = Environment::of_process();
  const auto cluster = choose_cluster(environment, choice, true);
  const auto keys = list_user_keys(environment, cluster ? cluster->paths.keys() : std::filesystem::path());
  if (!keys) return out;
  for (const auto& key : keys->keys) out.push_back({key.key.name, key.key.dev ? "dev key" : "own key"});
  return out;
}

/// The cluster that the words typed so far name.
ClusterChoice choice_in(const CommandDescription& root, const ReadWords& read, const Globals& globals) {
  auto choice = globals.choice();
  const auto& words = read.for_parser;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "--cluster" && read.has(*root.find_option("--cluster"))) choice.name = words[i + 1];
    if (words[i] == "--dir" && read.has(*root.find_option("--dir"))) choice.folder = words[i + 1];
  }
  return choice;
}

/// Says nothing but offers, whatever is wrong: it is run at each press of a key.
int complete(const CommandDescription& root, const Globals& globals, std::vector<std::string> words) {
  const auto last = words.empty() ? std::string() : words.back();
  if (!words.empty()) words.pop_back();
  const auto read = read_words(root, words);
  const auto choice = choice_in(root, read, globals);
  const auto offers = offers_for(read, last, [&](ValueKind kind) {
    if (kind == ValueKind::cluster) return live_clusters();
    return kind == ValueKind::key ? live_keys(choice) : live_nodes(choice);
  });
  std::string out;
  for (std::size_t i = 0; i < std::min(offers.words.size(), max_offers); ++i) {
    const auto& [word, help] = offers.words[i];
    // One line each, whatever a name holds.
    if (word.find_first_of("\t\n\r") != std::string::npos) continue;
    out += word + "\t" + help + "\n";
  }
  static constexpr std::string_view besides[] = {"", ":files\n", ":folders\n", ":command\n"};
  out += besides[static_cast<std::size_t>(offers.files)];
  if (!out.empty()) print(std::string_view(out).substr(0, out.size() - 1));
  return done;
}

int print_script(const Globals& globals, const std::string& shell) {
  const auto script = completion_script(shell);
  if (globals.json) {
    print_json({{"shell", shell}, {"script", script}});
  } else {
    print(script.substr(0, script.size() - 1));
  }
  return done;
}

}  // namespace

void add_completion_command(Command root, const Globals& globals, const CommandLine& line) {
  auto shell = std::make_shared<std::string>();
  root.add("completion", "Print a script that completes commands, options and live names in a shell")
      .configured(Configured::leniently)
      .positional("SHELL", *shell, {"bash", "zsh", "fish"}, "Whose script: bash, zsh or fish")
      .examples({"zell completion bash > zell.bash", "zell completion zsh > _zell", "zell completion fish > zell.fish"})
      .run([&globals, shell] { return print_script(globals, *shell); });
  auto words = std::make_shared<std::vector<std::string>>();
  root.add("__complete", "What fits the last word (the scripts of zell completion ask it)")
      .hidden()
      .configured(Configured::leniently)
      .rest("WORD...", *words)
      .run([&globals, &line, words] { return complete(line.describe(), globals, *words); });
}

}  // namespace zell::cli
