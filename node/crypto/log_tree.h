#pragma once
// RFC 6962 Merkle trees over SHA-256: compact ranges, roots, inclusion and consistency proofs.

#include <span>
#include <vector>

#include "node/types/ids.h"

namespace zell {

/// SHA256(0x00 || bytes).
[[nodiscard]] Hash leaf_hash(ByteView bytes);
/// SHA256(0x01 || left || right).
[[nodiscard]] Hash node_hash(const Hash& left, const Hash& right);
/// SHA256("").
[[nodiscard]] const Hash& empty_root();

/// The roots of the perfect subtrees that tile the first `size` leaves, largest first: at most 64. Enough to append and
/// to tell the root.
class CompactRange {
 public:
  CompactRange() = default;
  /// REQUIRES: peaks.size() == popcount(size) (see valid()).
  CompactRange(std::uint64_t size, std::vector<Hash> peaks) : size_(size), peaks_(std::move(peaks)) {}
  [[nodiscard]] static bool valid(std::uint64_t size, std::size_t peak_count);

  void append(const Hash& leaf) { append_subtree(leaf, 1); }
  /// The root of the next `leaves` leaves. REQUIRES: `leaves` is a power of two that divides size().
  void append_subtree(const Hash& subtree, std::uint64_t leaves);
  [[nodiscard]] Hash root() const;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::vector<Hash>& peaks() const { return peaks_; }
  friend bool operator==(const CompactRange&, const CompactRange&) = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;
};

/// RFC 6962 2.1. `leaves` are leaf hashes.
[[nodiscard]] Hash tree_root(std::span<const Hash> leaves);
/// RFC 6962 2.1.1: PATH(index, leaves), index from 0. REQUIRES: index < leaves.size().
[[nodiscard]] std::vector<Hash> inclusion_proof(std::uint64_t index, std::span<const Hash> leaves);
/// RFC 6962 2.1.2: PROOF(first, leaves). REQUIRES: 0 < first <= leaves.size().
[[nodiscard]] std::vector<Hash> consistency_proof(std::uint64_t first, std::span<const Hash> leaves);
/// RFC 9162 2.1.3.2. False for an index outside the tree or a proof of the wrong length.
[[nodiscard]] bool verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                    std::span<const Hash> proof, const Hash& root);
/// RFC 9162 2.1.4.2, with first = 0 consistent with everything (an empty proof, the empty root).
[[nodiscard]] bool verify_consistency(std::uint64_t first, const Hash& first_root, std::uint64_t second,
                                      const Hash& second_root, std::span<const Hash> proof);

}  // namespace zell
