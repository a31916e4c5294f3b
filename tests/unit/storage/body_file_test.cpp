// FORMAT.md, "node.bodies": the requests of large batches, and what of them counts.

#include "node/storage/body_file.h"

#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "node/storage/inspection.h"
#include "tests/unit/storage/fixtures.h"

namespace zell {
namespace {

namespace fs = std::filesystem;

const StoreOptions large_from_1000{"", true, 1'000};

std::string error_code(const fs::path& folder) {
  auto store = open_store(folder, test::four_members(), {0}, large_from_1000);
  return store.ok() ? "" : store.error().code;
}

/// A store of one small and two large batches.
struct Fixture {
  Fixture() {
    REQUIRE(create_store(folder.path(), test::four_members(), {0}).ok());
    auto store = test::open_recovered(folder.path(), large_from_1000);
    for (std::size_t payload_bytes : {40u, 2'000u, 9'000u}) {
      auto delta = test::next_delta(prng, branch, state, 1, true, payload_bytes);
      REQUIRE(store->commit(std::span(&delta, 1)).ok());
      large += payload_bytes >= 1'000 ? delta.batches[0]->request_bytes : 0;
    }
    content = test::snapshot(*store);
  }
  [[nodiscard]] fs::path bodies() const { return folder.path() / "node.bodies"; }

  test::TempFolder folder;
  Prng prng{3};
  test::Branch branch;
  DurableState state;
  std::size_t large = 0;
  Bytes content;
};

}  // namespace

TEST_CASE("large batches are written once, beside the database, for the owner alone; all is read as before") {
  Fixture fixture;
  CHECK(fs::file_size(fixture.bodies()) == fixture.large);
  CHECK(fs::status(fixture.bodies()).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  for (std::size_t threshold : {1u, 1'000u, 1'000'000u}) {  // it is about what is written from now on
    auto store = test::open_recovered(fixture.folder.path(), {"", true, threshold});
    CHECK(test::snapshot(*store) == fixture.content);
  }
}

TEST_CASE("a store without large batches makes no file for them, and one that is left from another life is no matter") {
  test::TempFolder folder;
  std::ofstream(folder.path() / "node.bodies") << "from before the database was lost";
  REQUIRE(create_store(folder.path(), test::four_members(), {0}).ok());
  Prng prng(4);
  test::Branch branch;
  DurableState state;
  Bytes content;
  {
    auto store = test::open_recovered(folder.path(), large_from_1000);
    auto delta = test::next_delta(prng, branch, state, 1, true, 3'000);
    REQUIRE(store->commit(std::span(&delta, 1)).ok());
    content = test::snapshot(*store);
  }
  CHECK(test::snapshot(*test::open_recovered(folder.path())) == content);

  test::TempFolder other;
  REQUIRE(create_store(other.path(), test::four_members(), {0}).ok());
  (void)test::open_recovered(other.path(), large_from_1000);
  CHECK_FALSE(fs::exists(other.path() / "node.bodies"));
}

TEST_CASE("a file that is missing or too short is refused at the start, and the hint says what to do") {
  Fixture fixture;
  fs::resize_file(fixture.bodies(), fixture.large - 1);
  auto store = open_store(fixture.folder.path(), test::four_members(), {0}, large_from_1000);
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == "corrupt");
  CHECK(store.error().what.find("node.bodies") != std::string::npos);
  CHECK(store.error().hint.find("move the node's data folder away") != std::string::npos);
  fs::remove(fixture.bodies());
  CHECK(error_code(fixture.folder.path()) == "corrupt");
}

TEST_CASE("rows that say where nothing is are corrupt, whatever they say") {
  Fixture fixture;
  const std::string large_rows = " WHERE place IS NOT NULL";
  const std::string change = GENERATE_COPY(
      std::string("DELETE FROM record WHERE id = 5"), "UPDATE batch SET bytes = 0" + large_rows,
      "DELETE FROM record WHERE id = 5; UPDATE batch SET bytes = 0, place = 0" + large_rows,
      "DELETE FROM record WHERE id = 5; UPDATE batch SET bytes = 0, place = NULL" + large_rows,
      "UPDATE batch SET bytes = -1" + large_rows, "UPDATE batch SET bytes = 9223372036854775807" + large_rows,
      "UPDATE batch SET bytes = bytes + 1" + large_rows, "UPDATE batch SET place = -1" + large_rows,
      "UPDATE batch SET place = 9223372036854775807" + large_rows, "UPDATE batch SET place = place + 1" + large_rows,
      "UPDATE batch SET place = NULL" + large_rows, "UPDATE batch SET place = 'x', bytes = 'x'" + large_rows,
      "UPDATE batch SET requests = x'00'" + large_rows, std::string("UPDATE batch SET place = 0 WHERE place IS NULL"),
      std::string("UPDATE batch SET requests = NULL WHERE place IS NULL"),
      std::string("UPDATE batch SET bytes = bytes + 1 WHERE place IS NULL"));
  CAPTURE(change);
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open((fixture.folder.path() / "node.db").c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db, change.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  {
    auto looked = open_to_inspect(fixture.folder.path(), test::four_members());
    REQUIRE(looked.ok());
    const Verifier verifier(test::four_members(), secp256k1_scheme(), nullptr);
    auto found = inspect(*looked, verifier, {});
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().code == "corrupt");
  }
  auto store = open_store(fixture.folder.path(), test::four_members(), {0}, large_from_1000);
  REQUIRE(store.ok());
  auto recovered = (*store)->recover([](const Batch&) {});
  REQUIRE_FALSE(recovered.ok());
  CHECK(recovered.error().code == "corrupt");
}

TEST_CASE("a file that is missing or too short is refused by whoever only looks, too, and nothing is made") {
  Fixture fixture;
  fs::remove(fixture.bodies());
  auto looked = open_to_inspect(fixture.folder.path(), test::four_members());
  REQUIRE_FALSE(looked.ok());
  CHECK(looked.error().code == "corrupt");
  CHECK_FALSE(fs::exists(fixture.bodies()));
}

TEST_CASE("what a commit that never was left behind the end is written over") {
  Fixture fixture;
  std::ofstream(fixture.bodies(), std::ios::app) << std::string(50'000, 'x');
  auto store = test::open_recovered(fixture.folder.path(), large_from_1000);
  auto delta = test::next_delta(fixture.prng, fixture.branch, fixture.state, 2, true, 1'500);
  REQUIRE(store->commit(std::span(&delta, 1)).ok());
  const auto content = test::snapshot(*store);
  store.reset();
  CHECK(test::snapshot(*test::open_recovered(fixture.folder.path())) == content);
  CHECK(fs::file_size(fixture.bodies()) == fixture.large + 50'000);
}

}  // namespace zell
