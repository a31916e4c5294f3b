#include "node/transport/hello.h"

namespace zell {
namespace {

constexpr std::string_view magic = "zellmesh";

enum class FrameType : std::uint8_t { hello = 1, proof = 2, refusal = 3, knock = 4 };

void write_opening(Writer& out, FrameType type, std::uint32_t version, const ClusterId& cluster, NodeId member) {
  out.u8(static_cast<std::uint8_t>(type));
  out.raw(as_bytes(magic));
  out.u32(version);
  out.fixed(cluster);
  out.u16(member.value);
}

void write_body(Writer& out, const Hello& hello) {
  write_opening(out, FrameType::hello, hello.version, hello.cluster, hello.member);
  out.fixed(hello.nonce);
}
void write_body(Writer& out, const Proof& proof) {
  out.u8(static_cast<std::uint8_t>(FrameType::proof));
  out.fixed(proof.signature);
}
void write_body(Writer& out, const Refusal& refusal) {
  out.u8(static_cast<std::uint8_t>(FrameType::refusal));
  out.u8(static_cast<std::uint8_t>(refusal.cause));
}
void write_body(Writer& out, const Knock& knock) {
  write_opening(out, FrameType::knock, knock.version, knock.cluster, knock.member);
}

Error malformed(std::string_view why) {
  return {"malformed", std::string(why), {}};
}

Result<HandshakeFrame> finish(const Reader& in, HandshakeFrame frame) {
  if (!in.ok()) return malformed(in.why());
  if (!in.at_end()) return malformed("bytes follow its end");
  return frame;
}

/// Hello and Knock begin alike. Of another version only that much is known.
template <class Opening>
Result<HandshakeFrame> read_opening(Reader& in, std::uint32_t own_version) {
  Opening out;
  if (as_text(in.raw(magic.size())) != magic) return malformed("it does not begin like a node's");
  out.version = in.u32();
  if (!in.ok()) return malformed(in.why());
  if (out.version != own_version) return HandshakeFrame{out};
  out.cluster = in.fixed<ClusterId>();
  out.member.value = in.u16();
  if constexpr (std::is_same_v<Opening, Hello>) out.nonce = in.fixed<Nonce32>();
  return finish(in, out);
}

}  // namespace

Bytes encode_handshake(const HandshakeFrame& frame) {
  Writer body;
  std::visit([&body](const auto& alternative) { write_body(body, alternative); }, frame);
  Writer out;
  out.sized(body.bytes());
  return out.take();
}

Result<HandshakeFrame> decode_handshake(ByteView body, std::uint32_t own_version) {
  Reader in(body);
  switch (static_cast<FrameType>(in.u8())) {
    case FrameType::hello:
      return read_opening<Hello>(in, own_version);
    case FrameType::knock:
      return read_opening<Knock>(in, own_version);
    case FrameType::proof: {
      Proof proof{in.fixed<Signature>()};
      return finish(in, proof);
    }
    case FrameType::refusal: {
      const auto code = in.u8();
      if (code == 0 || code > last_sent_cause) return malformed("its refusal names no cause");
      return finish(in, Refusal{static_cast<Cause>(code)});
    }
  }
  return malformed("it is no frame of a handshake");
}

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::malformed:
      return "malformed";
    case Cause::wrong_version:
      return "wrong-version";
    case Cause::wrong_cluster:
      return "wrong-cluster";
    case Cause::unknown_member:
      return "unknown-member";
    case Cause::self_connection:
      return "self-connection";
    case Cause::wrong_member:
      return "wrong-member";
    case Cause::wrong_direction:
      return "wrong-direction";
    case Cause::bad_proof:
      return "bad-proof";
    case Cause::frame_too_long:
      return "frame-too-long";
    case Cause::bad_segment:
      return "bad-segment";
    case Cause::too_slow:
      return "too-slow";
    case Cause::too_many:
      return "too-many";
    case Cause::stalled:
      return "stalled";
    case Cause::refused_by_peer:
      return "refused-by-peer";
    case Cause::replaced:
      return "replaced";
    case Cause::ended:
      return "ended";
    case Cause::knocked:
      return "knocked";
  }
  return "unknown";
}

std::string_view explain(Cause cause) {
  switch (cause) {
    case Cause::malformed:
      return "what was sent is no handshake of a zell node; check what connects to this port";
    case Cause::wrong_version:
      return "it speaks another version of the protocol; run the same release on all nodes";
    case Cause::wrong_cluster:
      return "it belongs to another cluster; all nodes need the same genesis file";
    case Cause::unknown_member:
      return "it names a member that the genesis file does not have";
    case Cause::self_connection:
      return "a node reached itself; check the peers' addresses";
    case Cause::wrong_member:
      return "another member listens at that address; check the peers' addresses";
    case Cause::wrong_direction:
      return "the member of the higher number dials, and this one did not have to";
    case Cause::bad_proof:
      return "its signature is not by that member's key; check which key the node was given";
    case Cause::frame_too_long:
      return "it announced a frame longer than allowed";
    case Cause::bad_segment:
      return "it sent a segment that the format does not allow";
    case Cause::too_slow:
      return "it did not complete the handshake in time";
    case Cause::too_many:
      return "too many connections wait for their handshake; the oldest was closed";
    case Cause::stalled:
      return "it took no bytes for too long";
    case Cause::refused_by_peer:
      return "the peer refused this node";
    case Cause::replaced:
      return "the member connected anew";
    case Cause::ended:
      return "the connection ended";
    case Cause::knocked:
      return "the member asked to be dialled";
  }
  return "";
}

}  // namespace zell
