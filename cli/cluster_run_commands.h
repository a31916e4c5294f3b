#pragma once
// zell cluster env and run: a cluster for scripts and other programs' tests.

#include "cli/commands.h"

namespace zell::cli {

void add_env(Command cluster, const Globals& globals);
void add_run(Command cluster, const Globals& globals);

}  // namespace zell::cli
