// Making, opening and refusing a data folder.

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "node/storage/sqlite.h"
#include "tests/unit/storage/fixtures.h"

namespace zell {
namespace {

using test::four_members;
using test::TempFolder;

unsigned mode_of(const std::filesystem::path& path) {
  struct stat found{};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

void run_sql(const std::filesystem::path& file, const char* sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  const int code = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  sqlite3_close(db);
  REQUIRE(code == SQLITE_OK);
}

std::string open_code(const std::filesystem::path& folder, const Genesis& genesis = four_members(), NodeId self = {0},
                      const StoreOptions& options = {}) {
  auto store = open_store(folder, genesis, self, options);
  return store.ok() ? "" : store.error().code;
}

TEST_CASE("a new member's store starts in view 0 of the empty log, and is made once") {
  TempFolder temp;
  const auto folder = temp.path() / "a" / "n1";
  REQUIRE(create_store(folder, four_members(), {0}).ok());
  auto again = create_store(folder, four_members(), {0});
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == "exists");

  auto store = open_store(folder, four_members(), {0});
  REQUIRE(store.ok());
  auto recovered = (*store)->recover([](const Batch&) { FAIL("an empty log has no batch"); });
  REQUIRE(recovered.ok());
  CHECK(recovered->state.standing == Standing::member);
  CHECK(recovered->state.active);
  CHECK(recovered->state.tip == LogPoint{{0}, empty_root()});
  CHECK_FALSE(recovered->fc);
}

TEST_CASE("a wiped folder is opened as a learner's, and a stray WAL of the old store is not replayed") {
  TempFolder temp;
  const auto folder = temp.path() / "n1";
  REQUIRE(create_store(folder, four_members(), {0}).ok());
  std::filesystem::path kept = temp.path() / "wal";
  {
    auto store = test::open_recovered(folder);
    Prng prng(1);
    test::Branch branch;
    DurableState state;
    const Delta delta = test::next_delta(prng, branch, state, 3, true);
    REQUIRE(store->commit(std::span(&delta, 1)).ok());
    std::filesystem::copy(folder / "node.db-wal", kept);
  }
  std::filesystem::remove(folder / "node.db");
  std::filesystem::copy(kept, folder / "node.db-wal");
  for (int round = 0; round < 2; ++round) {
    auto store = open_store(folder, four_members(), {0});
    REQUIRE(store.ok());
    auto recovered = (*store)->recover([](const Batch&) { FAIL("the log was wiped"); });
    REQUIRE(recovered.ok());
    CHECK(recovered->state.standing == Standing::learner);
    CHECK_FALSE(recovered->state.active);
  }
}

TEST_CASE("only the owner may read a data folder, and there is no -shm file") {
  TempFolder temp;
  const auto folder = temp.path() / "n1";
  ::umask(0022);
  REQUIRE(create_store(folder, four_members(), {0}).ok());
  CHECK(mode_of(folder) == 0700);
  auto store = test::open_recovered(folder);
  Delta delta;
  delta.evidence = {test::some_evidence(1)};
  REQUIRE(store->commit(std::span(&delta, 1)).ok());
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CAPTURE(entry.path());
    CHECK(mode_of(entry.path()) == 0600);
    CHECK(entry.path().extension() != ".db-shm");
  }
  CHECK(std::filesystem::exists(folder / "node.db-wal"));
}

TEST_CASE("SQLite's settings are read back") {
  TempFolder temp;
  REQUIRE(create_store(temp.path(), four_members(), {0}).ok());
  auto db = Sqlite::open(temp.path() / "node.db", {});
  REQUIRE(db.ok());
  CHECK((*db)->text("PRAGMA journal_mode").value() == "wal");
  CHECK((*db)->text("PRAGMA synchronous").value() == "2");
  CHECK((*db)->text("PRAGMA locking_mode").value() == "exclusive");
}

TEST_CASE("a setting that was not taken is refused") {
  TempFolder temp;
  REQUIRE(create_store(temp.path(), four_members(), {0}).ok());
  run_sql(temp.path() / "node.db", "PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM");
  auto store = open_store(temp.path(), four_members(), {0});
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == "io");
  CHECK(store.error().what.find("page_size is 8192 instead of 4096") != std::string::npos);
}

