// What strangers, impostors and broken members can do on a node's port: be refused, at a bounded cost.

#include <catch2/catch.hpp>

#include "tests/unit/transport/mesh_fixture.h"

namespace zell::test {
namespace {

constexpr std::chrono::milliseconds soon{2'000};

/// Member 0 of two, whom the tests approach as member 1 or as nobody.
struct Target {
  explicit Target(const TransportLimits& limits = {}) : node(loop, genesis, 0, limits) {
    REQUIRE(node.transport->start().ok());
    peer.connect(node.transport->port());
  }
  [[nodiscard]] MeshIdentity member() const { return *MeshIdentity::make(genesis, {1}, key_of(1), secp256k1_scheme()); }
  /// The cause in the refusal that comes next, and then the end.
  [[nodiscard]] std::optional<Cause> refusal() {
    const auto frame = peer.receive();
    if (!frame || !std::holds_alternative<Refusal>(*frame) || !peer.sees_end()) return std::nullopt;
    return std::get<Refusal>(*frame).cause;
  }
  Loop loop;
  Genesis genesis = make_genesis(2);
  Node node;
  RawPeer peer{loop};
};

Bytes hello_of(const Genesis& genesis, std::uint16_t member, std::uint32_t version = wire_version) {
  return encode_handshake(Hello{version, SigningDomain::of(genesis).cluster, {member}, Nonce32{}});
}

TEST_CASE("a stranger is told why it is refused: cluster, version, member") {
  Target target;
  SECTION("another cluster") {
    target.peer.send(hello_of(make_genesis(2, 99), 1));
    CHECK(target.refusal() == Cause::wrong_cluster);
    CHECK(target.node.was_told("wrong-cluster"));
  }
  SECTION("another version") {
    target.peer.send(hello_of(target.genesis, 1, 77));
    CHECK(target.refusal() == Cause::wrong_version);
  }
  SECTION("no member") {
    target.peer.send(hello_of(target.genesis, 2));
    CHECK(target.refusal() == Cause::unknown_member);
  }
  SECTION("the node itself") {
    target.peer.send(hello_of(target.genesis, 0));
    CHECK(target.refusal() == Cause::self_connection);
  }
  CHECK(target.node.ups.empty());
  CHECK(target.node.refusals.size() == 1);
}

TEST_CASE("a peer whose key is no member's is refused, whichever side it is on") {
  Loop loop;
  const auto genesis = make_genesis(2);
  SECTION("as the one that dials") {
    Target target;
    auto impostor = target.member();
    impostor.secret = key_of(5);
    CHECK_FALSE(target.peer.authenticate(impostor, {0}));
    CHECK(target.peer.sees_end());
    CHECK(target.node.closed("bad-proof") == 1);
    CHECK(target.node.ups.empty());
  }
  SECTION("as the one that is dialled") {
    Node high(loop, genesis, 1);
    REQUIRE(high.transport->start().ok());
    RawPeer low(loop);
    high.transport->set_peer({0}, {"127.0.0.1", low.listen()});
    auto impostor = *MeshIdentity::make(genesis, {0}, key_of(0), secp256k1_scheme());
    impostor.secret = key_of(5);
    REQUIRE(low.accept());
    auto handshake = Handshake::accept(impostor, Nonce32{});
    for (int i = 0; i < 2; ++i) low.send(handshake.on_frame(low.receive_frame()).reply);
    CHECK(low.sees_end());
    CHECK(high.closed("bad-proof") == 1);
    CHECK(high.ups.empty());
  }
}

TEST_CASE("what another session said opens no session") {
  Target target;
  const auto identity = target.member();
  auto handshake = Handshake::dial(identity, {0}, Nonce32{});
  const auto hello = handshake.opening();
  target.peer.send(hello);
  const auto proof = handshake.on_frame(target.peer.receive_frame()).reply;
  target.peer.send(proof);
  REQUIRE(target.loop.run_until([&] { return target.node.up(1); }));

  RawPeer replay(target.loop);
  replay.connect(target.node.transport->port());
  replay.send(hello);
  CHECK(std::holds_alternative<Hello>(replay.receive().value()));
  replay.send(proof);
  CHECK(std::get<Refusal>(replay.receive().value()).cause == Cause::bad_proof);
  CHECK(replay.sees_end());
  CHECK(target.node.up(1));
  CHECK(target.node.ups.size() == 1);
}

TEST_CASE("garbage closes the connection at once") {
  Target target;
  SECTION("that reads as a long frame") {
    target.peer.send(as_bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    CHECK(target.peer.sees_end());
    CHECK(target.node.closed("frame-too-long") == 1);
  }
  SECTION("that reads as a frame of 4 GiB") {
    target.peer.send(Bytes(4, 0xff));
    CHECK(target.peer.sees_end());
    CHECK(target.node.closed("frame-too-long") == 1);
  }
  SECTION("of an allowed length") {
    Writer frame;
    frame.sized(Bytes(max_handshake_bytes, 0xab));
    target.peer.send(frame.bytes());
    CHECK(target.refusal() == Cause::malformed);
  }
  SECTION("of no length") {
    target.peer.send(Bytes(4, 0));
    CHECK(target.peer.sees_end());
    CHECK(target.node.closed("malformed") == 1);
  }
  CHECK(target.node.transport->stats().unauthenticated == 0);
}

TEST_CASE("bytes dribbled one at a time don't hold a connection open past the handshake's timeout") {
  TransportLimits limits;
  limits.handshake_timeout_ms = 150;
  Target target(limits);
  const auto hello = hello_of(target.genesis, 1);
  std::size_t sent = 0;
  REQUIRE(target.loop.run_until(
      [&] {
        if (sent + 1 < hello.size()) target.peer.send(ByteView(hello).subspan(sent++, 1));
        return target.node.closed("too-slow") == 1;
      },
      soon));
  CHECK(target.peer.sees_end());
}

TEST_CASE("a member's frame of 4 GiB, or of one byte too many, closes its connection before anything is kept") {
  Target target;
  REQUIRE(target.peer.authenticate(target.member(), {0}));
  REQUIRE(target.loop.run_until([&] { return target.node.up(1); }));
  const auto length = GENERATE(0xffffffffu, max_frame_bytes + 1);
  Writer segment;
  segment.u32(1u << 24 | 1'000);
  segment.u32(length);
  target.peer.send(segment.bytes());
  CHECK(target.peer.sees_end());
  CHECK(target.node.closed("frame-too-long") == 1);
  CHECK_FALSE(target.node.up(1));
  CHECK(target.node.downs.size() == 1);
}

TEST_CASE("a member's segment that the format does not allow closes its connection") {
  Target target;
  REQUIRE(target.peer.authenticate(target.member(), {0}));
  target.peer.send(Bytes(64, 0xee));
  CHECK(target.peer.sees_end());
  CHECK(target.node.closed("bad-segment") == 1);
}

TEST_CASE("idle strangers take up only so many places, and a member gets in all the same") {
  TransportLimits limits;
  limits.max_unauthenticated = 8;
  Target target(limits);
  std::vector<std::unique_ptr<RawPeer>> idle;
  for (int i = 0; i < 20; ++i) {
    idle.push_back(std::make_unique<RawPeer>(target.loop));
    idle.back()->connect(target.node.transport->port());
  }
  REQUIRE(target.loop.run_until([&] { return target.node.transport->stats().accepted == 21; }));
  CHECK(target.node.transport->stats().unauthenticated == 8);
  CHECK(target.node.closed("too-many") == 13);
  RawPeer member(target.loop);
  member.connect(target.node.transport->port());
  CHECK(member.authenticate(target.member(), {0}));
  CHECK(target.loop.run_until([&] { return target.node.up(1); }));
}

TEST_CASE("a cause is logged once, however often it comes, and counted each time") {
  Target target;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    target.peer.connect(target.node.transport->port());
    target.peer.send(hello_of(make_genesis(2, 99), 1));
    REQUIRE(target.peer.sees_end());
    REQUIRE(target.node.closed("wrong-cluster") == i);
  }
  CHECK(target.node.refusals.size() == 1);
}

TEST_CASE("a log line that was held back is counted in the next one") {
  TransportLimits limits;
  limits.refusal_log_period_ms = 100;
  Target target(limits);
  const auto intrude = [&] {
    target.peer.connect(target.node.transport->port());
    target.peer.send(hello_of(make_genesis(2, 99), 1));
    REQUIRE(target.peer.sees_end());
  };
  for (int i = 0; i < 3; ++i) intrude();
  target.loop.run_for(std::chrono::milliseconds(120));
  intrude();
  CHECK(target.node.was_told("(2 more like it"));
}

TEST_CASE("a node whose peers belong to another cluster says so in its own log") {
  Loop loop;
  Node low(loop, make_genesis(2, 1), 0);
  Node high(loop, make_genesis(2, 2), 1);
  REQUIRE(low.transport->start().ok());
  REQUIRE(high.transport->start().ok());
  high.knows(low);
  REQUIRE(loop.run_until([&] { return !high.refusals.empty(); }));
  CHECK(high.was_told("refused-by-peer"));
  CHECK(high.was_told("as wrong-cluster"));
  CHECK(high.was_told("n1"));
}

TEST_CASE("an address that leads to another member, or back to the node, is recognised") {
  Loop loop;
  const auto genesis = make_genesis(3);
  Node first(loop, genesis, 0);
  Node third(loop, genesis, 2);
  REQUIRE(first.transport->start().ok());
  REQUIRE(third.transport->start().ok());
  third.transport->set_peer({1}, {"127.0.0.1", first.transport->port()});
  REQUIRE(loop.run_until([&] { return third.closed("wrong-member") > 0; }));
  third.transport->set_peer({0}, {"127.0.0.1", third.transport->port()});
  REQUIRE(loop.run_until([&] { return third.closed("self-connection") > 0; }));
  CHECK(third.ups.empty());
}

TEST_CASE("a connection that ends before it said anything is no event") {
  Target target;
  target.peer.close();
  REQUIRE(target.loop.run_until([&] { return target.node.closed("ended") == 1; }));
  CHECK(target.node.refusals.empty());
}

}  // namespace
}  // namespace zell::test
