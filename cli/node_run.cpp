// zell node run.

#include "cli/node_run.h"

#include <csignal>

#include "cli/exit_codes.h"
#include "cli/output.h"
#include "cluster/launch.h"
#include "node/config/genesis_file.h"
#include "node/config/node_config.h"
#include "node/runtime/run_node.h"

namespace zell::cli {
namespace {

Status run(const NodeRunOptions& options) {
  if (options.config.empty())
    return Error{"usage", "which node? Give its node.toml", "zell node run --config node.toml"};
  auto config = load_node_config(options.config);
  if (!config) return config.error();
  if (!options.control_socket.empty()) config->control_socket = options.control_socket;
  auto genesis = load_genesis(config->genesis_file);
  if (!genesis) return genesis.error();
  auto secret = open_node_key(*config, genesis->genesis);
  if (!secret) return secret.error();
  return run_node(*config, *genesis, *secret, {ZELL_VERSION, -1});
}

}  // namespace

int run_one_node(const NodeRunOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  if (options.parent || options.lifeline) {
    auto living = live_with_parent(static_cast<pid_t>(options.parent.value_or(0)),
                                   options.lifeline ? static_cast<int>(*options.lifeline) : -1);
    if (!living) return fail(living.error());
  }
  auto ended = run(options);
  return ended ? static_cast<int>(done) : fail(ended.error());
}

}  // namespace zell::cli
