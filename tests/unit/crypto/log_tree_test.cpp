#include "node/crypto/log_tree.h"

#include <bit>
#include <catch2/catch.hpp>

#include "node/base/prng.h"

using namespace zell;

namespace {

Hash hash_of(std::string_view hex) {
  return fixed_from_hex<Hash>(hex).value();
}

std::vector<Hash> hashes_of(std::initializer_list<std::string_view> hexes) {
  std::vector<Hash> out;
  for (auto hex : hexes) out.push_back(hash_of(hex));
  return out;
}

/// The tree of certificate-transparency's reference tests.
const std::vector<Hash>& published_leaves() {
  static const std::vector<Hash> leaves = [] {
    std::vector<Hash> out;
    for (const auto* hex :
         {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}) {
      out.push_back(leaf_hash(*from_hex(hex)));
    }
    return out;
  }();
  return leaves;
}

const std::vector<Hash>& published_roots() {
  static const std::vector<Hash> roots =
      hashes_of({"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                 "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                 "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                 "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                 "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                 "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"});
  return roots;
}

std::vector<Hash> some_leaves(std::size_t n) {
  std::vector<Hash> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(leaf_hash(as_bytes("leaf " + std::to_string(i))));
  return out;
}

/// MTH of RFC 6962, as it is written there.
Hash root_by_definition(std::span<const Hash> leaves) {
  if (leaves.empty()) return empty_root();
  if (leaves.size() == 1) return leaves[0];
  const auto k = std::bit_floor(leaves.size() - 1);
  return node_hash(root_by_definition(leaves.first(k)), root_by_definition(leaves.subspan(k)));
}

std::span<const Hash> first(const std::vector<Hash>& leaves, std::size_t n) {
  return std::span(leaves).first(n);
}

Hash flip(Hash hash, Prng& random) {
  hash.bytes[random.below(32)] ^= static_cast<std::uint8_t>(1 << random.below(8));
  return hash;
}

}  // namespace

TEST_CASE("roots are RFC 6962's published ones") {
  CHECK(to_hex(empty_root().view()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(tree_root({}) == empty_root());
  CHECK(CompactRange().root() == empty_root());
  CompactRange range;
  for (std::size_t n = 1; n <= 8; ++n) {
    range.append(published_leaves()[n - 1]);
    CHECK(range.root() == published_roots()[n - 1]);
    CHECK(tree_root(first(published_leaves(), n)) == published_roots()[n - 1]);
  }
}

TEST_CASE("inclusion proofs are the published ones") {
  auto proof = [](std::uint64_t index, std::size_t size) {
    return inclusion_proof(index, first(published_leaves(), size));
  };
  CHECK(proof(0, 1).empty());
  CHECK(proof(0, 8) == hashes_of({"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                  "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                  "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  CHECK(proof(5, 8) == hashes_of({"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                                  "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  CHECK(proof(2, 3) == hashes_of({"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}));
  CHECK(proof(1, 5) == hashes_of({"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                  "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                  "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}));
}

TEST_CASE("consistency proofs are the published ones") {
  auto proof = [](std::uint64_t from, std::size_t to) {
    return consistency_proof(from, first(published_leaves(), to));
  };
  CHECK(proof(1, 1).empty());
  CHECK(proof(1, 8) == hashes_of({"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                  "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                  "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  CHECK(proof(6, 8) == hashes_of({"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                                  "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  CHECK(proof(2, 5) == hashes_of({"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                  "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}));
}

TEST_CASE("a compact range tells the root that the definition gives, at every size") {
  const auto leaves = some_leaves(300);
  CompactRange range;
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    range.append(leaves[n - 1]);
    REQUIRE(range.size() == n);
    REQUIRE(range.root() == root_by_definition(first(leaves, n)));
    REQUIRE(CompactRange::valid(n, range.peaks().size()));
    // What was stored and read back goes on alike.
    REQUIRE(CompactRange(n, range.peaks()) == range);
  }
}

TEST_CASE("a compact range can start at any size, even near 2^64") {
  CHECK(CompactRange::valid(0, 0));
  CHECK_FALSE(CompactRange::valid(0, 1));
  CHECK(CompactRange::valid(0xff, 8));
  CHECK_FALSE(CompactRange::valid(0xff, 7));
  CHECK(CompactRange::valid(~0ULL, 64));
  const auto leaves = some_leaves(64);
  CompactRange range((1ULL << 63) - 1, {leaves.begin(), leaves.begin() + 63});
  range.append(leaves[63]);
  CHECK(range.size() == 1ULL << 63);
  CHECK(range.peaks().size() == 1);
  CHECK(range.root() == range.peaks()[0]);
}

TEST_CASE("every leaf of every tree up to 70 is proven, and only as itself") {
  const std::uint64_t seed = 1;
  INFO("seed " << seed);
  Prng random(seed);
  const auto leaves = some_leaves(70);
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    const auto root = tree_root(first(leaves, n));
    for (std::size_t i = 0; i < n; ++i) {
      const auto proof = inclusion_proof(i, first(leaves, n));
      INFO("leaf " << i << " of " << n);
      REQUIRE(verify_inclusion(leaves[i], i, n, proof, root));
      REQUIRE_FALSE(verify_inclusion(flip(leaves[i], random), i, n, proof, root));
      REQUIRE_FALSE(verify_inclusion(leaves[i], i, n, proof, flip(root, random)));
      REQUIRE_FALSE(verify_inclusion(leaves[i], n, n, proof, root));
      for (std::size_t j = 0; j < n; ++j) {
        if (j != i) REQUIRE_FALSE(verify_inclusion(leaves[i], j, n, proof, root));
      }
      auto longer = proof, shorter = proof, changed = proof;
      longer.push_back(root);
      REQUIRE_FALSE(verify_inclusion(leaves[i], i, n, longer, root));
      if (proof.empty()) continue;
      shorter.pop_back();
      REQUIRE_FALSE(verify_inclusion(leaves[i], i, n, shorter, root));
      auto& step = changed[random.below(changed.size())];
      step = flip(step, random);
      REQUIRE_FALSE(verify_inclusion(leaves[i], i, n, changed, root));
    }
  }
}

TEST_CASE("a proof of inclusion in one tree size is none in a smaller or larger tree") {
  const auto leaves = some_leaves(20);
  for (std::size_t n = 1; n <= 20; ++n) {
    const auto root = tree_root(first(leaves, n));
    const auto proof = inclusion_proof(0, first(leaves, n));
    for (std::uint64_t other : {std::uint64_t{0}, n / 4, n * 4, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
      if (other != n) CHECK_FALSE(verify_inclusion(leaves[0], 0, other, proof, root));
    }
  }
}

TEST_CASE("every two sizes up to 70 are proven consistent, and only as themselves") {
  const std::uint64_t seed = 2;
  INFO("seed " << seed);
  Prng random(seed);
  const auto leaves = some_leaves(70);
  std::vector<Hash> roots = {empty_root()};
  for (std::size_t n = 1; n <= leaves.size(); ++n) roots.push_back(tree_root(first(leaves, n)));
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    for (std::size_t m = 1; m <= n; ++m) {
      const auto proof = consistency_proof(m, first(leaves, n));
      INFO(m << " and " << n);
      REQUIRE(verify_consistency(m, roots[m], n, roots[n], proof));
      REQUIRE_FALSE(verify_consistency(m, flip(roots[m], random), n, roots[n], proof));
      REQUIRE_FALSE(verify_consistency(m, roots[m], n, flip(roots[n], random), proof));
      auto longer = proof, shorter = proof, changed = proof;
      longer.push_back(roots[n]);
      REQUIRE_FALSE(verify_consistency(m, roots[m], n, roots[n], longer));
      if (m == n) continue;
      REQUIRE_FALSE(verify_consistency(n, roots[n], m, roots[m], proof));
      shorter.pop_back();
      REQUIRE_FALSE(verify_consistency(m, roots[m], n, roots[n], shorter));
      REQUIRE_FALSE(verify_consistency(m, roots[m], n, roots[n], {}));
      auto& step = changed[random.below(changed.size())];
      step = flip(step, random);
      REQUIRE_FALSE(verify_consistency(m, roots[m], n, roots[n], changed));
    }
  }
}

TEST_CASE("the empty log is consistent with every log, and nothing else claims to be it") {
  const auto leaves = some_leaves(3);
  const auto root = tree_root(leaves);
  CHECK(verify_consistency(0, empty_root(), 3, root, {}));
  CHECK(verify_consistency(0, empty_root(), 0, empty_root(), {}));
  CHECK_FALSE(verify_consistency(0, root, 3, root, {}));
  CHECK_FALSE(verify_consistency(0, empty_root(), 0, root, {}));
  CHECK_FALSE(verify_consistency(0, empty_root(), 3, root, leaves));
}

TEST_CASE("logs that differ anywhere in the shared prefix are never consistent") {
  const std::uint64_t seed = 3;
  INFO("seed " << seed);
  Prng random(seed);
  for (int round = 0; round < 300; ++round) {
    auto leaves = some_leaves(2 + random.below(60));
    const auto m = 1 + random.below(leaves.size() - 1);
    const auto old_root = tree_root(first(leaves, m));
    auto& changed = leaves[random.below(m)];
    changed = flip(changed, random);
    REQUIRE_FALSE(verify_consistency(m, old_root, leaves.size(), tree_root(leaves), consistency_proof(m, leaves)));
  }
}
