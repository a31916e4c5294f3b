#pragma once
// What one step wants on disk, in one transaction. The core makes them, a store applies them, in order.

#include <set>

#include "node/types/durable_state.h"
#include "node/wire/messages.h"

namespace zell {

/// Every part is optional; an empty part changes nothing.
struct Delta {
  std::optional<DurableState> state;  ///< replaces the stored one
  std::vector<BatchPtr>
      batches;  ///< to add; adding one that is stored (same end) changes only its header's signature and view
  std::set<LogPoint> dropped;     ///< ends of unfinalised batches that are no longer needed
  std::optional<Certificate> fc;  ///< newly finalised up to here; all batches to it are stored or in `batches`.
                                  ///< Stored batches at or below it that are not on its chain are removed.
  std::optional<std::vector<MessagePtr>>
      entry_proof;                    ///< by which the current view was entered; replaces the stored one
  std::vector<EvidencePtr> evidence;  ///< to add
  MessagePtr conflict;                ///< a Conflict, kept for good; null: none

  [[nodiscard]] bool empty() const {
    return !state && batches.empty() && dropped.empty() && !fc && !entry_proof && evidence.empty() && !conflict;
  }
};

/// The nonces of one sender that still count: ascending, 1 to 1,024.
struct SenderNonces {
  PublicKey sender;
  std::vector<std::uint64_t> nonces;
  friend bool operator==(const SenderNonces&, const SenderNonces&) = default;
};
inline constexpr std::size_t nonces_per_sender = 1'024;

/// What the log up to `index` amounts to: a node that has it need not read what is below. An empty one is the empty
/// log's.
struct ReplayPoint {
  static constexpr std::uint64_t block_leaves = 1'024;
  Index index;                        ///< final
  std::vector<Hash> blocks;           ///< roots of the log tree's whole blocks of leaves up to there
  std::vector<SenderNonces> senders;  ///< ascending by key
  friend bool operator==(const ReplayPoint&, const ReplayPoint&) = default;
};

/// Bounds of what is stored besides the log.
inline constexpr std::size_t max_stored_evidence = 1'024;

/// What a node starts from, all of it checked against the finality certificate's root while it is read.
struct Recovered {
  DurableState state;
  std::optional<Certificate> fc;      ///< newest stored
  CompactRange finalised;             ///< the log's compact range at fc (empty log without one)
  std::vector<BatchPtr> unfinalised;  ///< every stored batch above it, on any branch, by end index
  std::vector<MessagePtr> entry_proof;
  std::uint64_t evidence_count = 0;
  MessagePtr conflict;  ///< a Conflict, if one was ever found: this node has stopped for good. Else null
};

}  // namespace zell
