// PROTOCOL.md, "What must be on disk before what": what a commit returned Ok for is there after a power cut, and the
// commit that was cut short is there whole or not at all.

#include <catch2/catch.hpp>

#include "tests/support/power_loss_vfs.h"
#include "tests/unit/storage/fixtures.h"

namespace zell {
namespace {

using test::PowerLossDisk;

/// Every sixth batch is as large as this, and lies in node.bodies.
constexpr std::size_t large = 10'000;

/// A run of commits, each a group of deltas, and what a store says after each.
struct Script {
  std::vector<std::vector<Delta>> groups;
  std::vector<Bytes> expected;  // [i]: after i groups
};

/// Small commits, branches that are dropped, large ones: with the checkpoints that they bring about.
Script make_script() {
  Script out;
  Prng prng(42);
  test::Branch branch;
  DurableState state;
  auto model = test::recovered_memory_store();
  out.expected.push_back(test::snapshot(*model));
  for (std::uint64_t i = 0; i < 24; ++i) {
    std::vector<Delta> group;
    if (i % 5 == 2) {
      test::Branch side = branch;
      Delta added;
      added.batches.push_back(side.extend(prng, {1}, 2, i >= 12 ? 12'000 : 40));
      added.evidence.push_back(test::some_evidence(i));
      group.push_back(std::move(added));
      if (i % 2 == 0) {
        Delta dropped;
        dropped.dropped.insert(side.point());
        group.push_back(std::move(dropped));
      }
    }
    const std::size_t payload_bytes = i % 6 == 5 ? 30'000 : 40;
    group.push_back(test::next_delta(prng, branch, state, 1 + prng.below(4), i % 3 != 0, payload_bytes));
    if (i % 7 == 3) group.back().entry_proof = test::some_entry_proof({i});
    REQUIRE(model->commit(group).ok());
    out.groups.push_back(std::move(group));
    out.expected.push_back(test::snapshot(*model));
  }
  return out;
}

const Script& script() {
  static const Script made = make_script();
  return made;
}

/// A new member's folder, copied from one that was made once: making it syncs a lot.
class NewFolder {
 public:
  NewFolder() {
    static const test::TempFolder made;
    static const bool ok = create_store(made.path(), test::four_members(), {0}).ok();
    REQUIRE(ok);
    std::filesystem::copy(made.path() / "node.db", temp_.path());
  }
  [[nodiscard]] const std::filesystem::path& path() const { return temp_.path(); }

 private:
  test::TempFolder temp_;
};

/// Commits and upkeep until an error; how many commits returned Ok. Closes the store.
std::size_t play(const std::filesystem::path& folder, const StoreOptions& options, bool& poisoned_as_it_should) {
  auto store = open_store(folder, test::four_members(), {0}, options);
  poisoned_as_it_should = true;
  if (!store.ok()) return 0;
  if (!(*store)->recover([](const Batch&) {}).ok()) return 0;
  std::size_t done = 0;
  for (const auto& group : script().groups) {
    auto status = (*store)->commit(group);
    if (!status.ok()) {
      // What failed is never retried as if it had not happened.
      auto again = (*store)->commit(group);
      const auto& code = status.error().code;
      poisoned_as_it_should = (code == "io" || code == "disk-full") && !again.ok() && again.error().code == code;
      break;
    }
    ++done;
    if (done % 8 == 0 && !(*store)->maintain().ok()) break;
  }
  return done;
}

std::uint64_t events_of_a_whole_run(bool synchronous_full) {
  NewFolder temp;
  PowerLossDisk disk(0);
  bool poisoned = false;
  REQUIRE(play(temp.path(), {disk.vfs_name(), synchronous_full, large}, poisoned) == script().groups.size());
  return disk.events();
}

/// What the store says after the power came back.
Bytes after_reboot(const std::filesystem::path& folder) {
  PowerLossDisk disk(0);  // spares the real syncs
  auto store = open_store(folder, test::four_members(), {0}, {disk.vfs_name(), true, large});
  if (!store.ok()) FAIL(store.error().code << ": " << store.error().what);
  return test::snapshot(**store);
}

/// Number of commits lost at a cut before each event.
std::uint64_t lost_commits(bool synchronous_full, PowerLossDisk::Cut cut, std::uint64_t stride) {
  const auto events = events_of_a_whole_run(synchronous_full);
  std::uint64_t lost = 0;
  for (std::uint64_t event = 1; event <= events; event += stride) {
    NewFolder temp;
    std::size_t done = 0;
    {
      PowerLossDisk disk(event);
      disk.cut_power_at(event, cut);
      bool poisoned = false;
      done = play(temp.path(), {disk.vfs_name(), synchronous_full, large}, poisoned);
      REQUIRE(disk.is_off());
      REQUIRE(poisoned);
    }
    INFO("power cut before event " << event << " of " << events << ", " << done << " commits done");
    if (!synchronous_full) {
      auto store = open_store(temp.path(), test::four_members(), {0});
      if (!store.ok() || !(*store)->recover([](const Batch&) {}).ok()) {
        ++lost;
        continue;
      }
      if (test::snapshot(**store) != script().expected[done]) ++lost;
      continue;
    }
    const auto found = after_reboot(temp.path());
    const bool in_flight_too = done < script().groups.size() && found == script().expected[done + 1];
    REQUIRE((found == script().expected[done] || in_flight_too));
  }
  return lost;
}

TEST_CASE("a power cut at any write or sync loses nothing that was committed: all unsynced writes lost") {
  REQUIRE(events_of_a_whole_run(true) > 50);
  lost_commits(true, PowerLossDisk::Cut::nothing, 1);
}

TEST_CASE("a power cut at any write or sync loses nothing that was committed: unsynced sectors torn and reordered") {
  lost_commits(true, PowerLossDisk::Cut::some, 1);
}

TEST_CASE("a power cut at any write or sync loses nothing that was committed: unsynced writes reached the disk") {
  lost_commits(true, PowerLossDisk::Cut::everything, 3);
}

TEST_CASE("the power cuts do show what is not synced: synchronous = OFF loses commits") {
  CHECK(lost_commits(false, PowerLossDisk::Cut::nothing, 1) > 10);
}

TEST_CASE("power cuts during recovery from a power cut lose nothing either") {
  const auto events = events_of_a_whole_run(true);
  for (std::uint64_t event = 2; event <= events; event += 3) {
    NewFolder temp;
    std::size_t done = 0;
    bool poisoned = false;
    {
      PowerLossDisk disk(event);
      disk.cut_power_at(event, PowerLossDisk::Cut::some);
      done = play(temp.path(), {disk.vfs_name(), true, large}, poisoned);
    }
    for (std::uint64_t second = 1; second < 4; ++second) {
      PowerLossDisk disk(second);
      disk.cut_power_at(second, PowerLossDisk::Cut::some);
      auto store = open_store(temp.path(), test::four_members(), {0}, {disk.vfs_name(), true, large});
      if (store.ok()) (void)(*store)->recover([](const Batch&) {});
    }
    INFO("event " << event);
    const auto found = after_reboot(temp.path());
    REQUIRE(
        (found == script().expected[done] || (done < script().groups.size() && found == script().expected[done + 1])));
  }
}

TEST_CASE("a write or sync that fails poisons the store, and what was committed is there after a restart") {
  const auto events = events_of_a_whole_run(true);
  for (auto fault :
       {PowerLossDisk::Fault::write_error, PowerLossDisk::Fault::disk_full, PowerLossDisk::Fault::sync_error}) {
    for (std::uint64_t event = 1; event <= events; event += 2) {
      NewFolder temp;
      std::size_t done = 0;
      INFO("fault " << static_cast<int>(fault) << " from event " << event << " of " << events);
      {
        PowerLossDisk disk(event);
        disk.fail_from(event, fault);
        bool poisoned = false;
        done = play(temp.path(), {disk.vfs_name(), true, large}, poisoned);
        REQUIRE(poisoned);
        if (done < script().groups.size()) REQUIRE(disk.has_failed());
        disk.cut_power(event % 4 == 1 ? PowerLossDisk::Cut::some : PowerLossDisk::Cut::nothing);
      }
      const auto found = after_reboot(temp.path());
      REQUIRE((found == script().expected[done] ||
               (done < script().groups.size() && found == script().expected[done + 1])));
    }
  }
}

TEST_CASE("a power cut while a store is made leaves a whole one or none") {
  std::uint64_t cuts = 0;
  for (auto cut : {PowerLossDisk::Cut::nothing, PowerLossDisk::Cut::some, PowerLossDisk::Cut::everything}) {
    for (std::uint64_t event = 1; event < 100; ++event) {
      test::TempFolder temp;
      PowerLossDisk disk(event);
      disk.cut_power_at(event, cut);
      const bool made = create_store(temp.path(), test::four_members(), {0}, {disk.vfs_name(), true, large}).ok();
      INFO("event " << event << ", cut " << static_cast<int>(cut));
      if (!made) {
        ++cuts;
        REQUIRE_FALSE(std::filesystem::exists(temp.path() / "node.db"));
        continue;
      }
      disk.cut_power(cut);
      REQUIRE(after_reboot(temp.path()) == script().expected[0]);
      if (disk.events() < event) break;  // all of its events were tried
    }
  }
  CHECK(cuts > 20);
}

TEST_CASE("after a failed commit reads go on, from before it; that the disk is full is told from other failures") {
  const auto [fault, code] = GENERATE(std::pair(PowerLossDisk::Fault::sync_error, std::string("io")),
                                      std::pair(PowerLossDisk::Fault::disk_full, std::string("disk-full")));
  NewFolder temp;
  PowerLossDisk disk(1);
  auto store = test::open_recovered(temp.path(), {disk.vfs_name(), true, large});
  Prng prng(1);
  test::Branch branch;
  DurableState state;
  const std::size_t payload_bytes = GENERATE(40u, 30'000u);  // in the database, and beside it
  const Delta first = test::next_delta(prng, branch, state, 3, true, payload_bytes);
  const Delta second = test::next_delta(prng, branch, state, 3, true, payload_bytes);
  REQUIRE(store->commit(std::span(&first, 1)).ok());
  disk.fail_from(disk.events() + 1, fault);
  auto failed = store->commit(std::span(&second, 1));
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == code);
  CHECK_FALSE(store->maintain().ok());

  auto range = store->read_finalised({1}, 1 << 20);
  REQUIRE(range.ok());
  REQUIRE(range->batches.size() == 1);
  CHECK(range->fc->point == first.fc->point);
  CHECK(store->read_certified({0}, 1 << 20)->fc->point == first.fc->point);
  CHECK(store->find_request((*first.batches[0]->requests)[1]->id).value() == Index{2});
  CHECK(store->find_request((*second.batches[0]->requests)[1]->id).value() == std::nullopt);
}

}  // namespace
}  // namespace zell
