// Connections of a whole mesh: how they are made, lost, replaced and reported.

#include <catch2/catch.hpp>

#include "tests/unit/transport/mesh_fixture.h"

namespace zell::test {
namespace {

using Downs = std::vector<std::pair<std::uint16_t, bool>>;

TEST_CASE("a mesh of two, three and four members connects and carries frames both ways") {
  const auto count = GENERATE(2u, 3u, 4u);
  Loop loop;
  const auto genesis = make_genesis(count);
  auto nodes = start_mesh(loop, genesis, count);
  const auto frame = body_of(1'000, 42);
  for (auto& node : nodes) {
    for (std::uint16_t to = 0; to < count; ++to) {
      if (to != node->self.value) REQUIRE(node->transport->send({to}, Lane::normal, frame));
    }
  }
  REQUIRE(loop.run_until([&] {
    return std::all_of(nodes.begin(), nodes.end(), [&](const auto& node) { return node->frames.size() == count - 1; });
  }));
  for (auto& node : nodes) {
    CHECK(node->ups.size() == count - 1);
    CHECK(node->downs.empty());
    for (const auto& [from, body] : node->frames) CHECK(body == *frame);
    const auto stats = node->transport->stats();
    CHECK(stats.unauthenticated == 0);
    for (const auto& [id, peer] : stats.peers) {
      CHECK(peer.times_connected == 1);
      CHECK(peer.frames_received == 1);
      CHECK(peer.frames_sent == 1);
    }
  }
}

TEST_CASE("a port in use is explained") {
  Loop loop;
  const auto genesis = make_genesis(2);
  Node first(loop, genesis, 0);
  REQUIRE(first.transport->start().ok());
  Node second(loop, genesis, 1, {}, {}, first.transport->port());
  const auto status = second.transport->start();
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == "port-in-use");
  CHECK(status.error().what.find(std::to_string(first.transport->port())) != std::string::npos);
}

TEST_CASE("an address that this machine does not have, and another's key, are explained") {
  Loop loop;
  const auto genesis = make_genesis(2);
  struct Quiet final : TransportHandler {
    void on_frame(NodeId, Bytes) override {}
    void on_peer_up(NodeId) override {}
    void on_peer_down(NodeId, bool) override {}
    void on_refused(std::string) override {}
  } quiet;
  Transport far(loop.uv(), genesis, {0}, key_of(0), secp256k1_scheme(), {"192.0.2.1", 0}, {}, {}, quiet);
  CHECK(far.start().error().code == "bad-address");
  Node wrong(loop, genesis, 0, {}, key_of(1));
  CHECK(wrong.transport->start().error().code == "wrong-key");
}

TEST_CASE("peers given by name are looked up") {
  Loop loop;
  const auto genesis = make_genesis(2);
  Node low(loop, genesis, 0);
  Node high(loop, genesis, 1);
  REQUIRE(low.transport->start().ok());
  REQUIRE(high.transport->start().ok());
  high.transport->set_peer({0}, {"no-such-name.invalid", low.transport->port()});
  high.transport->set_peer({0}, {"localhost", low.transport->port()});
  CHECK(loop.run_until([&] { return low.up(1) && high.up(0); }));
}

TEST_CASE("when a member's process is gone, both the one that dials it and the one that it dials learn so at once") {
  Loop loop;
  auto nodes = start_mesh(loop, make_genesis(3), 3);
  nodes[1]->stop();
  REQUIRE(loop.run_until([&] { return !nodes[0]->downs.empty() && !nodes[2]->downs.empty(); },
                         std::chrono::milliseconds(1'000)));
  CHECK(nodes[0]->downs == Downs{{1, true}});
  CHECK(nodes[2]->downs == Downs{{1, true}});
  CHECK_FALSE(nodes[0]->up(1));
  CHECK_FALSE(nodes[2]->up(1));
  loop.run_for(std::chrono::milliseconds(300));
  CHECK(nodes[0]->downs.size() == 1);
  CHECK(nodes[2]->downs.size() == 1);
}

TEST_CASE("a member that comes back is connected again by both sides, however long the back-off has grown") {
  Loop loop;
  const auto genesis = make_genesis(3);
  TransportLimits patient;
  patient.backoff_min_ms = 600'000;
  patient.backoff_max_ms = 600'000;
  auto nodes = start_mesh(loop, genesis, 3, patient);
  const auto port = nodes[1]->transport->port();
  nodes[1]->stop();
  REQUIRE(loop.run_until([&] { return !nodes[0]->downs.empty() && !nodes[2]->downs.empty(); }));
  // What the shortest back-off could have done has been done: from here only the knock shortens the wait.
  loop.run_for(std::chrono::milliseconds(250));
  Node back(loop, genesis, 1, patient, {}, port);
  back.knows(*nodes[0]);
  back.knows(*nodes[2]);
  REQUIRE(back.transport->start().ok());
  REQUIRE(loop.run_until([&] { return back.up(0) && back.up(2) && nodes[0]->up(1) && nodes[2]->up(1); }));
  CHECK(nodes[0]->ups == std::vector<std::uint16_t>{1, 2, 1});
}

TEST_CASE("without a knock, a dialler finds a peer that comes back by its back-off") {
  Loop loop;
  const auto genesis = make_genesis(2);
  Node high(loop, genesis, 1);
  REQUIRE(high.transport->start().ok());
  std::uint16_t port = 0;
  {
    RawPeer reserved(loop);
    port = reserved.listen();
  }
  high.transport->set_peer({0}, {"127.0.0.1", port});
  loop.run_for(std::chrono::milliseconds(120));
  Node low(loop, genesis, 0, {}, {}, port);
  REQUIRE(low.transport->start().ok());
  CHECK(loop.run_until([&] { return high.up(0) && low.up(1); }));
}

TEST_CASE("a broken connection to a process that still listens is no refusal, and is made again at once") {
  Loop loop;
  const auto genesis = make_genesis(2);
  Node high(loop, genesis, 1);
  REQUIRE(high.transport->start().ok());
  RawPeer low(loop);
  high.transport->set_peer({0}, {"127.0.0.1", low.listen()});
  const auto identity = MeshIdentity::make(genesis, {0}, key_of(0), secp256k1_scheme());
  const auto shake = [&] {
    auto handshake = Handshake::accept(*identity, Nonce32{});
    for (int i = 0; i < 2; ++i) low.send(handshake.on_frame(low.receive_frame()).reply);
    return loop.run_until([&] { return high.up(0); });
  };
  REQUIRE(low.accept());
  REQUIRE(shake());
  low.close();
  REQUIRE(low.accept());
  REQUIRE(loop.run_until([&] { return !high.downs.empty(); }));
  CHECK(high.downs == Downs{{0, false}});
  REQUIRE(shake());
  CHECK(high.ups.size() == 2);
}

TEST_CASE("a member that connects anew replaces its old connection, which is reported") {
  Loop loop;
  const auto genesis = make_genesis(2);
  Node low(loop, genesis, 0);
  REQUIRE(low.transport->start().ok());
  const auto identity = MeshIdentity::make(genesis, {1}, key_of(1), secp256k1_scheme());
  RawPeer old(loop);
  old.connect(low.transport->port());
  REQUIRE(old.authenticate(*identity, {0}));
  RawPeer fresh(loop);
  fresh.connect(low.transport->port());
  REQUIRE(fresh.authenticate(*identity, {0}));
  CHECK(old.sees_end());
  CHECK(low.ups.size() == 2);
  CHECK(low.downs == Downs{{1, false}});
  CHECK(low.up(1));
  CHECK(low.closed("replaced") == 1);
}

TEST_CASE("a peer that can't be found out about is reported down after a short wait") {
  Loop loop;
  const auto genesis = make_genesis(2);
  Node low(loop, genesis, 0);
  REQUIRE(low.transport->start().ok());
  const auto identity = MeshIdentity::make(genesis, {1}, key_of(1), secp256k1_scheme());
  RawPeer peer(loop);
  peer.connect(low.transport->port());
  REQUIRE(peer.authenticate(*identity, {0}));
  peer.close();
  REQUIRE(loop.run_until([&] { return !low.downs.empty(); }));
  CHECK(low.downs == Downs{{1, false}});
}

TEST_CASE("closing inside any event leaves nothing open and says nothing more") {
  Loop loop;
  auto nodes = start_mesh(loop, make_genesis(2), 2);
  bool done = false;
  nodes[0]->each_frame = [&](NodeId, const Bytes&) { nodes[0]->transport->close([&] { done = true; }); };
  for (int i = 0; i < 3; ++i) REQUIRE(nodes[1]->transport->send({0}, Lane::urgent, body_of(100, 0)));
  REQUIRE(loop.run_until([&] { return done; }));
  CHECK(nodes[0]->frames.size() == 1);
  CHECK(nodes[0]->downs.empty());
  CHECK_FALSE(nodes[0]->transport->send({1}, Lane::urgent, body_of(100, 0)));
  nodes[0]->transport.reset();
}

TEST_CASE("a transport that is destroyed without being closed takes its handles with it") {
  Loop loop;
  {
    auto nodes = start_mesh(loop, make_genesis(3), 3);
    for (auto& node : nodes) {
      for (std::uint16_t to = 0; to < 3; ++to) {
        if (to != node->self.value) REQUIRE(node->transport->send({to}, Lane::bulk, body_of(20u << 20, 0)));
      }
    }
    loop.run_for(std::chrono::milliseconds(2));
    for (auto& node : nodes) node->transport.reset();
  }
  CHECK(loop.run_until([&] { return loop.open_handles() == 0; }));
}

}  // namespace
}  // namespace zell::test
