#pragma once
// What the program's exit code says. Listed in `zell --help`.

#include "node/base/result.h"

namespace zell::cli {

enum ExitCode : int {
  done = 0,
  negative = 1,  ///< rejected, unhealthy, an expectation failed
  usage = 2,
  nothing_there = 3,  ///< or unreachable
  timed_out = 4,      ///< the outcome is unknown
  taken = 5,          ///< a name, a port or a lock
  violation = 6,      ///< of safety
  inconclusive = 7,
  own_failure = 125,  ///< only of a command that else ends with the code of what it runs
  interrupted = 130,
};

/// By the error's code word.
[[nodiscard]] ExitCode exit_code_of(const Error& error);

/// For `zell --help`.
inline constexpr const char* exit_codes_help =
    "Exit codes: 0 done; 1 a negative answer (rejected, unhealthy); 2 usage; 3 nothing there or unreachable;\n"
    "4 timed out, outcome unknown; 5 name, port or lock taken; 6 safety violation; 7 inconclusive; 130 interrupted.";

/// For `zell cluster run --help`.
inline constexpr const char* run_exit_codes_help =
    "Exit codes: CMD's own; 128 + N if signal N killed it; 125 if zell itself failed (no cluster came up, CMD is not\n"
    "there or not executable); 2 usage; 130 interrupted before CMD was started.";

}  // namespace zell::cli
