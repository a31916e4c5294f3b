#pragma once
// This node's log above the finalised prefix, and the batches kept on other branches.

#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "node/consensus/nonces.h"
#include "node/crypto/log_tree.h"
#include "node/types/vote.h"

namespace zell {

/// A chain of batches on top of the finalised prefix, plus a set of batches off that chain ("side"): those under a lock
/// certificate of another branch, or fetched and not yet followed. Each batch is found by the log point that it ends
/// at.
class OrderedLog {
 public:
  OrderedLog(CompactRange finalised, NonceWindows nonces);

  [[nodiscard]] LogPoint tip() const { return entries_.empty() ? finalised_ : entries_.back().batch->header.end; }
  [[nodiscard]] LogPoint finalised() const { return finalised_; }
  [[nodiscard]] const CompactRange& tip_range() const {
    return entries_.empty() ? finalised_range_ : entries_.back().after;
  }
  [[nodiscard]] std::size_t unfinalised_count() const { return entries_.size(); }
  [[nodiscard]] std::size_t side_count() const { return side_.size(); }
  [[nodiscard]] std::vector<BatchPtr> unfinalised() const;
  [[nodiscard]] const NonceWindows& nonces() const { return nonces_; }
  /// Those of the finalised prefix alone: a copy.
  [[nodiscard]] NonceWindows finalised_nonces() const;

  /// True if the chain passes through `point`: it is the finalised point or the end of a batch of the chain. A point
  /// below the finalised index is taken to be on it: what is final outranks every lock of its own history (PROTOCOL.md,
  /// safety).
  [[nodiscard]] bool on_chain(const LogPoint& point) const;
  /// on_chain, or the batches between the finalised prefix and `point` are all here on a side branch.
  [[nodiscard]] bool known(const LogPoint& point) const;
  /// The compact range at a point of the chain at or above the finalised one.
  [[nodiscard]] const CompactRange* range_at(const LogPoint& point) const;
  /// The index of an unfinalised request, or index 0.
  [[nodiscard]] Index find(const RequestId& id) const;
  [[nodiscard]] BatchPtr batch_ending_at(Index index) const;

  enum class Fit : std::uint8_t { ok, wrong_parent, wrong_root, bad_nonce };
  struct Verdict {
    Fit fit = Fit::ok;
    std::uint32_t position = 0;  ///< of the first bad nonce
  };
  /// Whether the batch can follow the tip, and leads to the root that it names. Not const: it tries the nonces, and
  /// takes them back.
  [[nodiscard]] Verdict check(const Batch& batch);
  /// REQUIRES: check(*batch) is ok.
  void append(BatchPtr batch);
  /// The log root after `leaves` follow the tip.
  [[nodiscard]] Hash root_after(const Requests& requests) const;

  /// Takes the chain back to `point`. Removed batches go to the side. REQUIRES: range_at(point).
  void cut_to(const LogPoint& point);
  /// Makes the chain end at `target`, by way of side batches. Returns false, changing nothing, if a batch's nonces do
  /// not fit (what is certified always fits unless a third of the stake is faulty). REQUIRES: known(target),
  /// target.index >= finalised.
  [[nodiscard]] bool switch_to(const LogPoint& target);
  /// If `point` lies inside a batch of the chain, cuts that batch there and returns both parts; else returns nothing.
  /// Whoever serves a log may cut it as it likes.
  std::vector<BatchPtr> split_at(const LogPoint& point);
  /// Puts batches on the side. REQUIRES: their roots were recomputed.
  void keep_aside(const BatchPtr& batch);
  /// Forgets side batches but those that lead to `wanted`; returns the ends of those forgotten.
  std::set<LogPoint> forget_side_except(const std::vector<LogPoint>& wanted);
  /// The batches from the highest common point at or above `from` up to `target`, if all are here. REQUIRES: `from` is
  /// not below the finalised index.
  [[nodiscard]] std::optional<std::vector<BatchPtr>> path(Index from, const LogPoint& target) const;

  /// Everything up to `point` is final: returned in order. REQUIRES: range_at(point).
  std::vector<BatchPtr> finalise(const LogPoint& point);

 private:
  struct Entry {
    BatchPtr batch;
    CompactRange after;
    std::vector<NonceWindows::Undo> undo;
  };
  [[nodiscard]] const Entry* entry_ending_at(Index index) const;
  void pop();
  void cut_side_batches();

  CompactRange finalised_range_;
  LogPoint finalised_;
  std::deque<Entry> entries_;
  std::map<LogPoint, BatchPtr> side_;
  NonceWindows nonces_;
  std::unordered_map<RequestId, Index> positions_;  // of unfinalised requests on the chain; never iterated
};

}  // namespace zell
