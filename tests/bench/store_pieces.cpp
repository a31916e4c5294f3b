// The SQLite store, in memory-backed files: what the disk itself takes is not instructions.

#include "node/base/check.h"
#include "node/crypto/log_tree.h"
#include "node/storage/store.h"
#include "tests/bench/made_up_log.h"
#include "tests/bench/piece.h"
#include "tests/support/temp_folder.h"

namespace zell::bench {
namespace {

constexpr unsigned runs = 12;

struct Opened {
  test::TempFolder folder{"/dev/shm"};
  std::unique_ptr<Store> store;
  std::vector<Delta> deltas;
  std::size_t next = 0;
};

/// Each delta as a follower makes it: a batch, the LOCK on it, and the finality certificate of the batch before.
std::vector<Delta> made_up_deltas(std::size_t requests, std::size_t payloads) {
  std::vector<Delta> out;
  CompactRange range;
  DurableState state;
  state.base = state.tip = {{0}, empty_root()};
  std::uint64_t nonce = 0;
  for (unsigned run = 0; run <= runs; ++run) {
    Delta delta;
    if (run > 0) {
      delta.fc = certify(Phase::final, state.tip);
      state.highest_lc = delta.fc;
    }
    Requests batch;
    for (std::size_t i = 0; i < requests; ++i) batch.push_back(unsigned_request(++nonce, payloads));
    delta.batches.push_back(extend(range, std::move(batch)));
    state.tip = delta.batches.back()->header.end;
    state.last_lock = state.tip;
    delta.state = state;
    out.push_back(std::move(delta));
  }
  return out;
}

Run commit(std::size_t requests, std::size_t payloads) {
  auto opened = std::make_shared<Opened>();
  const auto path = opened->folder.path();
  ZELL_CHECK(create_store(path, four_members(), NodeId{1}).ok());
  auto store = open_store(path, four_members(), NodeId{1});
  ZELL_CHECK(store.ok());
  opened->store = std::move(*store);
  ZELL_CHECK(opened->store->recover([](const Batch&) {}).ok());
  opened->deltas = made_up_deltas(requests, payloads);
  return [opened] {
    ZELL_CHECK(opened->store->commit(std::span(&opened->deltas.at(opened->next++), 1)).ok());
    ZELL_CHECK(opened->store->maintain().ok());
  };
}

}  // namespace

std::vector<Piece> store_pieces() {
  return {
      {"store a batch of 256", "request", 256, runs, [] { return commit(256, 1); }},
      {"store a batch of 40 bundles of 100", "bundle", 40, runs, [] { return commit(40, 100); }},
  };
}

}  // namespace zell::bench
