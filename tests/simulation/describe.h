#pragma once

#include <string>

#include "node/wire/messages.h"

namespace zell::simulation {

/// One line about a message, for a person who reads a trace.
[[nodiscard]] std::string describe(const Message& message);

}  // namespace zell::simulation
