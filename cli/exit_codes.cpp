#include "cli/exit_codes.h"

#include <string_view>
#include <utility>

namespace zell::cli {

ExitCode exit_code_of(const Error& error) {
  static constexpr std::pair<std::string_view, ExitCode> table[] = {
      {"usage", usage},
      {"bad-name", usage},
      {"bad-count", usage},
      {"bad-stake", usage},
      {"bad-port", usage},
      {"bad-selector", usage},
      {"bad-argument", usage},
      {"several-clusters", usage},
      {"too-open", usage},
      {"bad-toml", usage},
      {"unknown-key", usage},
      {"missing-key", usage},
      {"wrong-type", usage},
      {"out-of-range", usage},
      {"bad-address", usage},
      {"bad-url", usage},
      {"bad-genesis", usage},
      {"bad-key", usage},
      {"duplicate-node", usage},
      {"bad-value", usage},
      {"bad-document", usage},
      {"different-configs", usage},
      {"too-many", usage},
      {"unknown-node", usage},
      {"wrong-key", usage},
      {"dev-key", usage},
      {"bad-secret", usage},
      {"bad-app", usage},
      {"bad-json", usage},
      {"bad-request", usage},
      {"other-cluster", usage},
      {"no-cluster", nothing_there},
      {"not-running", nothing_there},
      {"nothing-selected", nothing_there},
      {"no-such-node", nothing_there},
      {"no-such-key", nothing_there},
      {"not-found", nothing_there},
      {"unreachable", nothing_there},
      {"spawn-failed", nothing_there},
      {"orphan", nothing_there},
      {"timeout", timed_out},
      {"timed-out", timed_out},
      {"exists", taken},
      {"differs", taken},
      {"running", taken},
      {"port-taken", taken},
      {"port-in-use", taken},
      {"in-use", taken},
      {"locked", taken},
      {"busy", taken},
      {"fork", violation},
      {"safety-violation", violation},
      {"inconclusive", inconclusive},
      {"interrupted", interrupted},
  };
  for (const auto& [code, exit_code] : table) {
    if (code == error.code) return exit_code;
  }
  return negative;
}

}  // namespace zell::cli
