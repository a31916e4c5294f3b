// Outside bytes: whatever happened to node.db, opening it is refused or its content is what was stored.

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/unit/storage/fixtures.h"

namespace zell {
namespace {

Bytes read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& file, ByteView bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// A closed store of some hundred kilobytes with everything in it, and what it says.
struct Sample {
  Bytes file;
  Bytes large;  ///< node.bodies
  Bytes content;
  std::vector<Bytes> bodies;  // of finalised requests
};

Sample make_sample() {
  Sample out;
  test::TempFolder temp;
  REQUIRE(create_store(temp.path(), test::four_members(), {0}).ok());
  {
    auto store = test::open_recovered(temp.path(), {"", true, 5'000});
    Prng prng(5);
    test::Branch branch;
    DurableState state;
    for (std::uint64_t i = 0; i < 30; ++i) {
      auto delta = test::next_delta(prng, branch, state, 1 + i % 4, i % 3 == 0 && i < 28, i % 10 == 7 ? 9'000 : 60);
      if (i == 4) delta.entry_proof = test::some_entry_proof({i});
      if (i % 8 == 0) delta.evidence.push_back(test::some_evidence(i));
      if (i < 28) {
        for (const auto& request : *delta.batches[0]->requests) out.bodies.emplace_back(request->canonical);
      }
      test::Branch side = branch;
      delta.batches.push_back(side.extend(prng, {1}, 1));
      REQUIRE(store->commit(std::span(&delta, 1)).ok());
    }
    out.content = test::snapshot(*store);
  }
  out.file = read_file(temp.path() / "node.db");
  out.large = read_file(temp.path() / "node.bodies");
  REQUIRE(out.large.size() > 20'000);
  REQUIRE_FALSE(std::filesystem::exists(temp.path() / "node.db-wal"));
  return out;
}

const Sample& sample() {
  static const Sample made = make_sample();
  return made;
}

enum class Outcome { refused, harmless, changed };

/// Opens the bytes as node.db and node.bodies, and uses every call.
Outcome try_open(ByteView file, ByteView large = sample().large) {
  test::TempFolder temp;
  write_file(temp.path() / "node.db", file);
  write_file(temp.path() / "node.bodies", large);
  auto store = open_store(temp.path(), test::four_members(), {0});
  if (!store.ok()) {
    CHECK_FALSE(store.error().what.empty());
    CHECK_FALSE(store.error().hint.empty());
    return Outcome::refused;
  }
  auto recovered = (*store)->recover([](const Batch&) {});
  if (!recovered.ok()) {
    CHECK((recovered.error().code == "corrupt" || recovered.error().code == "io"));
    return Outcome::refused;
  }
  const auto outcome = test::snapshot(**store) == sample().content ? Outcome::harmless : Outcome::changed;
  // A store that was taken for sound takes commits, or says that it can't.
  test::Branch branch{recovered->finalised};
  Prng prng(6);
  auto delta = test::next_delta(prng, branch, recovered->state, 20, true, 500);
  auto status = (*store)->commit(std::span(&delta, 1));
  if (status.ok()) CHECK((*store)->recover([](const Batch&) {}).ok());
  return outcome;
}

TEST_CASE("a file cut off anywhere is refused") {
  const auto& file = sample().file;
  std::vector<std::size_t> lengths = {0, 1, 15, 16, 17, 99, 100, 101, 511, 512, 4'095, 4'096, 4'097, file.size() - 1};
  for (std::size_t length = 4'096; length < file.size(); length += 4'096 * 3) lengths.push_back(length);
  for (std::size_t length = 1'000; length < file.size(); length += 9'973) lengths.push_back(length);
  for (auto length : lengths) {
    INFO("length " << length << " of " << file.size());
    CHECK(try_open(ByteView(file).first(length)) == Outcome::refused);
  }
}

TEST_CASE("large batches cut off anywhere, or gone, are refused; what no commit wrote behind them does no harm") {
  const auto& large = sample().large;
  for (std::size_t length = 0; length < large.size(); length += 997) {
    INFO("length " << length << " of " << large.size());
    CHECK(try_open(sample().file, ByteView(large).first(length)) == Outcome::refused);
  }
  auto longer = large;
  longer.resize(large.size() + 5'000, 0xab);
  CHECK(try_open(sample().file, longer) == Outcome::harmless);
}

TEST_CASE("a flipped bit in a large batch is noticed") {
  const auto seed = Catch::rngSeed() + 2;
  CAPTURE(seed);
  Prng prng(seed);
  for (int i = 0; i < 200; ++i) {
    auto large = sample().large;
    const auto at = prng.below(large.size());
    large[at] ^= static_cast<std::uint8_t>(1u << prng.below(8));
    INFO("byte " << at);
    CHECK(try_open(sample().file, large) == Outcome::refused);
  }
}

TEST_CASE("garbage is refused") {
  Prng prng(7);
  for (std::size_t length : {10u, 4'096u, 100'000u}) {
    Bytes garbage(length);
    for (auto& byte : garbage) byte = static_cast<std::uint8_t>(prng.next());
    CHECK(try_open(garbage) == Outcome::refused);
    // The same behind SQLite's magic.
    std::copy(sample().file.begin(),
              sample().file.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(length, 100)), garbage.begin());
    CHECK(try_open(garbage) == Outcome::refused);
  }
}

TEST_CASE("a flipped bit anywhere is noticed or harmless") {
  const auto seed = Catch::rngSeed() + 1;
  CAPTURE(seed);
  Prng prng(seed);
  std::size_t refused = 0, harmless = 0;
  for (int i = 0; i < 600; ++i) {
    auto file = sample().file;
    // Half of them where the structure is: the first bytes of a page.
    auto at = prng.below(file.size());
    if (i % 2 == 0) at = std::min<std::uint64_t>(at / 4'096 * 4'096 + prng.below(120), file.size() - 1);
    const auto bit = static_cast<std::uint8_t>(1u << prng.below(8));
    file[at] ^= bit;
    INFO("bit " << int(bit) << " of byte " << at);
    const auto outcome = try_open(file);
    CHECK(outcome != Outcome::changed);
    (outcome == Outcome::refused ? refused : harmless) += 1;
  }
  CHECK(refused > 100);
}

TEST_CASE("damage to a finalised request is always noticed") {
  const auto& file = sample().file;
  Prng prng(8);
  std::size_t tried = 0;
  for (const auto& body : sample().bodies) {
    // Requests lie in one piece unless they cross a page.
    auto found = std::search(file.begin(), file.end(), body.begin(), body.end());
    if (found == file.end()) found = std::search(file.begin(), file.end(), body.begin(), body.begin() + 100);
    if (found == file.end()) continue;
    auto damaged = file;
    const auto length = std::min<std::size_t>(body.size(), 100);
    damaged[static_cast<std::size_t>(found - file.begin()) + prng.below(length)] ^= 0x10;
    CHECK(try_open(damaged) == Outcome::refused);
    ++tried;
  }
  CHECK(tried > 20);
}

}  // namespace
}  // namespace zell
