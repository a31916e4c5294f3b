#include "node/types/genesis.h"

#include <catch2/catch.hpp>
#include <limits>

#include "node/base/prng.h"

using namespace zell;

namespace {

constexpr auto max64 = std::numeric_limits<std::uint64_t>::max();

Genesis with_stakes(const std::vector<std::uint64_t>& stakes) {
  Genesis genesis;
  genesis.chain_id = 31'337;
  for (std::size_t i = 0; i < stakes.size(); ++i) {
    Member member;
    member.name = "n" + std::to_string(i + 1);
    member.key.bytes[0] = 2;
    member.key.bytes[31] = static_cast<std::uint8_t>(i >> 8);
    member.key.bytes[32] = static_cast<std::uint8_t>(i);
    member.stake = stakes[i];
    genesis.members.push_back(member);
  }
  return genesis;
}

Genesis equal_members(std::size_t n) {
  return with_stakes(std::vector<std::uint64_t>(n, 1));
}

MemberSet set_of(std::initializer_list<std::size_t> members) {
  MemberSet set;
  for (auto i : members) set.set(i);
  return set;
}

MemberSet first_members(std::size_t n) {
  MemberSet set;
  for (std::size_t i = 0; i < n; ++i) set.set(i);
  return set;
}

template <class Change>
void check_refused(Change change) {
  auto genesis = equal_members(4);
  change(genesis);
  const auto status = genesis.validate();
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == "bad-genesis");
  CHECK_FALSE(status.error().what.empty());
}

}  // namespace

TEST_CASE("a quorum is more than two thirds, and exactly two thirds is none") {
  const auto three = equal_members(3);
  CHECK_FALSE(three.is_quorum(first_members(2)));
  CHECK(three.is_quorum(first_members(3)));
  const auto four = equal_members(4);
  CHECK_FALSE(four.is_quorum(first_members(2)));
  CHECK(four.is_quorum(first_members(3)));
  const auto six = equal_members(6);
  CHECK_FALSE(six.is_quorum(first_members(4)));
  CHECK(six.is_quorum(first_members(5)));
  CHECK(equal_members(1).is_quorum(first_members(1)));
  CHECK_FALSE(equal_members(1).is_quorum({}));
}

TEST_CASE("a challenge quorum is more than one third, and exactly one third is none") {
  const auto three = equal_members(3);
  CHECK_FALSE(three.is_challenge_quorum(first_members(1)));
  CHECK(three.is_challenge_quorum(first_members(2)));
  const auto four = equal_members(4);
  CHECK_FALSE(four.is_challenge_quorum(first_members(1)));
  CHECK(four.is_challenge_quorum(first_members(2)));
  CHECK_FALSE(equal_members(6).is_challenge_quorum(first_members(2)));
  CHECK(equal_members(6).is_challenge_quorum(first_members(3)));
  CHECK_FALSE(equal_members(4).is_challenge_quorum({}));
}

TEST_CASE("stake counts, not heads") {
  const auto genesis = with_stakes({3, 1, 1, 1});
  CHECK(genesis.total_stake() == 6);
  CHECK(genesis.stake_of(set_of({0, 2})) == 4);
  CHECK_FALSE(genesis.is_quorum(set_of({1, 2, 3})));
  CHECK_FALSE(genesis.is_quorum(set_of({0, 1})));
  CHECK(genesis.is_quorum(set_of({0, 1, 2})));
  CHECK(genesis.is_challenge_quorum(set_of({0})));
  CHECK_FALSE(genesis.is_challenge_quorum(set_of({1, 2})));
}

TEST_CASE("members beyond the genesis have no stake") {
  CHECK(equal_members(3).stake_of(set_of({2, 3, 255})) == 1);
}

