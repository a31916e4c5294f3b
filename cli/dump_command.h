#pragma once

#include "cli/commands.h"

namespace zell::cli {

void add_dump(Command cluster, const Globals& globals);  ///< cluster dump

}  // namespace zell::cli
