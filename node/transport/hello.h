#pragma once
// The frames by which two members prove to each other who they are: FORMAT.md, "Handshake".

#include <optional>
#include <string_view>
#include <variant>

#include "node/base/coding.h"
#include "node/base/result.h"
#include "node/types/ids.h"

namespace zell {

/// The longest frame before the peer has proved its key.
inline constexpr std::uint32_t max_handshake_bytes = 512;

/// Why a connection was closed. The first eight also travel, in a Refusal; the numbers are part of the format.
enum class Cause : std::uint8_t {
  malformed = 1,
  wrong_version = 2,
  wrong_cluster = 3,
  unknown_member = 4,
  self_connection = 5,
  wrong_member = 6,
  wrong_direction = 7,
  bad_proof = 8,
  // Never sent:
  frame_too_long = 32,
  bad_segment,
  too_slow,
  too_many,
  stalled,
  refused_by_peer,
  replaced,
  ended,
  knocked,
};
inline constexpr std::uint8_t last_sent_cause = 8;

/// A stable word for counters and logs, e.g. "wrong-cluster".
[[nodiscard]] std::string_view to_string(Cause cause);
/// What it means for a person, and what to do about it.
[[nodiscard]] std::string_view explain(Cause cause);

struct Hello {
  std::uint32_t version = 0;
  ClusterId cluster;
  NodeId member;
  Nonce32 nonce;
};
struct Proof {
  Signature signature;
};
struct Refusal {
  Cause cause{};
};
/// "Please dial me": from a member that does not dial this peer itself.
struct Knock {
  std::uint32_t version = 0;
  ClusterId cluster;
  NodeId member;
};
using HandshakeFrame = std::variant<Hello, Proof, Refusal, Knock>;

/// With the u32 length in front.
[[nodiscard]] Bytes encode_handshake(const HandshakeFrame& frame);
/// A frame's body without its length. A frame of another version comes back with that version and nothing else filled
/// in. The error's code is "malformed".
[[nodiscard]] Result<HandshakeFrame> decode_handshake(ByteView body, std::uint32_t own_version);

}  // namespace zell
