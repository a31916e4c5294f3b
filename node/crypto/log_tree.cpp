#include "node/crypto/log_tree.h"

#include <algorithm>
#include <bit>

#include "node/base/check.h"
#include "node/crypto/hash.h"

namespace zell {
namespace {

constexpr std::uint8_t leaf_prefix[] = {0x00};
constexpr std::uint8_t node_prefix[] = {0x01};

/// The largest power of two below n: where RFC 6962 splits n leaves. REQUIRES: n >= 2.
std::size_t split_point(std::size_t n) {
  return std::bit_floor(n - 1);
}

bool is_odd(std::uint64_t n) {
  return (n & 1) != 0;
}

}  // namespace

Hash leaf_hash(ByteView bytes) {
  return sha256({leaf_prefix, bytes});
}

Hash node_hash(const Hash& left, const Hash& right) {
  return sha256({node_prefix, left.view(), right.view()});
}

const Hash& empty_root() {
  static const Hash root = sha256(ByteView{});
  return root;
}

bool CompactRange::valid(std::uint64_t size, std::size_t peak_count) {
  return static_cast<std::size_t>(std::popcount(size)) == peak_count;
}

void CompactRange::append_subtree(const Hash& subtree, std::uint64_t leaves) {
  ZELL_CHECK(valid(size_, peaks_.size()) && std::has_single_bit(leaves) && size_ % leaves == 0);
  Hash top = subtree;
  for (auto size = size_ / leaves; is_odd(size); size >>= 1) {
    top = node_hash(peaks_.back(), top);
    peaks_.pop_back();
  }
  peaks_.push_back(top);
  size_ += leaves;
}

Hash CompactRange::root() const {
  ZELL_CHECK(valid(size_, peaks_.size()));
  if (peaks_.empty()) return empty_root();
  Hash top = peaks_.back();
  for (auto i = peaks_.size() - 1; i-- > 0;) top = node_hash(peaks_[i], top);
  return top;
}

Hash tree_root(std::span<const Hash> leaves) {
  CompactRange range;
  for (const auto& leaf : leaves) range.append(leaf);
  return range.root();
}

std::vector<Hash> inclusion_proof(std::uint64_t index, std::span<const Hash> leaves) {
  ZELL_CHECK(index < leaves.size());
  std::vector<Hash> proof;  // root first, turned round at the end
  while (leaves.size() > 1) {
    const auto k = split_point(leaves.size());
    const auto left = leaves.first(k), right = leaves.subspan(k);
    if (index < k) {
      proof.push_back(tree_root(right));
      leaves = left;
    } else {
      proof.push_back(tree_root(left));
      leaves = right;
      index -= k;
    }
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

std::vector<Hash> consistency_proof(std::uint64_t first, std::span<const Hash> leaves) {
  ZELL_CHECK(first > 0 && first <= leaves.size());
  std::vector<Hash> proof;        // root first, turned round at the end
  bool known_to_verifier = true;  // the subtree at hand is the whole first tree, whose root the verifier has
  while (first != leaves.size()) {
    const auto k = split_point(leaves.size());
    const auto left = leaves.first(k), right = leaves.subspan(k);
    if (first <= k) {
      proof.push_back(tree_root(right));
      leaves = left;
    } else {
      proof.push_back(tree_root(left));
      leaves = right;
      first -= k;
      known_to_verifier = false;
    }
  }
  if (!known_to_verifier) proof.push_back(tree_root(leaves));
  std::reverse(proof.begin(), proof.end());
  return proof;
}

bool verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, std::span<const Hash> proof,
                      const Hash& root) {
  if (index >= size) return false;
  auto node = index, last = size - 1;
  Hash top = leaf;
  for (const auto& sibling : proof) {
    if (last == 0) return false;
    if (is_odd(node) || node == last) {
      top = node_hash(sibling, top);
      // A node without a right sibling moves up unchanged until it is somebody's right child.
      while (!is_odd(node) && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      top = node_hash(top, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && top == root;
}

bool verify_consistency(std::uint64_t first, const Hash& first_root, std::uint64_t second, const Hash& second_root,
                        std::span<const Hash> proof) {
  if (first > second) return false;
  if (first == second && first_root != second_root) return false;
  if (first == 0) return proof.empty() && first_root == empty_root();
  if (first == second) return proof.empty();

  auto node = first - 1, last = second - 1;
  while (is_odd(node)) {
    node >>= 1;
    last >>= 1;
  }
  // A first tree whose size is a power of two is itself a node of the second: the proof leaves it out.
  Hash start = first_root;
  if (!std::has_single_bit(first)) {
    if (proof.empty()) return false;
    start = proof.front();
    proof = proof.subspan(1);
  }
  Hash old_top = start, new_top = start;
  for (const auto& sibling : proof) {
    if (last == 0) return false;
    if (is_odd(node) || node == last) {
      old_top = node_hash(sibling, old_top);
      new_top = node_hash(sibling, new_top);
      while (!is_odd(node) && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_top = node_hash(new_top, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && old_top == first_root && new_top == second_root;
}

}  // namespace zell
