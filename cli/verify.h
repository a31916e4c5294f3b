#pragma once
// What `zell verify` can verify; each a file of its own. All return the exit code.

#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "node/types/genesis.h"

namespace zell::cli {

struct VerifyOptions {
  bool signatures = false;
  std::optional<std::uint64_t> from, to;
  std::string proof, certificate, evidence;  ///< a file, or "-"; empty: not asked for
  std::vector<std::string> data;             ///< folders
  std::vector<std::string> folders;          ///< more of them: what a shell makes of "--data */data"
  std::string genesis;                       ///< a file; empty: the chosen cluster's
};

/// The running nodes' logs.
[[nodiscard]] int verify_nodes(const Globals& globals, const VerifyOptions& options);
/// Documents, without any node: proofs, certificates, evidence.
[[nodiscard]] int verify_proofs(const VerifyOptions& options, const Genesis& genesis);
[[nodiscard]] int verify_certificates(const VerifyOptions& options, const Genesis& genesis);
[[nodiscard]] int verify_evidence(const VerifyOptions& options, const Genesis& genesis);
/// Data folders of stopped nodes.
[[nodiscard]] int verify_data(const VerifyOptions& options, const Genesis& genesis);

}  // namespace zell::cli
