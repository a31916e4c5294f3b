#pragma once
// A stopped node's data folder, checked from outside: nothing in it is written, and nothing of it believed.

#include <filesystem>
#include <functional>
#include <memory>

#include "node/storage/tables.h"
#include "node/wire/verifier.h"

namespace zell {

/// Holds the folder shared: no node can be started on it meanwhile.
struct InspectedFolder {
  NodeId node;  ///< whose it is
  std::unique_ptr<Tables> tables;
  std::optional<Certificate> newest;  ///< not checked yet
};
/// Codes: "not-found" (no node.db there), "locked" (a node runs on it), "foreign" (another cluster's), "newer-schema",
/// "older-schema", "corrupt", "io".
[[nodiscard]] Result<InspectedFolder> open_to_inspect(const std::filesystem::path& folder, const Genesis& genesis);

struct Inspection {
  LogPoint final;
  std::uint64_t certificates = 0;
  std::optional<Certificate> newest;
  std::uint64_t unfinalised_batches = 0;
  std::uint64_t evidence = 0;
  MessagePtr conflict;  ///< two checked finality certificates that no one log contains; null: none is known here
};
struct InspectionOptions {
  bool request_signatures = false;               ///< also each request's own
  std::function<void(const Batch&)> visit;       ///< each final batch, in order; its root is checked by the end alone
  std::function<void(std::uint64_t done)> step;  ///< certificates checked; for a progress bar
};
/// What a node checks when it starts, and besides every signature of every certificate and of the evidence. Code
/// "corrupt", or "bad-certificate", "bad-evidence", "bad-signature": what the disk can't have done by itself.
[[nodiscard]] Result<Inspection> inspect(InspectedFolder& folder, const Verifier& verifier,
                                         const InspectionOptions& options);

}  // namespace zell
