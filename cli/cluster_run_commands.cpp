// zell cluster env, and zell cluster run: the variables that tell a script, or a command that is run, where the cluster
// is.

#include "cli/cluster_run_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "cli/child_command.h"
#include "cli/exit_codes.h"
#include "cli/interruption.h"
#include "cli/json.h"
#include "cli/own_cluster.h"
#include "cluster/cluster_view.h"
#include "node/wire/signed_structures.h"

namespace zell::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds view_timeout{5'000};

struct Variable {
  std::string name, value;
};

/// Whom to send to: the leader, or else whoever serves.
const ClusterNode* serving_node(const ClusterView& view) {
  if (const auto leader = view.leader()) return &view.nodes[*leader].node;
  const auto found = std::find_if(view.nodes.begin(), view.nodes.end(), [](const auto& node) { return node.votes(); });
  return found == view.nodes.end() ? nullptr : &found->node;
}

/// Code "not-running" when no node serves, and view_cluster()'s.
Result<std::vector<Variable>> variables_of(const FoundCluster& cluster) {
  auto view = view_cluster(cluster, view_timeout);
  if (!view) return view.error();
  const auto& file = cluster.file;
  const auto* serving = serving_node(*view);
  if (serving == nullptr) {
    return Error{"not-running", "no node of cluster " + file.name + " serves", "zell status " + file.name};
  }
  std::string urls;
  for (const auto& node : file.nodes) urls += (urls.empty() ? "" : ",") + node.api_url();
  return std::vector<Variable>{{"ZELL_CLUSTER", file.name},
                               {"ZELL_URL", serving->api_url()},
                               {"ZELL_URLS", urls},
                               {"ZELL_GENESIS", cluster.paths.genesis().string()},
                               {"ZELL_CLUSTER_ID", to_hex0x(SigningDomain::of(view->genesis).cluster.view())},
                               {"ZELL_DIR", cluster.paths.root.string()}};
}

/// As one word of a POSIX shell: a quote ends the quoted part, stands for itself, and begins the next.
std::string quoted_for_sh(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// As one word of fish, where \' and \\ stand for themselves within quotes.
std::string quoted_for_fish(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += (c == '\'' || c == '\\' ? "\\" : "") + std::string(1, c);
  return out + "'";
}

struct EnvOptions {
  std::string name;
  std::string shell = "sh";
};

int env(const Globals& globals, const EnvOptions& options) {
  auto cluster = choose_cluster(Environment::of_process(), globals.choice(options.name), false);
  if (!cluster) return fail(cluster.error());
  auto variables = variables_of(*cluster);
  if (!variables) return fail(variables.error());
  if (globals.json) {
    Json values = Json::object();
    for (const auto& [name, value] : *variables) values[name] = value;
    print_json({{"cluster", cluster->file.name}, {"variables", values}});
    return done;
  }
  const bool fish = options.shell == "fish";
  for (const auto& [name, value] : *variables) {
    print(fish ? fmt::format("set -gx {} {};", name, quoted_for_fish(value))
               : fmt::format("export {}={}", name, quoted_for_sh(value)));
  }
  if (output_mode().terminal_out) {
    const auto words = "zell cluster env" + (options.name.empty() ? "" : " " + options.name);
    hint("try", fish ? words + " --shell fish | source" : "eval \"$(" + words + ")\"");
  }
  return done;
}

struct RunOptions {
  std::optional<std::uint64_t> nodes, seed;
  std::optional<std::string> stakes;
  std::uint64_t timeout_ms = 60'000;
  std::vector<std::string> words;
};

/// On a terminal, what is being done; gone before the command has the terminal.
class Doing {
 public:
  explicit Doing(std::string_view what) {
    if (!output_mode().progress) return;
    std::fputs(ink_err(Ink::dim, fmt::format("{} …", what)).c_str(), stderr);
    std::fflush(stderr);
  }
  ~Doing() {
    if (!output_mode().progress) return;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
  }
  Doing(const Doing&) = delete;
  Doing& operator=(const Doing&) = delete;
};

/// As fail(), but on stderr with --json, too: stdout is the command's.
int fail_ourselves(const Error& error) {
  const int code = error.code == "interrupted" ? interrupted : own_failure;
  if (output_mode().json) {
    const Json document{
        {"schema", 1}, {"error", {{"code", error.code}, {"reason", error.what}, {"hint", error.hint}, {"exit", code}}}};
    talk(document.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    talk(error_line(error));
  }
  return code;
}

Result<ClusterWishes> wishes_of(const RunOptions& options) {
  ClusterWishes wishes;
  if (options.nodes) wishes.nodes = static_cast<std::size_t>(*options.nodes);
  wishes.seed = options.seed;
  if (!options.stakes) return wishes;
  auto stakes = parse_stakes(*options.stakes);
  if (!stakes) return stakes.error();
  if (wishes.nodes && *wishes.nodes != stakes->size()) {
    return Error{"bad-stake", fmt::format("there are {} stakes for {} nodes", stakes->size(), *wishes.nodes),
                 "give one stake a node, and leave -n out"};
  }
  wishes.stakes = std::move(*stakes);
  return wishes;
}

/// What can be wrong with the words that were typed.
Status check_usage(const Globals& globals, const RunOptions& options) {
  if (options.words.empty()) return Error{"usage", "say what to run after --", "zell cluster run -- zell submit hello"};
  if (!names_a_cluster(globals)) return Ok{};
  return Error{"usage", "zell cluster run makes a cluster of its own, --cluster and --dir name one that is there",
               "zell cluster run --help"};
}

Result<EphemeralCluster> start_for_run(const RunOptions& options, ClusterWishes wishes) {
  const Doing doing("starting a cluster");
  auto started = start_own_cluster("run", std::move(wishes), milliseconds(options.timeout_ms));
  if (started) return started;
  auto error = started.error();
  if (error.code == "interrupted") error.what = "interrupted before " + options.words[0] + " was started";
  // It took its logs with it.
  if (error.code == "spawn-failed" || error.code == "timeout") error.hint = "zell up (it keeps its logs)";
  return error;
}

/// The command's exit code.
Result<int> run_in(const FoundCluster& cluster, const RunOptions& options, const SignalsAtStart& signals) {
  auto variables = variables_of(cluster);
  if (!variables) return variables.error();
  for (const auto& [name, value] : *variables) ::setenv(name.c_str(), value.c_str(), 1);
  return run_child(options.words, signals);
}

int run(const Globals& globals, const RunOptions& options) {
  if (auto good = check_usage(globals, options); !good) return fail(good.error());
  auto wishes = wishes_of(options);
  if (!wishes) return fail(wishes.error());
  // Before a cluster is made for nothing.
  if (auto good = check_program(options.words[0]); !good) return fail_ourselves(good.error());
  const SignalsAtStart signals;
  take_signals();
  signals.keep_ignored();
  auto cluster = start_for_run(options, std::move(*wishes));
  if (!cluster) return fail_ourselves(cluster.error());
  auto code = run_in(cluster->cluster(), options, signals);
  const auto stopped = cluster->stop();
  if (!code) return fail_ourselves(code.error());
  if (stopped) return *code;
  const int failed = fail_ourselves(stopped.error());
  return *code == done ? failed : *code;
}

}  // namespace

void add_env(Command cluster, const Globals& globals) {
  auto options = std::make_shared<EnvOptions>();
  cluster.add("env", "Shell lines that tell other programs where a cluster is: ZELL_URL, ZELL_GENESIS, ...")
      .positional("NAME", options->name, "The cluster's name; not needed when only one runs", false)
      .choice("--shell", options->shell, {"sh", "fish"}, "Whose syntax; sh if not given (bash and zsh, too)")
      .examples({"eval \"$(zell cluster env)\"", "zell cluster env demo --shell fish", "zell cluster env --json"})
      .run([&globals, options] { return env(globals, *options); });
}

void add_run(Command cluster, const Globals& globals) {
  auto options = std::make_shared<RunOptions>();
  cluster.add("run", "Run a command with a cluster of its own, which is gone after it; ZELL_URL, ... are set")
      .option("-n,--nodes", options->nodes, "N", "How many nodes, 1 to 31; 4 if not given", 1, max_cluster_nodes)
      .option("--stake", options->stakes, "S,S,...", "One stake a node, e.g. 3,1,1,1")
      .option("--seed", options->seed, "N", "Make the dev keys from this number, the same every time")
      .duration("--timeout", options->timeout_ms, "How long the start may take; 60s if not given")
      .rest("CMD [ARG...]", options->words)
      .examples({"zell cluster run -- zell submit hello",
                 "zell cluster run -n 1 --seed 1 -- sh -c 'zell submit a b && zell log'",
                 "zell cluster run --stake 3,1,1,1 -- sh -c 'zell node kill n2 && zell submit hello'"})
      .closing_words(run_exit_codes_help)
      .preset_not_with("--stake", {"--nodes"})
      .preset_not_with("--nodes", {"--stake"})
      .run([&globals, options] { return run(globals, *options); });
}

}  // namespace zell::cli
