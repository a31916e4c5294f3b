#pragma once
// The groups of commands; each is a file of its own.

#include <filesystem>
#include <string>

#include "cli/command_line.h"
#include "cluster/registry.h"

namespace zell::cli {

/// What every command takes.
struct Globals {
  bool json = false;
  std::string cluster;  ///< --cluster, $ZELL_CLUSTER or a configuration's
  bool cluster_is_typed = false;
  std::string folder;  ///< --dir

  /// `argument` is a name given to the command itself; it wins.
  [[nodiscard]] ClusterChoice choice(const std::string& argument = {}) const {
    return {argument.empty() ? cluster : argument, argument.empty() ? std::filesystem::path(folder) : ""};
  }
};

void add_cluster_commands(Command root, const Globals& globals);  ///< cluster up|down|status|..., up, down, status
void add_node_commands(Command root, const Globals& globals);
void add_submit_command(Command root, const Globals& globals);
void add_sign_command(Command root, const Globals& globals);
void add_log_command(Command root, const Globals& globals);
void add_challenge_command(Command root, const Globals& globals);
void add_verify_command(Command root, const Globals& globals);
void add_bench_command(Command root, const Globals& globals);
void add_key_commands(Command root, const Globals& globals);
void add_version_command(Command root, const Globals& globals);
void add_doctor_command(Command root, const Globals& globals, const CommandLine& line);
/// These describe the whole of `line`, which must outlive them.
void add_config_command(Command root, const Globals& globals, const CommandLine& line);
void add_completion_command(Command root, const Globals& globals, const CommandLine& line);
void add_man_command(Command root, const Globals& globals, const CommandLine& line);

}  // namespace zell::cli
