#pragma once
// What --help prints.

#include <string>

#include "cli/command_description.h"

namespace zell::cli {

/// "zell node kill NODES [OPTIONS]".
[[nodiscard]] std::string usage_line(const CommandDescription& command);
/// Summary, usage, what it takes, the options that every command has, and the examples last.
[[nodiscard]] std::string help_text(const CommandDescription& command);

}  // namespace zell::cli