TEST_CASE("quorums are exact near 2^64, where 64-bit products would wrap") {
  // 2^64 - 1 is divisible by three.
  const auto third = max64 / 3;
  const auto thirds = with_stakes({third, third, third});
  REQUIRE(thirds.validate().ok());
  CHECK_FALSE(thirds.is_quorum(set_of({0, 1})));
  CHECK_FALSE(thirds.is_challenge_quorum(set_of({0})));
  CHECK(thirds.is_challenge_quorum(set_of({0, 1})));

  const auto tilted = with_stakes({third + 1, third, third - 1});
  CHECK(tilted.is_quorum(set_of({0, 1})));
  CHECK_FALSE(tilted.is_quorum(set_of({0, 2})));
  CHECK(tilted.is_challenge_quorum(set_of({0})));
  CHECK_FALSE(tilted.is_challenge_quorum(set_of({1})));

  const auto giant = with_stakes({max64 - 1, 1});
  CHECK(giant.is_quorum(set_of({0})));
  CHECK_FALSE(giant.is_challenge_quorum(set_of({1})));
}

TEST_CASE("any two quorums share more than a third, and a quorum's rest is no challenge quorum") {
  const std::uint64_t seed = 20'261'122;
  INFO("seed " << seed);
  Prng random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::uint64_t> stakes;
    const auto n = 1 + random.below(9);
    for (std::uint64_t i = 0; i < n; ++i) stakes.push_back(1 + random.below(random.chance(500'000) ? 4 : max64 / 9));
    const auto genesis = with_stakes(stakes);
    const MemberSet a(random.below(1ULL << n)), b(random.below(1ULL << n)), all((1ULL << n) - 1);
    if (genesis.is_quorum(a) && genesis.is_quorum(b)) REQUIRE(genesis.is_challenge_quorum(a & b));
    if (genesis.is_quorum(a)) REQUIRE_FALSE(genesis.is_challenge_quorum(all & ~a));
    // Once less than a third is faulty, the others can go on without it.
    if (Wide{3} * genesis.stake_of(a) < genesis.total_stake()) REQUIRE(genesis.is_quorum(all & ~a));
  }
}

TEST_CASE("tolerated faults are counted from the heaviest member down") {
  for (std::size_t n = 1; n <= 31; ++n) CHECK(equal_members(n).tolerated_faults() == (n - 1) / 3);
  CHECK(with_stakes({3, 1, 1, 1}).tolerated_faults() == 0);
  CHECK(with_stakes({2, 2, 2, 1}).tolerated_faults() == 1);
  CHECK(with_stakes({1, 1, 1, 1, 2}).tolerated_faults() == 0);
  CHECK(with_stakes({1, 1, 1, 1, 1, 2}).tolerated_faults() == 1);
  CHECK(with_stakes({max64}).tolerated_faults() == 0);
}

TEST_CASE("leaders take turns in genesis order") {
  const auto genesis = equal_members(4);
  CHECK(genesis.leader({0}) == NodeId{0});
  CHECK(genesis.leader({3}) == NodeId{3});
  CHECK(genesis.leader({4}) == NodeId{0});
  CHECK(genesis.leader({max64}) == NodeId{3});
}

TEST_CASE("a member is found by its key") {
  const auto genesis = equal_members(256);
  CHECK(genesis.member_with_key(genesis.members[255].key) == NodeId{255});
  auto stranger = genesis.members[0].key;
  stranger.bytes[0] = 3;
  CHECK(genesis.member_with_key(stranger) == std::nullopt);
}

TEST_CASE("sound genesis files of every size are accepted") {
  for (std::size_t n : {1, 4, 7, 31, 256}) CHECK(equal_members(n).validate().ok());
  CHECK(with_stakes({max64 - 1, 1}).validate().ok());
}

TEST_CASE("unsound member sets are refused") {
  check_refused([](Genesis& g) { g.members.clear(); });
  check_refused([](Genesis& g) { g = equal_members(257); });
  check_refused([](Genesis& g) { g.members[1].key = g.members[2].key; });
  check_refused([](Genesis& g) { g.members[1].name = g.members[2].name; });
  check_refused([](Genesis& g) { g.members[3].stake = 0; });
  check_refused([](Genesis& g) { g.members[3].key.bytes[0] = 4; });
  check_refused([](Genesis& g) { g.members[3].key = {}; });
  for (const std::string name : {"", "N1", "n 1", "n1\n", "../x", "n_1", "abcdefghijklmnopqrstuvwxyz0123456"}) {
    check_refused([&](Genesis& g) { g.members[0].name = name; });
  }
  check_refused([](Genesis& g) { g = with_stakes({max64, 1}); });
  check_refused([](Genesis& g) { g = with_stakes({1ULL << 63, 1ULL << 63}); });
  check_refused([](Genesis& g) { g = with_stakes({max64, max64, 2}); });
}

TEST_CASE("names of the signing domain are short and printable") {
  check_refused([](Genesis& g) { g.domain_name.clear(); });
  check_refused([](Genesis& g) { g.domain_version.clear(); });
  check_refused([](Genesis& g) { g.domain_name = std::string(65, 'x'); });
  check_refused([](Genesis& g) { g.domain_version = "1\n"; });
  check_refused([](Genesis& g) { g.cluster_name = std::string(65, 'x'); });
}

TEST_CASE("each parameter's bounds are inclusive, and one step past them is refused") {
  struct Bound {
    std::uint32_t Parameters::* field;
    std::uint32_t low, high;
  };
  // With the default values of the others.
  const Bound bounds[] = {
      {&Parameters::view_timeout_ms, 400, 30'000},
      {&Parameters::view_timeout_cap_ms, 1'000, 3'600'000},
      {&Parameters::heartbeat_ms, 1, 500},
      {&Parameters::censorship_timeout_ms, 1, 600'000},
      {&Parameters::batches_in_flight, 1, 20},
      {&Parameters::batch_max_requests, 1, 65'536},
      {&Parameters::batch_max_bytes, 256 << 10, 20 * (1 << 20) / 8},
      {&Parameters::request_max_bytes, 1 << 10, 1 << 20},
      {&Parameters::forward_quota, 1, 1 << 20},
  };
  for (const auto& bound : bounds) {
    INFO("bounds " << bound.low << ".." << bound.high);
    auto genesis = equal_members(4);
    for (auto value : {bound.low, bound.high}) {
      genesis.parameters.*bound.field = value;
      CHECK(genesis.validate().ok());
    }
    for (auto value : {bound.low - 1, bound.high + 1, std::numeric_limits<std::uint32_t>::max()}) {
      genesis.parameters.*bound.field = value;
      CHECK_FALSE(genesis.validate().ok());
    }
  }
}

TEST_CASE("the bounds that no other parameter narrows hold too") {
  auto genesis = equal_members(4);
  auto& p = genesis.parameters;
  p.heartbeat_ms = 1;
  p.view_timeout_ms = 50;
  CHECK(genesis.validate().ok());
  p.view_timeout_ms = 49;
  CHECK_FALSE(genesis.validate().ok());
  p.view_timeout_ms = p.view_timeout_cap_ms = 600'000;
  CHECK(genesis.validate().ok());
  p.view_timeout_ms = p.view_timeout_cap_ms = 600'001;
  CHECK_FALSE(genesis.validate().ok());

  p = {};
  p.batches_in_flight = 5;
  p.batch_max_bytes = 4 << 20;
  CHECK(genesis.validate().ok());
  p.batches_in_flight = 6;
  CHECK_FALSE(genesis.validate().ok());
  p.batches_in_flight = 1;
  p.batch_max_bytes = (4 << 20) + 1;
  CHECK_FALSE(genesis.validate().ok());

  p = {};
  p.request_max_bytes = 1 << 10;
  p.batch_max_bytes = 4 << 10;
  p.batches_in_flight = 64;
  CHECK(genesis.validate().ok());
  p.batches_in_flight = 65;
  CHECK_FALSE(genesis.validate().ok());
  p.batches_in_flight = 64;
  p.batch_max_bytes = (4 << 10) - 1;
  CHECK_FALSE(genesis.validate().ok());
}

TEST_CASE("the canonical bytes are exactly the documented layout") {
  auto genesis = with_stakes({3, 0x0102030405060708});
  genesis.chain_id = 0x1122334455667788;
  genesis.reference_timestamp = 0x6af8c2d1;
  CHECK(to_hex(genesis.canonical_bytes()) ==
        "7a656c6c2067656e65736973"  // "zell genesis"
        "00000001"
        "1122334455667788"
        "047a656c6c"  // "zell"
        "0131"
        "6af8c2d1"
        "0002"
        "020000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000003"
        "020000000000000000000000000000000000000000000000000000000000000001"
        "0102030405060708"
        "000003e8"
        "00007530"
        "000000c8"
        "000007d0"
        "00000008"
        "00001000"
        "00100000"
        "00040000"
        "00000400");
}

TEST_CASE("labels are not part of the canonical bytes, everything else is") {
  const auto genesis = equal_members(4);
  const auto bytes = genesis.canonical_bytes();
  auto changed = genesis;
  changed.cluster_name = "other";
  changed.members[2].name = "other";
  CHECK(changed.canonical_bytes() == bytes);

  auto differs = [&](auto change) {
    auto other = genesis;
    change(other);
    CHECK(other.canonical_bytes() != bytes);
  };
  differs([](Genesis& g) { ++g.chain_id; });
  differs([](Genesis& g) { g.domain_name = "zel"; });
  differs([](Genesis& g) { g.domain_version = "2"; });
  differs([](Genesis& g) { ++g.reference_timestamp; });
  differs([](Genesis& g) { g.members.pop_back(); });
  differs([](Genesis& g) { std::swap(g.members[0], g.members[1]); });
  differs([](Genesis& g) { ++g.members[3].stake; });
  differs([](Genesis& g) { ++g.parameters.view_timeout_ms; });
  differs([](Genesis& g) { ++g.parameters.forward_quota; });
}

TEST_CASE("those who check a request's signature are a quorum with the leader among them, whoever chose the number") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  Prng random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::uint64_t> stakes(1 + random.below(20));
    for (auto& stake : stakes) stake = random.chance(200) ? max64 / 64 : 1 + random.below(20);
    const auto genesis = with_stakes(stakes);
    const NodeId leader{static_cast<std::uint16_t>(random.below(stakes.size()))};
    const auto chooser = random.next();
    MemberSet checkers;
    for (std::uint16_t i = 0; i < stakes.size(); ++i) checkers[i] = genesis.is_checker({i}, leader, chooser);
    CHECK(checkers[leader.value]);
    CHECK(genesis.is_quorum(checkers));
    // Any other quorum meets them in more than a third of the stake: in a correct member.
    MemberSet rest = ~checkers;
    for (std::size_t i = stakes.size(); i < max_members; ++i) rest[i] = false;
    CHECK_FALSE(genesis.is_challenge_quorum(rest));
  }
}

TEST_CASE("of equal members just a quorum checks, and each as often as the others when it does not lead") {
  for (std::size_t n : {1, 2, 3, 4, 7, 10, 31}) {
    const auto genesis = equal_members(n);
    std::vector<std::size_t> times(n);
    for (std::uint64_t chooser = 0; chooser + 1 < n; ++chooser) {
      std::size_t checkers = 0;
      for (std::uint16_t i = 0; i < n; ++i) {
        const bool checks = genesis.is_checker({i}, {0}, chooser);
        checkers += checks ? 1 : 0;
        times[i] += checks ? 1 : 0;
      }
      CHECK(checkers == 2 * n / 3 + 1);
    }
    for (std::size_t i = 1; i < n; ++i) CHECK(times[i] == 2 * n / 3);
  }
}
