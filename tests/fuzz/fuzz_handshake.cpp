// Handshake frames: what is accepted is written back to the same bytes; and both sides of the handshake take whatever
// comes, answer within bounds, and are done only with a member that has proved its key.

#include <algorithm>

#include "node/transport/handshake.h"
#include "tests/fuzz/stand_in.h"

namespace {

using namespace zell;

constexpr std::uint32_t version = 1;
constexpr NodeId self{3};

const MeshIdentity& identity() {
  static const MeshIdentity out = [] {
    MeshIdentity made;
    made.domain = testing::fuzz_context().domain;
    for (std::size_t i = 0; i < testing::fuzz_context().member_count; ++i) {
      made.keys.push_back(testing::stand_in_key(i));
      made.addresses.emplace_back().bytes.fill(static_cast<std::uint8_t>(i + 1));
    }
    made.self = self;
    made.scheme = &testing::stand_in_scheme();
    return made;
  }();
  return out;
}

void read(ByteView body) {
  const auto frame = decode_handshake(body, version);
  if (!frame) return;
  const auto* hello = std::get_if<Hello>(&*frame);
  const auto* knock = std::get_if<Knock>(&*frame);
  if ((hello && hello->version != version) || (knock && knock->version != version)) return;  // known in part only
  ZELL_CHECK(std::ranges::equal(ByteView(encode_handshake(*frame)).subspan(4), body));
}

void meet(Handshake handshake, ByteView bytes) {
  Reader in(bytes);
  while (in.left() > 0) {
    const auto body = in.sized(max_handshake_bytes);
    if (!in.ok()) return;
    read(body);
    const auto step = handshake.on_frame(body);
    ZELL_CHECK(step.reply.size() <= 4 + max_handshake_bytes);
    ZELL_CHECK(int{step.done} + int{step.refused.has_value()} + int{step.knocked.has_value()} <= 1);
    if (step.done) {
      ZELL_CHECK(handshake.peer() && *handshake.peer() != self);
      const auto proof = decode_handshake(body, version);
      ZELL_CHECK(proof.ok() && std::holds_alternative<Proof>(*proof));
      const auto signer = std::get<Proof>(*proof).signature.bytes[0] % testing::fuzz_context().member_count;
      ZELL_CHECK(signer == handshake.peer()->value);
    }
    if (step.done || step.refused || step.knocked) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  Nonce32 nonce;
  nonce.bytes.fill(0x77);
  meet(Handshake::accept(identity(), nonce), bytes);
  meet(Handshake::dial(identity(), {1}, nonce), bytes);
  return 0;
}
