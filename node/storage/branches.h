#pragma once
// The end of the log as both stores see it: the finalised prefix, and the stored batches above it on any branch.
// Decides which rows a delta adds, replaces and removes; knows nothing of where rows are kept.

#include <map>

#include "node/crypto/log_tree.h"
#include "node/types/vote.h"
#include "node/wire/delta.h"

namespace zell {

/// Orders batches by their last index; batches of several branches may share one. FORMAT.md, "batch".
struct BatchKey {
  std::int64_t value = 0;
  friend auto operator<=>(const BatchKey&, const BatchKey&) = default;
  [[nodiscard]] Index last() const { return {static_cast<std::uint64_t>(value) >> 16}; }
};
inline constexpr std::uint64_t max_branches_per_index = 1 << 16;
inline constexpr std::uint64_t max_stored_index = (std::uint64_t{1} << 47) - 1;  ///< 2^47 * 2^16 = 2^63
/// The smallest and the largest key of batches that end at `last`. REQUIRES: last <= max_stored_index.
[[nodiscard]] BatchKey first_key(Index last);
[[nodiscard]] BatchKey last_key(Index last);

/// The compact range of the finalised log, and marks on the way: from the nearest mark the root at any index is
/// root_mark_distance leaves away. One mark takes at most 64 * 32 bytes.
class FinalisedLog {
 public:
  static constexpr std::uint64_t root_mark_distance = 1 << 16;
  FinalisedLog() = default;
  /// Of whole blocks of ReplayPoint::block_leaves, by their roots.
  explicit FinalisedLog(const std::vector<Hash>& blocks);
  void append(const Hash& leaf) { append_subtree(leaf, 1); }
  [[nodiscard]] const CompactRange& range() const { return range_; }
  /// The highest mark at or below `index`. REQUIRES: index <= range().size().
  [[nodiscard]] const CompactRange& mark_below(Index index) const;

 private:
  void append_subtree(const Hash& subtree, std::uint64_t leaves);

  CompactRange range_;
  std::vector<CompactRange> marks_{CompactRange{}};
};

/// What becomes of a row: the batch that it holds from now on, or null if it is removed. One entry a row, however many
/// deltas touched it.
using BatchChanges = std::map<BatchKey, BatchPtr>;

class Branches {
 public:
  struct Stored {
    BatchKey key;
    BatchPtr batch;
  };

  Branches() = default;
  /// Starts from what was recovered. REQUIRES: stored batches start above `log`.
  Branches(FinalisedLog log, std::vector<Stored> stored);

  /// Adds a batch, or replaces the one that has the same end (same root: same requests). One that ends inside the
  /// finalised prefix, or contradicts it, is ignored; one that reaches into it is cut to start after it.
  void add(const BatchPtr& batch, BatchChanges& changes);
  /// Removes the batch with this end, if it is stored and not final.
  void drop(const LogPoint& end, BatchChanges& changes);
  /// Everything to `point` is final: what ends at or below it on other branches goes. False, and nothing happens, for a
  /// point that is not above the finalised prefix.
  /// REQUIRES: batches lead from `point` back to the finalised prefix, and their requests give its root.
  [[nodiscard]] bool finalise(const LogPoint& point, BatchChanges& changes);

  [[nodiscard]] LogPoint finalised() const { return finalised_; }
  [[nodiscard]] const FinalisedLog& log() const { return log_; }

 private:
  [[nodiscard]] BatchKey free_key(Index last) const;
  /// The part of the batch after the finalised prefix; null if it contradicts the prefix.
  [[nodiscard]] BatchPtr cut(const Batch& batch) const;
  void remove_or_cut_others(BatchChanges& changes);

  FinalisedLog log_;
  LogPoint finalised_{{0}, empty_root()};
  std::map<LogPoint, Stored> above_;  // by end
};

}  // namespace zell
