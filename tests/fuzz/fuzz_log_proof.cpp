// Merkle proofs: an honest one is accepted, and one that was changed is not. What a proof says about the log before a
// request is that log.

#include "client/proofs.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace zell;

constexpr std::uint64_t max_leaves = 70;

const std::vector<Hash>& leaves() {
  static const std::vector<Hash> out = [] {
    std::vector<Hash> made;
    for (std::uint8_t i = 0; i < max_leaves; ++i) made.push_back(leaf_hash(ByteView(&i, 1)));
    return made;
  }();
  return out;
}

/// Changes as the bytes say: one byte for what, and what that needs.
std::vector<Hash> change(std::vector<Hash> proof, Reader& in) {
  while (in.left() > 0) {
    const auto what = in.u8();
    const auto at = proof.empty() ? 0 : in.u8() % proof.size();
    const auto place = proof.begin() + static_cast<std::ptrdiff_t>(at);
    if (what % 4 == 0) {
      proof.insert(place, leaves()[in.u8() % max_leaves]);
    } else if (proof.empty()) {
      return proof;
    } else if (what % 4 == 1) {
      proof[at].bytes[in.u8() % Hash::size] ^= in.u8();
    } else if (what % 4 == 2) {
      proof.erase(place);
    } else {
      std::swap(proof[at], proof[in.u8() % proof.size()]);
    }
  }
  return proof;
}

void check_inclusion(std::uint64_t size, std::uint64_t index, std::uint64_t claimed_size, Reader& in) {
  const auto log = std::span(leaves()).first(size);
  const auto root = tree_root(log);
  const auto honest = inclusion_proof(index, log);
  ZELL_CHECK(verify_inclusion(log[index], index, size, honest, root));
  const auto before = range_before(index, size, honest);
  ZELL_CHECK(before.size() == index && before.root() == tree_root(log.first(index)));

  const auto changed = change(honest, in);
  ZELL_CHECK(verify_inclusion(log[index], index, size, changed, root) == (changed == honest));
  // The size is the certificate's, never the sender's; of any that fits, the peaks can be told.
  if (verify_inclusion(log[index], index, claimed_size, changed, root)) {
    ZELL_CHECK(range_before(index, claimed_size, changed).size() == index);
  }
}

void check_consistency(std::uint64_t first, std::uint64_t second, Reader& in) {
  const auto log = std::span(leaves()).first(second);
  const auto root = tree_root(log), first_root = tree_root(log.first(first));
  const auto honest = first == 0 ? std::vector<Hash>{} : consistency_proof(first, log);
  ZELL_CHECK(verify_consistency(first, first_root, second, root, honest));
  auto other = first_root;
  other.bytes[0] ^= 1;
  ZELL_CHECK(!verify_consistency(first, other, second, root, honest));
  const auto changed = change(honest, in);
  ZELL_CHECK(verify_consistency(first, first_root, second, root, changed) == (changed == honest));
  (void)verify_consistency(in.u64(), first_root, in.u64(), root, changed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader in({data, size});
  const bool inclusion = in.u8() % 2 == 0;
  const auto leaf_count = 1 + in.u8() % max_leaves;
  const auto at = in.u8() % leaf_count;
  const auto claimed = in.u64();
  if (!in.ok()) return 0;
  if (inclusion) {
    check_inclusion(leaf_count, at, claimed, in);
  } else {
    check_consistency(at + (claimed & 1), leaf_count, in);
  }
  return 0;
}
