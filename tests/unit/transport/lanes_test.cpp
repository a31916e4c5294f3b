// What is queued for a peer: order, urgency, bounds, and what happens when the peer does not read.

#include <catch2/catch.hpp>

#include "tests/unit/transport/mesh_fixture.h"

namespace zell::test {
namespace {

struct Two {
  explicit Two(const TransportLimits& limits = {}) : nodes(start_mesh(loop, genesis, 2, limits)) {}
  Node& a() { return *nodes[0]; }
  Node& b() { return *nodes[1]; }
  bool a_sends(Lane lane, std::size_t size, std::uint8_t fill = 0) {
    return a().transport->send({1}, lane, body_of(size, fill));
  }
  PeerStats a_stats() { return a().transport->stats().peers.at({1}); }
  Loop loop;
  Genesis genesis = make_genesis(2);
  std::vector<std::unique_ptr<Node>> nodes;
};

TEST_CASE("an urgent frame overtakes the bulk that a stalled reader has not taken yet") {
  Two two;
  two.b().transport->pause_reading({0});
  REQUIRE(two.a_sends(Lane::bulk, 23u << 20, 1));
  REQUIRE(two.a_sends(Lane::bulk, 23u << 20, 2));
  two.loop.run_for(std::chrono::milliseconds(20));
  REQUIRE(two.a_sends(Lane::normal, 1u << 20, 3));
  REQUIRE(two.a_sends(Lane::urgent, 200, 4));
  two.b().transport->resume_reading({0});
  REQUIRE(two.loop.run_until([&] { return two.b().frames.size() == 4; }));
  std::vector<int> order;
  for (const auto& [from, body] : two.b().frames) order.push_back(body[0]);
  CHECK(order == std::vector{4, 3, 1, 2});
}

TEST_CASE("a lane takes no more than its limit; what it drops is counted, and later frames arrive again") {
  TransportLimits limits;
  limits.lane_bytes = {1u << 20, 2u << 20, 4u << 20};
  Two two(limits);
  two.b().transport->pause_reading({0});
  for (auto lane : {Lane::urgent, Lane::normal, Lane::bulk}) {
    const auto index = index_of(lane);
    std::uint64_t accepted = 0;
    // The kernel takes some first, so a round of the loop now and then.
    bool full = false;
    for (int i = 0; i < 10'000 && !full; ++i) {
      full = !two.a_sends(lane, 100'000);
      accepted += full ? 0 : 1;
      if (i % 8 == 7) two.loop.run_for(std::chrono::milliseconds(1));
    }
    CHECK(full);
    const auto stats = two.a_stats();
    CHECK(stats.queued_bytes[index] <= limits.lane_bytes[index]);
    CHECK(two.a().transport->queued_bytes({1}, lane) == stats.queued_bytes[index]);
    CHECK(stats.dropped_frames[index] == 1);
    CHECK(accepted >= 10);
  }
  two.b().transport->resume_reading({0});
  REQUIRE(two.loop.run_until([&] { return two.a_stats().queued_bytes == std::array<std::size_t, 3>{}; }));
  REQUIRE(two.a_sends(Lane::urgent, 7, 9));
  CHECK(two.loop.run_until([&] { return two.b().frames.back().second == Bytes(7, 9); }));
}

TEST_CASE("a frame longer than allowed, empty, or for nobody is not queued") {
  Two two;
  CHECK_FALSE(two.a_sends(Lane::bulk, max_frame_bytes + 1));
  CHECK_FALSE(two.a_sends(Lane::urgent, (8u << 20) + 1));
  CHECK_FALSE(two.a_sends(Lane::normal, 0));
  CHECK(two.a_sends(Lane::bulk, max_frame_bytes));
  CHECK(two.loop.run_until([&] { return two.b().frames.size() == 1; }));
  two.nodes[1]->stop();
  REQUIRE(two.loop.run_until([&] { return !two.a().up(1); }));
  CHECK_FALSE(two.a_sends(Lane::normal, 10));
  CHECK(two.a_stats().dropped_frames == std::array<std::uint64_t, 3>{1, 2, 1});
}

TEST_CASE("one frame for several peers is shared by their queues, not copied") {
  Loop loop;
  auto nodes = start_mesh(loop, make_genesis(4), 4);
  const auto frame = body_of(1u << 20, 5);
  for (std::uint16_t to = 1; to < 4; ++to) REQUIRE(nodes[0]->transport->send({to}, Lane::normal, frame));
  CHECK(frame.use_count() == 4);
  REQUIRE(loop.run_until([&] {
    return std::all_of(nodes.begin() + 1, nodes.end(), [](const auto& node) { return node->frames.size() == 1; });
  }));
  CHECK(frame.use_count() == 1);
}

TEST_CASE("a handler that pauses gets no frame more, not even of the same read, until it resumes") {
  Two two;
  two.b().each_frame = [&](NodeId from, const Bytes&) { two.b().transport->pause_reading(from); };
  for (std::uint8_t i = 0; i < 5; ++i) REQUIRE(two.a_sends(Lane::normal, 10, i));
  for (std::size_t expected = 1; expected <= 5; ++expected) {
    REQUIRE(two.loop.run_until([&] { return two.b().frames.size() == expected; }));
    two.loop.run_for(std::chrono::milliseconds(5));
    REQUIRE(two.b().frames.size() == expected);
    two.b().transport->resume_reading({0});
  }
  for (std::uint8_t i = 0; i < 5; ++i) CHECK(two.b().frames[i].second == Bytes(10, i));
}

TEST_CASE("a peer that takes nothing while data waits for it is given up") {
  TransportLimits limits;
  limits.stall_timeout_ms = 300;
  Loop loop;
  const auto genesis = make_genesis(2);
  Node low(loop, genesis, 0, limits);
  REQUIRE(low.transport->start().ok());
  RawPeer deaf(loop);
  deaf.connect(low.transport->port());
  REQUIRE(deaf.authenticate(*MeshIdentity::make(genesis, {1}, key_of(1), secp256k1_scheme()), {0}));
  REQUIRE(loop.run_until([&] { return low.up(1); }));
  SECTION("but not while there is nothing to take") {
    loop.run_for(std::chrono::milliseconds(700));
    CHECK(low.up(1));
  }
  SECTION("and its queue is dropped and counted") {
    for (int i = 0; i < 3; ++i) REQUIRE(low.transport->send({1}, Lane::bulk, body_of(20u << 20, 0)));
    REQUIRE(loop.run_until([&] { return !low.downs.empty(); }));
    CHECK(low.downs == std::vector<std::pair<std::uint16_t, bool>>{{1, false}});
    CHECK(low.closed("stalled") == 1);
    CHECK(low.transport->stats().peers.at({1}).dropped_frames[2] == 3);
    CHECK(low.was_told("n2"));
  }
}

TEST_CASE("what is sent as soon as a peer is up reaches it, on both sides") {
  Loop loop;
  const auto genesis = make_genesis(2);
  Node low(loop, genesis, 0);
  Node high(loop, genesis, 1);
  for (auto* node : {&low, &high}) {
    node->each_up = [node](NodeId peer) { CHECK(node->transport->send(peer, Lane::urgent, body_of(50, 6))); };
    REQUIRE(node->transport->start().ok());
  }
  high.knows(low);
  REQUIRE(loop.run_until([&] { return low.frames.size() == 1 && high.frames.size() == 1; }));
}

TEST_CASE("a hundred thousand small frames arrive in order") {
  constexpr std::uint32_t count = 100'000;
  Two two;
  std::uint32_t expected = 0;
  bool in_order = true;
  two.b().each_frame = [&](NodeId, const Bytes& body) { in_order = in_order && Reader(body).u32() == expected++; };
  for (std::uint32_t i = 0; i < count; ++i) {
    Writer body;
    body.u32(i);
    body.raw(Bytes(180, 0));
    REQUIRE(two.a().transport->send({1}, Lane::normal, std::make_shared<const Bytes>(body.take())));
  }
  REQUIRE(two.loop.run_until([&] { return expected == count; }, std::chrono::seconds(60)));
  CHECK(in_order);
}

}  // namespace
}  // namespace zell::test
