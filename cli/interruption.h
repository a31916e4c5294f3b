#pragma once
// Ctrl-C for commands that clear away what they began before they end.

#include "node/base/result.h"

namespace zell::cli {

/// From now on the first SIGINT, SIGTERM or SIGHUP only makes is_interrupted() true; the second ends the process.
void take_signals();
[[nodiscard]] bool is_interrupted();
[[nodiscard]] Error interruption();

}  // namespace zell::cli
