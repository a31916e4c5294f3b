// A start from a replay point finds what a start from the beginning finds; each rule for both stores.

#include <catch2/catch.hpp>

#include "node/storage/branches.h"
#include "tests/unit/storage/fixtures.h"

namespace zell {
namespace {

using test::Branch;

/// A log of some blocks of leaves, in batches whose ends are nowhere near the blocks' ends.
struct LongLog {
  explicit LongLog(bool on_disk) {
    if (on_disk) REQUIRE(create_store(folder.path(), test::four_members(), {0}).ok());
    store = on_disk ? test::open_recovered(folder.path()) : test::recovered_memory_store();
    while (branch.range.size() < 3 * ReplayPoint::block_leaves + 100) grow(true);
  }
  void grow(bool final) {
    auto delta = test::next_delta(prng, branch, state, 1 + prng.below(300), final, 20);
    for (const auto& request : *delta.batches[0]->requests) leaves.push_back(request->leaf);
    commit(delta);
  }
  void commit(const Delta& delta) {
    auto status = store->commit(std::span(&delta, 1));
    if (!status.ok()) FAIL(status.error().what);
  }
  /// As a node makes one.
  [[nodiscard]] ReplayPoint point_at(Index index) const {
    ReplayPoint out{index, {}, {{PublicKey{}, {1, 7, 1'000}}}};
    for (std::uint64_t k = 0; k < index.value / ReplayPoint::block_leaves; ++k) {
      out.blocks.push_back(
          tree_root(std::span(leaves).subspan(k * ReplayPoint::block_leaves, ReplayPoint::block_leaves)));
    }
    return out;
  }
  void keep(const ReplayPoint& point) {
    auto kept = store->keep_replay_point(point);
    REQUIRE(kept.ok());
    CHECK(*kept);
  }

  test::TempFolder folder;
  Prng prng{11};
  Branch branch;
  DurableState state;
  std::vector<Hash> leaves;
  std::unique_ptr<Store> store;
};

struct Start {
  std::vector<ReplayPoint> points;
  std::vector<Hash> leaves;  ///< visited since the last of them
  std::uint64_t first = 0;
};

Start start_again(LongLog& log) {
  Start out;
  auto recovered = log.store->recover(
      [&](const Batch& batch) {
        if (out.first == 0) out.first = batch.header.first.value;
        for (const auto& request : *batch.requests) out.leaves.push_back(request->leaf);
      },
      [&](const ReplayPoint& point) {
        out.points.push_back(point);
        out.leaves.clear();
        out.first = 0;
      });
  if (!recovered.ok()) FAIL(recovered.error().what);
  const auto whole = log.store->recover([](const Batch&) {});
  REQUIRE(whole.ok());
  CHECK(recovered->finalised == whole->finalised);
  CHECK(recovered->finalised == log.branch.range);
  CHECK(recovered->state == whole->state);
  CHECK(recovered->fc == whole->fc);
  return out;
}

TEST_CASE("from a replay point only what follows its blocks is read, and leads to the same log") {
  LongLog log(GENERATE(true, false));
  const auto point = log.point_at({log.branch.range.size()});
  log.keep(point);
  log.grow(true);
  log.grow(true);
  const auto start = start_again(log);
  REQUIRE(start.points == std::vector{point});
  const auto skipped = point.blocks.size() * ReplayPoint::block_leaves;
  CHECK(start.first > 1);
  CHECK(start.first <= skipped + 1);
  CHECK(start.leaves ==
        std::vector<Hash>(log.leaves.begin() + static_cast<std::ptrdiff_t>(start.first - 1), log.leaves.end()));
  // What is asked for later may be below it.
  CHECK(log.store->read_leaves({1}, {5}).value() == std::vector<Hash>(log.leaves.begin(), log.leaves.begin() + 5));
  CHECK(log.store->read_certified({10}, 1).value().batches.front()->header.first == Index{11});
}

TEST_CASE("the newest replay point counts") {
  LongLog log(GENERATE(true, false));
  log.keep(log.point_at({ReplayPoint::block_leaves}));
  const auto newer = log.point_at({2 * ReplayPoint::block_leaves + 5});
  log.keep(newer);
  CHECK(start_again(log).points == std::vector{newer});
}

TEST_CASE("a replay point above the stored certificates is not taken") {
  LongLog log(GENERATE(true, false));
  const auto kept = log.store->keep_replay_point(log.point_at({log.branch.range.size() + 1}));
  REQUIRE(kept.ok());
  CHECK_FALSE(*kept);
  CHECK(start_again(log).points == std::vector{ReplayPoint{}});
}

TEST_CASE("a replay point whose blocks are not the log's is found out, and all is read") {
  LongLog log(GENERATE(true, false));
  auto point = log.point_at({log.branch.range.size()});
  point.blocks[1].bytes[0] ^= 1;
  log.keep(point);
  const auto start = start_again(log);
  CHECK(start.points == std::vector{point, ReplayPoint{}});
  CHECK(start.first == 1);
  CHECK(start.leaves == log.leaves);
}

TEST_CASE("a vote state that points below the replay point's blocks makes a start read all") {
  LongLog log(GENERATE(true, false));
  log.keep(log.point_at({log.branch.range.size()}));
  Delta delta;
  delta.state = log.state;
  bool by_lock = GENERATE(true, false);
  if (by_lock) {
    delta.state->highest_lc = test::certificate(Phase::lock, {0}, {{0}, empty_root()});
  } else {
    delta.state->tip = {{0}, empty_root()};
  }
  log.commit(delta);
  CHECK(start_again(log).points == std::vector{ReplayPoint{}});
}

TEST_CASE("a finalised log made of blocks has the marks of one made of leaves") {
  constexpr auto block = ReplayPoint::block_leaves, blocks = FinalisedLog::root_mark_distance / block + 2;
  FinalisedLog leaf_by_leaf;
  std::vector<Hash> roots;
  for (std::uint64_t k = 0; k < blocks; ++k) {
    CompactRange range;
    for (std::uint64_t i = 0; i < block; ++i) {
      Writer text;
      text.u64(k * block + i);
      const auto leaf = leaf_hash(text.bytes());
      range.append(leaf);
      leaf_by_leaf.append(leaf);
    }
    roots.push_back(range.root());
  }
  const FinalisedLog by_blocks(roots);
  CHECK(by_blocks.range() == leaf_by_leaf.range());
  const Index last{blocks * block};
  CHECK(by_blocks.mark_below(last).size() == FinalisedLog::root_mark_distance);
  CHECK(by_blocks.mark_below(last) == leaf_by_leaf.mark_below(last));
}

TEST_CASE("a replay point is written as it is read, and nothing else is taken for one") {
  const ReplayPoint point{{2'050}, {Hash{{1}}, Hash{{2}}}, {{PublicKey{{2}}, {1, 2}}, {PublicKey{{3}}, {9}}}};
  const auto bytes = encode_replay_point(point);
  CHECK(decode_replay_point(bytes) == point);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_FALSE(decode_replay_point(ByteView(bytes).first(length)));
  auto longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(decode_replay_point(longer));
  auto twice = point;
  twice.senders[1].sender = twice.senders[0].sender;
  CHECK_FALSE(decode_replay_point(encode_replay_point(twice)));
  auto descending = point;
  descending.senders[0].nonces = {2, 1};
  CHECK_FALSE(decode_replay_point(encode_replay_point(descending)));
  auto many = point;
  many.senders[0].nonces.resize(nonces_per_sender + 1);
  for (std::size_t i = 0; i < many.senders[0].nonces.size(); ++i) many.senders[0].nonces[i] = i;
  CHECK_FALSE(decode_replay_point(encode_replay_point(many)));
}

}  // namespace
}  // namespace zell