TEST_CASE("one process at a time holds a data folder, and the refusal names it") {
  TempFolder temp;
  REQUIRE(create_store(temp.path(), four_members(), {0}).ok());
  auto store = open_store(temp.path(), four_members(), {0});
  REQUIRE(store.ok());
  auto second = open_store(temp.path(), four_members(), {0});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == "locked");
  CHECK(second.error().what.find(std::to_string(::getpid())) != std::string::npos);
  CHECK(create_store(temp.path(), four_members(), {0}).error().code == "locked");

  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto other = open_store(temp.path(), four_members(), {0});
    ::_exit(!other.ok() && other.error().code == "locked" ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);

  store->reset();
  CHECK(open_code(temp.path()).empty());
}

TEST_CASE("another cluster's or another node's folder is refused") {
  TempFolder temp;
  REQUIRE(create_store(temp.path(), four_members(), {0}).ok());
  CHECK(open_code(temp.path(), test::another_cluster()) == "foreign");
  CHECK(open_code(temp.path(), four_members(), {1}) == "foreign");
  CHECK(open_code(temp.path()).empty());
}

TEST_CASE("a newer schema is refused, naming both versions; one that never was is corrupt") {
  TempFolder temp;
  REQUIRE(create_store(temp.path(), four_members(), {0}).ok());
  run_sql(temp.path() / "node.db", "UPDATE meta SET value = 12 WHERE name = 'schema'; CREATE TABLE later (x)");
  auto store = open_store(temp.path(), four_members(), {0});
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == "newer-schema");
  CHECK(store.error().hint.find("12") != std::string::npos);
  CHECK(store.error().hint.find("2;") == std::string::npos);
  CHECK(store.error().hint.find("version 2") != std::string::npos);
  run_sql(temp.path() / "node.db", "UPDATE meta SET value = -1 WHERE name = 'schema'");
  CHECK(open_code(temp.path()) == "corrupt");
}

TEST_CASE("an older schema is refused, and it is said what to do") {
  TempFolder temp;
  REQUIRE(create_store(temp.path(), four_members(), {0}).ok());
  run_sql(temp.path() / "node.db", GENERATE("UPDATE meta SET value = 0 WHERE name = 'schema'",
                                            "UPDATE meta SET value = 1 WHERE name = 'schema'"));
  auto store = open_store(temp.path(), four_members(), {0});
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == "older-schema");
  CHECK(store.error().hint.find("run the zell that wrote it") != std::string::npos);
}

TEST_CASE("other tables than a node's are refused") {
  TempFolder temp;
  REQUIRE(create_store(temp.path(), four_members(), {0}).ok());
  run_sql(temp.path() / "node.db", "CREATE INDEX extra ON batch (ids)");
  CHECK(open_code(temp.path()) == "corrupt");
}

TEST_CASE("an unfinished folder is finished, not taken for a store") {
  TempFolder temp;
  std::ofstream(temp.path() / "node.db.new") << "half";
  std::ofstream(temp.path() / "node.db.new-wal") << "half";
  REQUIRE(create_store(temp.path(), four_members(), {0}).ok());
  CHECK_FALSE(std::filesystem::exists(temp.path() / "node.db.new"));
  CHECK_FALSE(std::filesystem::exists(temp.path() / "node.db.new-wal"));
  CHECK(open_code(temp.path()).empty());
}

TEST_CASE("a folder that can't be made is an error that says so") {
  TempFolder temp;
  std::ofstream(temp.path() / "file") << "x";
  CHECK(create_store(temp.path() / "file", four_members(), {0}).error().code == "io");
  CHECK(create_store(temp.path() / "file" / "n1", four_members(), {0}).error().code == "io");
  CHECK(open_code(temp.path() / "file") == "io");
}

}  // namespace
}  // namespace zell
