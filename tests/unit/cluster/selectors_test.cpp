#include "cluster/selectors.h"

#include <catch2/catch.hpp>

namespace zell {
namespace {

std::vector<Candidate> four_led_by_n1() {
  return {{"n1", true, true}, {"n2", true, false}, {"n3", true, false}, {"n4", true, false}};
}

std::vector<std::size_t> chosen(std::string_view text, const std::vector<Candidate>& nodes, std::size_t faults = 1) {
  Prng random(7);
  auto result = resolve_selector(text, nodes, faults, random);
  INFO(text << ": " << (result ? "" : result.error().what));
  REQUIRE(result.ok());
  return *result;
}

Error refused(std::string_view text, const std::vector<Candidate>& nodes, std::size_t faults = 1) {
  Prng random(7);
  auto result = resolve_selector(text, nodes, faults, random);
  INFO(text);
  REQUIRE_FALSE(result.ok());
  return result.error();
}

using Positions = std::vector<std::size_t>;

TEST_CASE("each kind of selector names the nodes it says") {
  const auto nodes = four_led_by_n1();
  CHECK(chosen("n2", nodes) == Positions{1});
  CHECK(chosen("leader", nodes) == Positions{0});
  CHECK(chosen("followers", nodes) == Positions{1, 2, 3});
  CHECK(chosen("followers:2", nodes) == Positions{1, 2});
  CHECK(chosen("f", nodes) == Positions{1});
  CHECK(chosen("f+1", nodes) == Positions{1, 2});
  CHECK(chosen("f+1", nodes, 3) == Positions{0, 1, 2, 3});
  CHECK(chosen("all", nodes) == Positions{0, 1, 2, 3});
  CHECK(chosen("random:1", nodes).size() == 1);
  CHECK(chosen("random:4", nodes) == Positions{0, 1, 2, 3});
}

TEST_CASE("a list of selectors names each node once, in genesis order") {
  CHECK(chosen("n4,leader,n4,followers:1", four_led_by_n1()) == Positions{0, 1, 3});
}

TEST_CASE("counted selectors choose only nodes that the action can do something to") {
  auto nodes = four_led_by_n1();
  nodes[1].eligible = false;
  CHECK(chosen("followers", nodes) == Positions{2, 3});
  CHECK(chosen("followers:1", nodes) == Positions{2});
  CHECK(chosen("n2", nodes) == Positions{1});
  CHECK(chosen("all", nodes) == Positions{0, 1, 2, 3});
  CHECK(refused("followers:3", nodes).code == "nothing-selected");
}

TEST_CASE("random:1 chooses every node some time, by the seed alone") {
  const auto nodes = four_led_by_n1();
  std::vector<int> hits(4);
  Prng random(1), again(1);
  for (int i = 0; i < 200; ++i) {
    const auto one = *resolve_selector("random:1", nodes, 1, random);
    CHECK(one == *resolve_selector("random:1", nodes, 1, again));
    ++hits[one.at(0)];
  }
  for (const auto count : hits) CHECK(count > 0);
}

TEST_CASE("a selector that is not understood gets the nearest one") {
  const auto nodes = four_led_by_n1();
  const auto error = refused("leadr", nodes);
  CHECK(error.code == "bad-selector");
  CHECK(error.hint.find("leader") != std::string::npos);
  for (const auto* text : {"", "n5", "n1,,n2", "followers:", "followers:x", "random:-1", "all:2", ",", "leader,"}) {
    CHECK(refused(text, nodes).code == "bad-selector");
  }
}

TEST_CASE("a selector without a node now is told from one that is not understood") {
  auto nodes = four_led_by_n1();
  nodes[0].leader = false;
  CHECK(refused("leader", nodes).code == "nothing-selected");
  CHECK(refused("random:5", nodes).code == "nothing-selected");
  CHECK(refused("random:0", nodes).code == "nothing-selected");
  CHECK(refused("f", nodes, 0).code == "nothing-selected");
}

}  // namespace
}  // namespace zell
