// zell: one program for a cluster and what is done with it.

#include <fcntl.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/output.h"
#include "cli/proof_commands.h"

namespace {

using namespace zell::cli;

void add_global_options(Command root, Globals& globals, std::string& color) {
  root.flag("--json", globals.json, "One JSON document (streams: one a line) on stdout");
  root.choice("--color", color, {"auto", "always", "never"}, "Colour; NO_COLOR and FORCE_COLOR count, too");
  root.option("--cluster", globals.cluster, "NAME", "Which cluster, when several run (or $ZELL_CLUSTER)");
  root.option("--dir", globals.folder, "FOLDER", "The folder of a cluster, instead of a name");
}

ColorChoice choice_of(const std::string& color) {
  if (color == "always") return ColorChoice::always;
  return color == "never" ? ColorChoice::never : ColorChoice::automatic;
}

bool asks_for_json(int argc, char** argv) {
  const std::span words(argv, static_cast<std::size_t>(argc));
  const auto end = std::find(words.begin(), words.end(), std::string_view("--"));
  return std::find(words.begin(), end, std::string_view("--json")) != end;
}

/// A file that is opened later must not become what was closed for us: what we print would be written into it. Nothing
/// can be written to the stand-in for stdout, nor read from that for stdin: both are errors where they matter.
void open_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1 && ::open("/dev/null", fd == 1 ? O_RDONLY : O_WRONLY) != fd) std::abort();
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  // Whoever reads our output may stop reading: then we end as other tools do, quietly.
  std::signal(SIGPIPE, SIG_DFL);
  CommandLine line("zell", "Order signed requests on several nodes that need not trust each other.");
  Globals globals;
  std::string color = "auto";
  add_global_options(line.root(), globals, color);
  add_cluster_commands(line.root(), globals);
  add_submit_command(line.root(), globals);
  add_sign_command(line.root(), globals);
  add_log_command(line.root(), globals);
  add_node_commands(line.root(), globals);
  add_challenge_command(line.root(), globals);
  add_verify_command(line.root(), globals);
  add_prove_command(line.root(), globals);
  add_evidence_commands(line.root(), globals);
  add_bench_command(line.root(), globals);
  add_key_commands(line.root(), globals);
  add_doctor_command(line.root(), globals, line);
  add_config_command(line.root(), globals, line);
  add_completion_command(line.root(), globals, line);
  add_man_command(line.root(), globals, line);
  add_version_command(line.root(), globals);
  line.root().examples({"zell up", "zell submit hello", "zell log"}).closing_words(exit_codes_help);
  return line.run(argc, argv, [&] {
    // A mistake may have kept the parser from getting as far as --json.
    globals.json = globals.json || asks_for_json(argc, argv);
    globals.cluster_is_typed = line.typed("--cluster");
    set_output_mode(globals.json, choice_of(color));
  });
}
