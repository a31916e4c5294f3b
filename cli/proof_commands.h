#pragma once
// Commands about what can be proven; each is a file of its own.

#include "cli/commands.h"

namespace zell::cli {

void add_prove_command(Command root, const Globals& globals);
void add_evidence_commands(Command root, const Globals& globals);

}  // namespace zell::cli
