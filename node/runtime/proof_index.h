#pragma once
// The finalised log's Merkle tree, so far as proofs need it: the hashes of whole blocks of leaves, and the newest
// leaves. Memory: 64 bytes for each 1,024 requests of the log, and 32 for each recent one.

#include <map>
#include <vector>

#include "node/crypto/log_tree.h"
#include "node/wire/delta.h"

namespace zell {

/// Leaf hashes of some blocks, by block number.
using LeafBlocks = std::map<std::uint64_t, std::vector<Hash>>;

/// Positions are from 0 here: leaf i is the request with index i + 1. Not thread-safe.
class ProofIndex {
 public:
  static constexpr std::uint64_t block_leaves = ReplayPoint::block_leaves;

  ProofIndex() = default;
  /// Of whole blocks, by their roots.
  explicit ProofIndex(const std::vector<Hash>& blocks);
  /// The roots of the first `count` blocks. REQUIRES: count * block_leaves <= size().
  [[nodiscard]] std::vector<Hash> blocks(std::uint64_t count) const;

  void append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Leaves below `durable` can be read from the store: those of whole blocks below it are dropped here.
  void forget_before(std::uint64_t durable);

  /// The blocks that a proof needs and that are not here: to be read, each block_leaves long, and given to the proof.
  /// REQUIRES: position < size <= size().
  [[nodiscard]] std::vector<std::uint64_t> missing_for_inclusion(std::uint64_t position, std::uint64_t size) const;
  /// RFC 6962's PATH(position, leaves to size).
  [[nodiscard]] std::vector<Hash> inclusion(std::uint64_t position, std::uint64_t size, const LeafBlocks& read) const;
  /// REQUIRES: 0 < first <= second <= size().
  [[nodiscard]] std::vector<std::uint64_t> missing_for_consistency(std::uint64_t first, std::uint64_t second) const;
  /// RFC 6962's PROOF(first, leaves to second).
  [[nodiscard]] std::vector<Hash> consistency(std::uint64_t first, std::uint64_t second, const LeafBlocks& read) const;
  /// The log's root at `size`. REQUIRES: size <= size(), and its last block is here or in `read` (missing_for_root).
  [[nodiscard]] std::vector<std::uint64_t> missing_for_root(std::uint64_t size) const;
  [[nodiscard]] Hash root(std::uint64_t size, const LeafBlocks& read) const;

 private:
  void add_block(Hash root);
  struct Range {
    std::uint64_t low, high;
    [[nodiscard]] std::uint64_t count() const { return high - low; }
    [[nodiscard]] std::uint64_t middle() const;  ///< where RFC 6962 splits it
  };
  [[nodiscard]] Hash hash_of(Range range, const LeafBlocks& read) const;
  [[nodiscard]] std::span<const Hash> leaves_of(Range range, const LeafBlocks& read) const;
  void path_to(std::uint64_t position, Range range, const LeafBlocks& read, std::vector<Hash>& out) const;
  void subproof(std::uint64_t first, Range range, bool whole, const LeafBlocks& read, std::vector<Hash>& out) const;
  void add_missing(std::uint64_t position, std::vector<std::uint64_t>& out) const;

  std::uint64_t size_ = 0;
  std::vector<std::vector<Hash>> levels_;  ///< levels_[k][j]: perfect subtree of block_leaves * 2^k leaves, the j-th
  std::uint64_t recent_first_ = 0;         ///< position of recent_[0]; a multiple of block_leaves
  std::vector<Hash> recent_;               ///< from recent_first_ to size_; always has the last, unfinished block
};

}  // namespace zell
