#pragma once

#include <string>

#include "cli/commands.h"

namespace zell::cli {

/// All nodes, also those that are down, and how much more may fail. Exit code 1 when the cluster does not serve.
[[nodiscard]] int status(const Globals& globals, const std::string& name);

/// The same, again and again until Ctrl-C (exit code 130): drawn over what was there on a terminal, else, or with
/// --json, a document for each change, looked for each second.
[[nodiscard]] int watch_status(const Globals& globals, const std::string& name);

}  // namespace zell::cli
