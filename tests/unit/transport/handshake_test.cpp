// The handshake without sockets: every claim in it is checked, and nothing can be replayed or reflected.

#include "node/transport/handshake.h"

#include <catch2/catch.hpp>

#include "node/wire/codec.h"
#include "tests/unit/transport/mesh_fixture.h"

namespace zell {
namespace {

using test::key_of;
using test::make_genesis;

MeshIdentity identity_of(const Genesis& genesis, std::uint16_t self) {
  auto made = MeshIdentity::make(genesis, {self}, key_of(self), secp256k1_scheme());
  REQUIRE(made.ok());
  return *made;
}

Nonce32 nonce_of(std::uint8_t fill) {
  Nonce32 nonce;
  nonce.bytes.fill(fill);
  return nonce;
}

ByteView body_of(const Bytes& frame) {
  return ByteView(frame).subspan(4);
}

struct Pair {
  Genesis genesis = make_genesis(4);
  MeshIdentity low = identity_of(genesis, 0);
  MeshIdentity high = identity_of(genesis, 1);
  Handshake dialler = Handshake::dial(high, {0}, nonce_of(1));
  Handshake acceptor = Handshake::accept(low, nonce_of(2));
};

Bytes hello(const Genesis& genesis, std::uint16_t member, std::uint32_t version = wire_version) {
  return encode_handshake(Hello{version, SigningDomain::of(genesis).cluster, {member}, nonce_of(9)});
}

}  // namespace

TEST_CASE("two members with their own keys prove themselves to each other") {
  Pair pair;
  CHECK(pair.acceptor.opening().empty());
  const auto hello_back = pair.acceptor.on_frame(body_of(pair.dialler.opening()));
  REQUIRE_FALSE(hello_back.refused);
  const auto proof = pair.dialler.on_frame(body_of(hello_back.reply));
  REQUIRE_FALSE(proof.refused);
  const auto proof_back = pair.acceptor.on_frame(body_of(proof.reply));
  REQUIRE(proof_back.done);
  CHECK(pair.acceptor.peer() == NodeId{1});
  const auto end = pair.dialler.on_frame(body_of(proof_back.reply));
  CHECK(end.done);
  CHECK(end.reply.empty());
}

TEST_CASE("each false claim in a Hello is refused with its own cause") {
  Pair pair;
  const auto cause = [](Handshake& to, const Bytes& frame) { return to.on_frame(body_of(frame)).refused; };
  CHECK(cause(pair.acceptor, hello(pair.genesis, 1, 2)) == Cause::wrong_version);
  CHECK(cause(pair.acceptor, hello(make_genesis(4, 5), 1)) == Cause::wrong_cluster);
  CHECK(cause(pair.acceptor, hello(pair.genesis, 4)) == Cause::unknown_member);
  CHECK(cause(pair.acceptor, hello(pair.genesis, 0)) == Cause::self_connection);
  auto third = Handshake::accept(pair.high, nonce_of(3));
  CHECK(cause(third, hello(pair.genesis, 0)) == Cause::wrong_direction);
  CHECK(cause(pair.dialler, hello(pair.genesis, 2)) == Cause::wrong_member);
}

TEST_CASE("a key that is not the member's proves nothing") {
  Pair pair;
  auto impostor = pair.high;
  impostor.secret = key_of(9);
  auto dialler = Handshake::dial(impostor, {0}, nonce_of(1));
  const auto hello_back = pair.acceptor.on_frame(body_of(dialler.opening()));
  const auto proof = dialler.on_frame(body_of(hello_back.reply));
  const auto step = pair.acceptor.on_frame(body_of(proof.reply));
  CHECK(step.refused == Cause::bad_proof);
  CHECK_FALSE(step.done);
}

TEST_CASE("a proof of another session is refused, since the acceptor's nonce is fresh") {
  Pair pair;
  const auto hello_back = pair.acceptor.on_frame(body_of(pair.dialler.opening()));
  const auto proof = pair.dialler.on_frame(body_of(hello_back.reply));
  REQUIRE(pair.acceptor.on_frame(body_of(proof.reply)).done);
  auto again = Handshake::accept(pair.low, nonce_of(4));
  REQUIRE_FALSE(again.on_frame(body_of(pair.dialler.opening())).refused);
  CHECK(again.on_frame(body_of(proof.reply)).refused == Cause::bad_proof);
}

TEST_CASE("an acceptor's own proof sent back to it is refused, since the role is signed") {
  Pair pair;
  const auto hello_back = pair.acceptor.on_frame(body_of(pair.dialler.opening()));
  const auto proof = pair.dialler.on_frame(body_of(hello_back.reply));
  CHECK(pair.dialler.on_frame(body_of(proof.reply)).refused == Cause::bad_proof);
}

TEST_CASE("a frame out of turn, or none of the format, is malformed") {
  Pair pair;
  const auto hello_frame = pair.dialler.opening();
  const auto cause = [](Handshake& to, ByteView body) { return to.on_frame(body).refused; };
  CHECK(cause(pair.acceptor, body_of(encode_handshake(Proof{}))) == Cause::malformed);
  CHECK(cause(pair.acceptor, as_bytes("GET / HTTP/1.1")) == Cause::malformed);
  CHECK(cause(pair.acceptor, body_of(hello_frame).first(40)) == Cause::malformed);
  auto longer = hello_frame;
  longer.push_back(0);
  CHECK(cause(pair.acceptor, body_of(longer)) == Cause::malformed);
  REQUIRE_FALSE(cause(pair.acceptor, body_of(hello_frame)));
  CHECK(cause(pair.acceptor, body_of(hello_frame)) == Cause::malformed);
}

TEST_CASE("a refusal ends the handshake and carries the peer's cause") {
  Pair pair;
  const auto step = pair.dialler.on_frame(body_of(encode_handshake(Refusal{Cause::wrong_cluster})));
  CHECK(step.refused == Cause::refused_by_peer);
  CHECK(step.they_said == Cause::wrong_cluster);
  CHECK(step.reply.empty());
  CHECK(decode_handshake(Bytes{3, 0}, 1).error().code == "malformed");
  CHECK(decode_handshake(Bytes{3, 9}, 1).error().code == "malformed");
}

TEST_CASE("every handshake frame survives its encoding, and no cut of it is accepted") {
  const Pair pair;
  const auto cluster = pair.low.domain.cluster;
  const HandshakeFrame frames[] = {Hello{1, cluster, {3}, nonce_of(5)}, Proof{}, Refusal{Cause::bad_proof},
                                   Knock{1, cluster, {2}}};
  for (const auto& frame : frames) {
    const auto bytes = encode_handshake(frame);
    REQUIRE(bytes.size() <= 4 + max_handshake_bytes);
    const auto back = decode_handshake(body_of(bytes), 1);
    REQUIRE(back.ok());
    CHECK(encode_handshake(*back) == bytes);
    for (std::size_t n = 0; n < bytes.size() - 4; ++n) CHECK_FALSE(decode_handshake(body_of(bytes).first(n), 1).ok());
  }
}

TEST_CASE("a knock names a lower member of this cluster") {
  Pair pair;
  const auto knock = [&](std::uint16_t member, const Genesis& genesis) {
    auto acceptor = Handshake::accept(pair.high, nonce_of(2));
    return acceptor.on_frame(body_of(encode_handshake(Knock{1, SigningDomain::of(genesis).cluster, {member}})));
  };
  CHECK(knock(0, pair.genesis).knocked == NodeId{0});
  CHECK(knock(1, pair.genesis).refused == Cause::wrong_direction);
  CHECK(knock(2, pair.genesis).refused == Cause::wrong_direction);
  CHECK(knock(9, pair.genesis).refused == Cause::unknown_member);
  CHECK(knock(0, make_genesis(4, 5)).refused == Cause::wrong_cluster);
}

TEST_CASE("a node whose key is not the genesis file's does not start") {
  const auto made = MeshIdentity::make(make_genesis(4), {0}, key_of(1), secp256k1_scheme());
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code == "wrong-key");
}

}  // namespace zell
