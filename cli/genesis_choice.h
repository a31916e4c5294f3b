#pragma once
// Which genesis is trusted where no node is asked.

#include <string>

#include "cli/commands.h"
#include "node/types/genesis.h"

namespace zell::cli {

/// That of `file`, or if it is empty of the chosen cluster, which need not run. Codes: load_genesis's,
/// choose_cluster's.
[[nodiscard]] Result<Genesis> choose_genesis(const Globals& globals, const std::string& file);

}  // namespace zell::cli
