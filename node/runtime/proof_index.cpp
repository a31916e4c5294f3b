#include "node/runtime/proof_index.h"

#include <algorithm>
#include <bit>

#include "node/base/check.h"

namespace zell {

std::uint64_t ProofIndex::Range::middle() const {
  return low + std::bit_floor(count() - 1);
}

ProofIndex::ProofIndex(const std::vector<Hash>& blocks) : size_(blocks.size() * block_leaves), recent_first_(size_) {
  for (const auto& root : blocks) add_block(root);
}

std::vector<Hash> ProofIndex::blocks(std::uint64_t count) const {
  ZELL_CHECK(count * block_leaves <= size_);
  if (count == 0) return {};
  return {levels_[0].begin(), levels_[0].begin() + static_cast<std::ptrdiff_t>(count)};
}

void ProofIndex::append(const Hash& leaf) {
  recent_.push_back(leaf);
  ++size_;
  if (size_ % block_leaves == 0) add_block(tree_root(std::span<const Hash>(recent_).last(block_leaves)));
}

void ProofIndex::add_block(Hash hash) {
  for (std::size_t level = 0;; ++level) {
    if (levels_.size() == level) levels_.emplace_back();
    auto& row = levels_[level];
    row.push_back(hash);
    if (row.size() % 2 != 0) break;
    hash = node_hash(row[row.size() - 2], row.back());
  }
}

void ProofIndex::forget_before(std::uint64_t durable) {
  auto keep_from = std::min(durable, size_) / block_leaves * block_leaves;
  if (keep_from <= recent_first_) return;
  recent_.erase(recent_.begin(), recent_.begin() + static_cast<std::ptrdiff_t>(keep_from - recent_first_));
  recent_first_ = keep_from;
}

void ProofIndex::add_missing(std::uint64_t position, std::vector<std::uint64_t>& out) const {
  if (position >= recent_first_) return;
  auto block = position / block_leaves;
  if (std::find(out.begin(), out.end(), block) == out.end()) out.push_back(block);
}

std::vector<std::uint64_t> ProofIndex::missing_for_root(std::uint64_t size) const {
  std::vector<std::uint64_t> out;
  if (size % block_leaves != 0) add_missing(size - 1, out);
  return out;
}

std::vector<std::uint64_t> ProofIndex::missing_for_inclusion(std::uint64_t position, std::uint64_t size) const {
  ZELL_CHECK(position < size && size <= size_);
  auto out = missing_for_root(size);
  add_missing(position, out);
  return out;
}

std::vector<std::uint64_t> ProofIndex::missing_for_consistency(std::uint64_t first, std::uint64_t second) const {
  ZELL_CHECK(first > 0 && first <= second && second <= size_);
  auto out = missing_for_root(second);
  if (first % block_leaves != 0) add_missing(first - 1, out);
  return out;
}

std::span<const Hash> ProofIndex::leaves_of(Range range, const LeafBlocks& read) const {
  // A range of at most a block that a tree splits off lies inside one block.
  if (range.low >= recent_first_) {
    return std::span<const Hash>(recent_).subspan(range.low - recent_first_, range.count());
  }
  auto block = read.find(range.low / block_leaves);
  ZELL_CHECK(block != read.end() && block->second.size() == block_leaves);
  return std::span<const Hash>(block->second).subspan(range.low % block_leaves, range.count());
}

Hash ProofIndex::hash_of(Range range, const LeafBlocks& read) const {
  auto count = range.count();
  if (count >= block_leaves && std::has_single_bit(count) && range.low % count == 0) {
    auto level = static_cast<std::size_t>(std::countr_zero(count / block_leaves));
    return levels_[level][range.low / count];
  }
  if (count <= block_leaves) return tree_root(leaves_of(range, read));
  auto middle = range.middle();
  return node_hash(hash_of({range.low, middle}, read), hash_of({middle, range.high}, read));
}

Hash ProofIndex::root(std::uint64_t size, const LeafBlocks& read) const {
  ZELL_CHECK(size <= size_);
  return size == 0 ? empty_root() : hash_of({0, size}, read);
}

void ProofIndex::path_to(std::uint64_t position, Range range, const LeafBlocks& read, std::vector<Hash>& out) const {
  if (range.count() <= block_leaves) {
    auto inside = inclusion_proof(position - range.low, leaves_of(range, read));
    out.insert(out.end(), inside.begin(), inside.end());
    return;
  }
  Range left{range.low, range.middle()}, right{range.middle(), range.high};
  bool in_left = position < left.high;
  path_to(position, in_left ? left : right, read, out);
  out.push_back(hash_of(in_left ? right : left, read));
}

std::vector<Hash> ProofIndex::inclusion(std::uint64_t position, std::uint64_t size, const LeafBlocks& read) const {
  ZELL_CHECK(position < size && size <= size_);
  std::vector<Hash> out;
  path_to(position, {0, size}, read, out);
  return out;
}

void ProofIndex::subproof(std::uint64_t first, Range range, bool whole, const LeafBlocks& read,
                          std::vector<Hash>& out) const {
  if (first == range.high) {
    if (!whole) out.push_back(hash_of(range, read));
    return;
  }
  Range left{range.low, range.middle()}, right{range.middle(), range.high};
  bool in_left = first <= left.high;
  subproof(first, in_left ? left : right, whole && in_left, read, out);
  out.push_back(hash_of(in_left ? right : left, read));
}

std::vector<Hash> ProofIndex::consistency(std::uint64_t first, std::uint64_t second, const LeafBlocks& read) const {
  ZELL_CHECK(first > 0 && first <= second && second <= size_);
  std::vector<Hash> out;
  subproof(first, {0, second}, true, read, out);
  return out;
}

}  // namespace zell
