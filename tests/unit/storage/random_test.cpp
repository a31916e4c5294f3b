// Random deltas into both stores, which must say the same, however the commits are grouped and whenever the process
// restarts.

#include <catch2/catch.hpp>
#include <map>

#include "tests/unit/storage/fixtures.h"

namespace zell {
namespace {

/// Makes deltas that keep the core's promises: the tip and the highest lock lead back to the finalised prefix.
class RandomCore {
 public:
  explicit RandomCore(std::uint64_t seed) : prng_(seed) { places_.emplace(test::Branch{}.point(), Place{}); }

  Delta next() {
    Delta delta;
    switch (prng_.below(10)) {
      case 0:
        finalise(delta);
        break;
      case 1:
        drop(delta);
        break;
      case 2:
        cut_otherwise(delta);
        break;
      case 3:
        add_again(delta);
        break;
      case 4:
        delta.evidence.push_back(test::some_evidence(prng_.below(40)));
        break;
      case 5:
        delta.entry_proof = test::some_entry_proof({prng_.below(100)});
        break;
      default:
        add(delta);
    }
    if (prng_.below(3) == 0 && !delta.fc) tip_ = any_place();
    if (prng_.below(5) == 0 && !delta.fc) lock_ = any_place();
    state_.tip = tip_;
    state_.view = {view_};
    state_.highest_lc.reset();
    if (lock_.index.value > 0) state_.highest_lc = test::certificate(Phase::lock, {view_}, lock_);
    delta.state = state_;
    return delta;
  }

 private:
  /// A point that leads back to the finalised prefix, and the batch that ends there.
  struct Place {
    test::Branch branch;
    BatchPtr batch;
  };

  LogPoint any_place() {
    auto it = places_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(prng_.below(places_.size())));
    return it->first;
  }
  void put(Delta& delta, const test::Branch& end, BatchPtr batch) {
    delta.batches.push_back(batch);
    places_[end.point()] = {end, std::move(batch)};
  }
  void add(Delta& delta) {
    auto branch = places_.at(prng_.below(4) ? tip_ : any_place()).branch;
    auto batch = branch.extend(prng_, {view_ += prng_.below(2)}, 1 + prng_.below(6), prng_.below(300));
    put(delta, branch, std::move(batch));
    tip_ = branch.point();
  }
  void add_again(Delta& delta) {
    auto& place = places_.at(any_place());
    if (!place.batch) return;
    auto again = std::make_shared<Batch>(*place.batch);
    again->header.view = {++view_};
    put(delta, place.branch, std::move(again));
  }
  /// The same requests, ending at a place inside a stored batch, and from there to its end.
  void cut_otherwise(Delta& delta) {
    const auto place = places_.at(any_place());
    if (!place.batch || place.batch->count() < 2) return;
    const auto parent = places_.find(place.batch->header.parent());
    if (parent == places_.end()) return;
    const auto middle = static_cast<std::ptrdiff_t>(1 + prng_.below(place.batch->count() - 1));
    const auto& all = *place.batch->requests;
    auto branch = parent->second.branch;
    auto first = branch.extend(Requests(all.begin(), all.begin() + middle), {view_});
    put(delta, branch, std::move(first));
    if (prng_.below(2)) return;
    auto second = branch.extend(Requests(all.begin() + middle, all.end()), {view_});
    put(delta, branch, std::move(second));
  }
  void drop(Delta& delta) {
    const auto point = any_place();
    if (point == tip_ || point == lock_ || !places_.at(point).batch) return;
    for (const auto& [end, place] : places_) {
      if (place.batch && place.batch->header.parent() == point) return;
    }
    delta.dropped.insert(point);
    places_.erase(point);
  }
  void finalise(Delta& delta) {
    const auto point = any_place();
    if (!places_.at(point).batch) return;
    delta.fc = test::certificate(Phase::final, {++view_}, point);
    final_ = places_.at(point).branch;
    std::map<LogPoint, Place> left;
    left[point] = {final_, nullptr};
    // What still leads back: batches whose parent does, or that reach over the new end on the same chain.
    for (const auto& [end, place] : places_) {
      if (end.index <= point.index || !place.batch) continue;
      const bool hangs_on = left.contains(place.batch->header.parent());
      const bool reaches_over = place.batch->header.first <= point.index && same_chain(place);
      if (hangs_on) left[end] = place;
      if (reaches_over) left[end] = {place.branch, nullptr};
    }
    // Those whose batch the store has cut are known by their end only.
    places_ = std::move(left);
    tip_ = lock_ = point;
  }
  [[nodiscard]] bool same_chain(const Place& place) const {
    auto range = final_.range;
    const auto& batch = *place.batch;
    const auto skipped = range.size() - batch.header.first.value + 1;
    for (auto i = skipped; i < batch.count(); ++i) range.append((*batch.requests)[i]->leaf);
    return range.root() == batch.header.end.root;
  }

  Prng prng_;
  std::map<LogPoint, Place> places_;
  DurableState state_;
  test::Branch final_;
  LogPoint tip_ = test::Branch{}.point(), lock_ = tip_;
  std::uint64_t view_ = 0;
};

void run(std::uint64_t seed) {
  INFO("seed " << seed);
  Prng prng(seed);
  RandomCore core(seed + 1);
  test::TempFolder temp;
  REQUIRE(create_store(temp.path(), test::four_members(), {0}).ok());
  auto disk = test::open_recovered(temp.path(), {"", true, 400});
  auto memory = test::recovered_memory_store();
  for (int round = 0; round < 60; ++round) {
    std::vector<Delta> group;
    for (auto count = 1 + prng.below(5); count > 0; --count) group.push_back(core.next());
    REQUIRE(disk->commit(group).ok());
    for (const auto& delta : group) REQUIRE(memory->commit(std::span(&delta, 1)).ok());
    if (prng.below(8) == 0) REQUIRE(disk->maintain().ok());
    if (prng.below(6) == 0) {
      disk.reset();
      disk = test::open_recovered(temp.path(), {"", true, 400});
    }
    if (prng.below(3) == 0) REQUIRE(test::snapshot(*disk) == test::snapshot(*memory));
  }
  REQUIRE(test::snapshot(*disk) == test::snapshot(*memory));
}

TEST_CASE("random deltas: the disk and the memory store say the same, over restarts") {
  const std::uint64_t seed = Catch::rngSeed() + 1;
  for (std::uint64_t i = 0; i < 12; ++i) run(seed * 1'000 + i);
}

}  // namespace
}  // namespace zell
