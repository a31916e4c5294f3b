#include "node/runtime/proof_index.h"

#include <catch2/catch.hpp>

#include "node/base/coding.h"
#include "node/base/prng.h"

namespace zell {
namespace {

std::vector<Hash> leaves_of(std::size_t count) {
  std::vector<Hash> out;
  for (std::size_t i = 0; i < count; ++i) {
    Writer text;
    text.u64(i);
    out.push_back(leaf_hash(text.bytes()));
  }
  return out;
}

LeafBlocks read(const std::vector<Hash>& leaves, const std::vector<std::uint64_t>& blocks) {
  LeafBlocks out;
  for (auto block : blocks) {
    auto first = leaves.begin() + static_cast<std::ptrdiff_t>(block * ProofIndex::block_leaves);
    out.emplace(block, std::vector<Hash>(first, first + ProofIndex::block_leaves));
  }
  return out;
}

}  // namespace

TEST_CASE("the proof index gives RFC 6962's proofs, whatever part of the leaves is still in memory") {
  auto size = GENERATE(1u, 2u, 1'023u, 1'024u, 1'025u, 3'000u, 4'096u, 9'001u);
  auto forget = GENERATE(0u, 1'500u, 100'000u);
  CAPTURE(size, forget);
  auto leaves = leaves_of(size);
  ProofIndex index;
  for (const auto& leaf : leaves) index.append(leaf);
  if (GENERATE(false, true)) {  // as after a start from a replay point
    const auto blocks = size / ProofIndex::block_leaves;
    index = ProofIndex(index.blocks(blocks));
    for (auto i = blocks * ProofIndex::block_leaves; i < size; ++i) index.append(leaves[i]);
  }
  index.forget_before(forget);
  Prng random(size + forget);
  for (int round = 0; round < 20; ++round) {
    auto tree = 1 + random.below(size);
    auto position = random.below(tree);
    std::span<const Hash> prefix(leaves.data(), tree);
    auto blocks = read(leaves, index.missing_for_inclusion(position, tree));
    CHECK(blocks.size() <= 2);
    CHECK(index.inclusion(position, tree, blocks) == inclusion_proof(position, prefix));

    auto first = 1 + random.below(tree);
    blocks = read(leaves, index.missing_for_consistency(first, tree));
    CHECK(blocks.size() <= 2);
    CHECK(index.consistency(first, tree, blocks) == consistency_proof(first, prefix));
    CHECK(index.root(first, blocks) == tree_root(prefix.first(first)));
    CHECK(index.root(tree, blocks) == tree_root(prefix));
  }
}

TEST_CASE("the newest tree's proofs need at most one block from the store") {
  auto leaves = leaves_of(5'000);
  ProofIndex index;
  for (const auto& leaf : leaves) index.append(leaf);
  index.forget_before(5'000);
  CHECK(index.missing_for_inclusion(4'999, 5'000).empty());
  CHECK(index.missing_for_inclusion(10, 5'000) == std::vector<std::uint64_t>{0});
}

}  // namespace zell
