// A stopped node's folder, looked at from outside: all of it is checked, and nothing in it changes.

#include "node/storage/inspection.h"

#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/support/chain.h"
#include "tests/unit/storage/fixtures.h"

namespace zell {
namespace {

namespace fs = std::filesystem;
using testing::Chain;

constexpr std::size_t all_batches_are_large = 1;

std::unique_ptr<Store> opened(const fs::path& folder, const Chain& chain) {
  auto store = open_store(folder, chain.genesis, {0}, {"", true, all_batches_are_large});
  REQUIRE(store.ok());
  REQUIRE((*store)->recover([](const Batch&) {}).ok());
  return std::move(*store);
}

void write(Store& store, const Chain& chain, bool forged = false) {
  DurableState state;
  state.active = true;
  state.base = {{0}, empty_root()};
  for (const auto& batch : chain.batches) {
    Delta delta;
    delta.batches = {batch};
    state.tip = batch->header.end;
    delta.state = state;
    delta.fc = chain.certificates.at(batch->header.end.index.value);
    if (forged) delta.fc->signatures[1].signature.bytes[5] ^= 1;
    REQUIRE(store.commit(std::span(&delta, 1)).ok());
  }
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    out[entry.path().filename()] = {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  return out;
}

struct Fixture {
  Fixture() {
    chain.grow(5, 4);
    REQUIRE(create_store(folder, chain.genesis, {0}).ok());
  }
  Result<Inspection> look(const fs::path& at, bool signatures = false) {
    auto open = open_to_inspect(at, chain.genesis);
    if (!open.ok()) return open.error();
    InspectionOptions options;
    options.request_signatures = signatures;
    seen = 0;
    options.visit = [&](const Batch& batch) { seen += batch.requests->size(); };
    return inspect(*open, verifier, options);
  }
  std::string code(const fs::path& at, bool signatures = false) {
    auto found = look(at, signatures);
    return found.ok() ? "" : found.error().code;
  }
  Chain chain;
  Verifier verifier{chain.genesis, secp256k1_scheme(), nullptr};
  test::TempFolder temp;
  fs::path folder = temp.path() / "n 1%?#";
  std::size_t seen = 0;
};

TEST_CASE("a folder is checked to its end, and left as it was") {
  Fixture fixture;
  write(*opened(fixture.folder, fixture.chain), fixture.chain);
  const auto before = contents(fixture.folder);
  auto found = fixture.look(fixture.folder, true);
  REQUIRE(found.ok());
  CHECK(found->final == fixture.chain.tip());
  CHECK(found->certificates == 5);
  CHECK(fixture.seen == 20);
  CHECK(contents(fixture.folder) == before);
}

TEST_CASE("what a crash left in the WAL is seen, and the WAL stays as it was") {
  Fixture fixture;
  const auto copy = fixture.temp.path() / "crashed";
  {
    auto store = opened(fixture.folder, fixture.chain);
    write(*store, fixture.chain);
    CHECK(fixture.code(fixture.folder) == "locked");
    fs::create_directory(copy);
    for (const char* name : {"node.db", "node.db-wal", "node.bodies"}) fs::copy(fixture.folder / name, copy / name);
  }
  REQUIRE(fs::file_size(copy / "node.db-wal") > 0);
  const auto before = contents(copy);
  auto found = fixture.look(copy);
  REQUIRE(found.ok());
  CHECK(found->final == fixture.chain.tip());
  CHECK(contents(copy) == before);
}

TEST_CASE("no node starts on a folder while it is looked at") {
  Fixture fixture;
  auto open = open_to_inspect(fixture.folder, fixture.chain.genesis);
  REQUIRE(open.ok());
  CHECK(open_to_inspect(fixture.folder, fixture.chain.genesis).ok());
  auto store = open_store(fixture.folder, fixture.chain.genesis, {0});
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == "locked");
}

TEST_CASE("a certificate that nobody signed is found, though its seal and its root are right") {
  Fixture fixture;
  write(*opened(fixture.folder, fixture.chain), fixture.chain, true);
  CHECK(opened(fixture.folder, fixture.chain));  // a node does not check its own certificates again
  CHECK(fixture.code(fixture.folder) == "bad-certificate");
}

TEST_CASE("a request that its sender did not sign is found when that is asked for") {
  Fixture fixture;
  auto forged = std::make_shared<Request>(*fixture.chain.request(999, "x"));
  forged->canonical[forged->header_bytes - 10] ^= 1;
  Reader in(forged->canonical);
  fixture.chain.append({read_request(in, fixture.chain.domain, 1 << 20)});
  write(*opened(fixture.folder, fixture.chain), fixture.chain);
  CHECK(fixture.code(fixture.folder).empty());
  CHECK(fixture.code(fixture.folder, true) == "bad-signature");
}

TEST_CASE("a folder without a database, of another cluster, or of a schema that is not known is refused as that") {
  Fixture fixture;
  CHECK(fixture.code(fixture.temp.path()) == "not-found");
  CHECK(open_to_inspect(fixture.folder, test::four_members()).error().code == "foreign");
  for (const auto& [sql, code] : {std::pair("UPDATE meta SET value = 3 WHERE name = 'schema'", "newer-schema"),
                                  std::pair("UPDATE meta SET value = 1 WHERE name = 'schema'", "older-schema"),
                                  std::pair("UPDATE meta SET value = -1 WHERE name = 'schema'", "corrupt")}) {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open((fixture.folder / "node.db").c_str(), &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
    CHECK(fixture.code(fixture.folder) == code);
  }
}

}  // namespace
}  // namespace zell
