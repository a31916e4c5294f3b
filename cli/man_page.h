#pragma once
// A manual page of a command, as roff with man(7)'s macros.

#include <string>

#include "cli/command_description.h"

namespace zell::cli {

/// "zell-node-kill".
[[nodiscard]] std::string man_page_name(const CommandDescription& command);
/// `version` is shown at its foot.
[[nodiscard]] std::string man_page(const CommandDescription& command, const std::string& version);

}  // namespace zell::cli
