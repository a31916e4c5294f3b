// What a store does with deltas; each rule for both stores.

#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/storage/fixtures.h"

namespace zell {
namespace {

using test::Branch;

/// A store of either kind. `reopen` starts it again as a process would.
class EitherStore {
 public:
  explicit EitherStore(bool on_disk) : on_disk_(on_disk) {
    if (on_disk_) {
      REQUIRE(create_store(folder_.path(), test::four_members(), {0}).ok());
      store_ = test::open_recovered(folder_.path(), {"", true, 400});
    } else {
      store_ = test::recovered_memory_store();
    }
  }
  Store& operator*() { return *store_; }
  Store* operator->() { return store_.get(); }
  Recovered reopen() {
    if (on_disk_) {
      store_.reset();
      store_ = test::open_recovered(folder_.path(), {"", true, 400});
    }
    return store_->recover([](const Batch&) {}).value();
  }
  void commit(const Delta& delta) {
    auto status = store_->commit(std::span(&delta, 1));
    if (!status.ok()) FAIL(status.error().what);
  }

 private:
  bool on_disk_;
  test::TempFolder folder_;
  std::unique_ptr<Store> store_;
};

std::vector<LogPoint> ends(const std::vector<BatchPtr>& batches) {
  std::vector<LogPoint> out;
  for (const auto& batch : batches) out.push_back(batch->header.end);
  return out;
}

Delta adding(std::vector<BatchPtr> batches) {
  Delta delta;
  delta.batches = std::move(batches);
  return delta;
}

TEST_CASE("a delta's parts are stored, and an empty part changes nothing") {
  EitherStore store(GENERATE(true, false));
  Prng prng(1);
  Branch branch;
  DurableState state;
  state.view = {3};
  Delta delta = test::next_delta(prng, branch, state, 3, true);
  delta.state->highest_lc = test::certificate(Phase::lock, {3}, branch.point());
  delta.state->last_final = branch.point();
  delta.entry_proof = test::some_entry_proof({3});
  delta.evidence = {test::some_evidence(1)};
  delta.conflict = std::make_shared<const Message>(Conflict{*delta.fc, *delta.fc, branch.range.root(), {}});
  store.commit(delta);
  store.commit(Delta{});
  const auto recovered = store.reopen();
  CHECK(recovered.state == *delta.state);
  CHECK(recovered.fc == delta.fc);
  CHECK(recovered.finalised == branch.range);
  CHECK(recovered.unfinalised.empty());
  CHECK(recovered.entry_proof.size() == 2);
  CHECK(recovered.evidence_count == 1);
  REQUIRE(recovered.conflict);
  CHECK(std::get<Conflict>(*recovered.conflict).a == *delta.fc);
}

TEST_CASE("recovery visits the finalised batches in log order and hands over the others") {
  EitherStore store(GENERATE(true, false));
  Prng prng(2);
  Branch branch;
  DurableState state;
  for (int i = 0; i < 6; ++i) store.commit(test::next_delta(prng, branch, state, 2, i == 1 || i == 3));
  std::vector<std::uint64_t> firsts;
  auto recovered = store->recover([&](const Batch& batch) { firsts.push_back(batch.header.first.value); });
  REQUIRE(recovered.ok());
  CHECK(firsts == std::vector<std::uint64_t>{1, 3, 5, 7});
  REQUIRE(recovered->unfinalised.size() == 2);
  CHECK(recovered->unfinalised[0]->header.first == Index{9});
  CHECK(recovered->unfinalised[1]->header.end == branch.point());
}

TEST_CASE("batches of several branches may end at one index; a dropped one is gone, the others stay") {
  EitherStore store(GENERATE(true, false));
  Prng prng(3);
  Branch a, b, c;
  store.commit(adding({a.extend(prng, {0}, 2), b.extend(prng, {1}, 2), c.extend(prng, {2}, 2)}));
  Delta drop;
  drop.dropped = {b.point(), {{77}, Hash{}}};
  store.commit(drop);
  auto left = ends(store.reopen().unfinalised);
  CHECK(std::set<LogPoint>(left.begin(), left.end()) == std::set<LogPoint>{a.point(), c.point()});
  // The row that came free is used again.
  Branch d;
  store.commit(adding({d.extend(prng, {3}, 2)}));
  CHECK(store.reopen().unfinalised.size() == 3);
}

TEST_CASE("adding a batch again changes its view and signature") {
  EitherStore store(GENERATE(true, false));
  Prng prng(4);
  Branch branch;
  auto batch = branch.extend(prng, {0}, 2);
  store.commit(adding({batch}));
  auto again = std::make_shared<Batch>(*batch);
  again->header.view = {5};
  again->header.signature.bytes[0] ^= 1;
  store.commit(adding({again}));
  const auto recovered = store.reopen();
  REQUIRE(recovered.unfinalised.size() == 1);
  CHECK(recovered.unfinalised[0]->header == again->header);
}

TEST_CASE("a finality certificate removes what ends at or below it on other branches, and leaves what is above") {
  EitherStore store(GENERATE(true, false));
  Prng prng(5);
  Branch main;
  DurableState state;
  store.commit(test::next_delta(prng, main, state, 2, true));
  Branch lower = main, same = main, upper = main;
  store.commit(adding({lower.extend(prng, {1}, 1), same.extend(prng, {1}, 3), upper.extend(prng, {1}, 3)}));
  store.commit(adding({upper.extend(prng, {1}, 5)}));
  store.commit(test::next_delta(prng, main, state, 3, true));
  const auto recovered = store.reopen();
  CHECK(recovered.finalised == main.range);
  CHECK(ends(recovered.unfinalised) == std::vector{upper.point()});
}

TEST_CASE("one certificate finalises all batches that lead to it; an older or equal one changes nothing") {
  EitherStore store(GENERATE(true, false));
  Prng prng(6);
  Branch branch;
  DurableState state;
  for (int i = 0; i < 3; ++i) store.commit(test::next_delta(prng, branch, state, 2, false));
  const auto before = branch.point();
  Delta fc;
  fc.fc = test::certificate(Phase::final, {0}, before);
  store.commit(fc);
  CHECK(store.reopen().finalised.size() == 6);
  Delta other;
  other.fc = test::certificate(Phase::final, {9}, before);
  store.commit(other);
  CHECK(store.reopen().fc == fc.fc);
}

TEST_CASE("a chain that a leader cut in two ways is finalised by either cut") {
  EitherStore store(GENERATE(true, false));
  Prng prng(7);
  Requests requests;
  for (int i = 0; i < 10; ++i) requests.push_back(test::some_request(prng, 20));
  Branch whole, parts;
  const Requests first_half(requests.begin(), requests.begin() + 5), second_half(requests.begin() + 5, requests.end());
  DurableState state;
  auto delta = adding({whole.extend(requests, {0})});
  state.tip = whole.point();
  delta.state = state;
  store.commit(delta);

  auto half = adding({parts.extend(first_half, {0})});
  half.fc = test::certificate(Phase::final, {0}, parts.point());
  store.commit(half);
  auto recovered = store.reopen();  // the tip still leads back to the finalised prefix
  REQUIRE(recovered.unfinalised.size() == 1);
  CHECK(recovered.unfinalised[0]->header.first == Index{6});
  CHECK(recovered.unfinalised[0]->header.parent() == parts.point());
  CHECK(recovered.unfinalised[0]->header.signature.is_zero());

  parts.extend(second_half, {0});
  Delta all;
  all.fc = test::certificate(Phase::final, {0}, whole.point());
  store.commit(all);
  CHECK(store.reopen().finalised == parts.range);

  SECTION("a range is served from where the asker's log ends, also inside a batch") {
    Branch asker;
    (void)asker.extend(Requests(requests.begin(), requests.begin() + 7), {0});
    auto range = store->read_certified({7}, 1);
    REQUIRE(range.ok());
    REQUIRE(range->batches.size() == 1);
    CHECK(range->batches[0]->header.parent() == asker.point());
    CHECK(range->batches[0]->count() == 3);
    CHECK(range->fc->point == whole.point());
  }
}

TEST_CASE("a batch that contradicts the finalised prefix, or adds nothing to it, is ignored") {
  EitherStore store(GENERATE(true, false));
  Prng prng(8);
  Branch main, other;
  DurableState state;
  store.commit(adding({other.extend(prng, {1}, 9)}));
  store.commit(test::next_delta(prng, main, state, 3, true));
  CHECK(store.reopen().unfinalised.empty());  // what reached into the prefix went with the certificate
  Branch late;
  store.commit(adding({late.extend(prng, {1}, 2), late.extend(prng, {1}, 7)}));
  const auto recovered = store.reopen();
  CHECK(recovered.unfinalised.empty());
}

TEST_CASE("finalised ranges: from the batch that contains an index, within the byte limit, with the next certificate") {
  EitherStore store(GENERATE(true, false));
  Prng prng(9);
  Branch branch;
  DurableState state;
  std::size_t batch_bytes = 0;
  for (int i = 0; i < 8; ++i) {
    auto delta = test::next_delta(prng, branch, state, 2, i == 2 || i == 5);
    batch_bytes = delta.batches[0]->request_bytes;
    store.commit(delta);
  }
  auto one = store->read_finalised({4}, 1).value();
  REQUIRE(one.batches.size() == 1);
  CHECK(one.batches[0]->header.first == Index{3});
  CHECK(one.fc->point.index == Index{6});
  CHECK(store->read_finalised({1}, 4 * batch_bytes).value().batches.size() == 4);
  CHECK(store->read_finalised({1}, 5 * batch_bytes - 1).value().batches.size() == 4);
  CHECK(store->read_finalised({1}, 1 << 20).value().batches.size() == 6);
  CHECK(store->read_finalised({12}, 1 << 20).value().fc->point.index == Index{12});
  CHECK(store->read_finalised({13}, 1 << 20).value().batches.empty());
  CHECK(store->read_finalised({0}, 1 << 20).value().batches.empty());

  auto first = store->read_certified({0}, 1).value();
  CHECK(first.batches.size() == 3);
  CHECK(first.fc->point.index == Index{6});
  CHECK(store->read_certified({0}, 6 * batch_bytes - 1).value().batches.size() == 3);
  CHECK(store->read_certified({0}, 6 * batch_bytes).value().batches.size() == 6);
  auto second = store->read_certified({6}, 1).value();
  REQUIRE(second.batches.size() == 3);
  CHECK(second.batches[0]->header.first == Index{7});
  CHECK(second.fc->point.index == Index{12});
  auto middle = store->read_certified({3}, 1 << 20).value();
  REQUIRE(middle.batches.size() == 5);
  CHECK(middle.batches[0]->header.first == Index{4});
  CHECK(store->read_certified({12}, 1 << 20).value().batches.empty());
  CHECK(store->read_certified({1'000'000}, 1 << 20).value().batches.empty());
}

TEST_CASE("a request is found by its id once it is final, and leaves are read for any final range") {
  EitherStore store(GENERATE(true, false));
  Prng prng(10);
  Branch branch;
  DurableState state;
  Requests all;
  for (int i = 0; i < 10; ++i) {
    auto delta = test::next_delta(prng, branch, state, 1 + i % 3, i == 8);
    all.insert(all.end(), delta.batches[0]->requests->begin(), delta.batches[0]->requests->end());
    store.commit(delta);
  }
  const auto final_count = store.reopen().finalised.size();
  REQUIRE(final_count < all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto expected = i < final_count ? std::optional(Index{i + 1}) : std::nullopt;
    CHECK(store->find_request(all[i]->id).value() == expected);
  }
  auto near_miss = all[3]->id;
  near_miss.bytes[31] ^= 1;  // same prefix
  CHECK(store->find_request(near_miss).value() == std::nullopt);

  for (std::uint64_t first = 1; first <= final_count; ++first) {
    for (std::uint64_t last = first; last <= final_count; ++last) {
      auto leaves = store->read_leaves({first}, {last});
      REQUIRE(leaves.ok());
      REQUIRE(leaves->size() == last - first + 1);
      for (std::uint64_t i = first; i <= last; ++i) REQUIRE((*leaves)[i - first] == all[i - 1]->leaf);
    }
  }
  CHECK(store->read_leaves({1}, {0}).value().empty());
  CHECK(store->read_leaves({0}, {1}).error().code == "bad-range");
  CHECK(store->read_leaves({1}, {final_count + 1}).error().code == "bad-range");
}

TEST_CASE("evidence is stored once, and bounded") {
  EitherStore store(GENERATE(true, false));
  Delta delta;
  for (std::uint64_t i = 0; i < max_stored_evidence - 1; ++i) delta.evidence.push_back(test::some_evidence(i));
  store.commit(delta);
  store.commit(delta);
  CHECK(store.reopen().evidence_count == max_stored_evidence - 1);
  Delta more;
  for (std::uint64_t i = 0; i < 10; ++i) more.evidence.push_back(test::some_evidence(2'000 + i));
  store.commit(more);
  CHECK(store.reopen().evidence_count == max_stored_evidence);
  CHECK(store->read_evidence().value().size() == max_stored_evidence);
}

TEST_CASE("a highest lock's batches must be there, unless a certificate outranks the lock") {
  EitherStore store(GENERATE(true, false));
  Prng prng(11);
  Branch main, lock;
  DurableState state;
  store.commit(adding({lock.extend(prng, {1}, 4)}));
  state.highest_lc = test::certificate(Phase::lock, {1}, lock.point());
  state.view = {2};
  store.commit(test::next_delta(prng, main, state, 2, true));  // its certificate is of view 2
  CHECK(store.reopen().unfinalised.empty());

  state.highest_lc = test::certificate(Phase::lock, {3}, {{9}, Hash{}});
  Delta bad;
  bad.state = state;
  store.commit(bad);
  auto recovered = store->recover([](const Batch&) {});
  REQUIRE_FALSE(recovered.ok());
  CHECK(recovered.error().code == "corrupt");
  CHECK(recovered.error().what.find("index 9") != std::string::npos);
}

TEST_CASE("a tip whose batches are missing is corrupt, with what to do about it") {
  EitherStore store(GENERATE(true, false));
  Prng prng(12);
  Branch branch;
  DurableState state;
  auto delta = test::next_delta(prng, branch, state, 2, false);
  delta.batches.clear();
  store.commit(delta);
  auto recovered = store->recover([](const Batch&) {});
  REQUIRE_FALSE(recovered.ok());
  CHECK(recovered.error().code == "corrupt");
  CHECK(recovered.error().hint.find("learner") != std::string::npos);
}

}  // namespace
}  // namespace zell
