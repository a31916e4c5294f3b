#pragma once
// Messages and other structures <-> bytes. Decoding is bounded and has no side effects.

#include "node/base/coding.h"
#include "node/base/result.h"
#include "node/types/durable_state.h"
#include "node/wire/delta.h"
#include "node/wire/messages.h"
#include "node/wire/request_cache.h"

namespace zell {

/// A frame is u32 length, then that many bytes: u8 version, u8 type, u32 epoch, then the message. W full batches and
/// their frame must fit in a Chunk: 8 * 1 MiB by default, 64 * 4 MiB never happens (see Genesis::validate).
inline constexpr std::uint32_t max_frame_bytes = 24u << 20;
inline constexpr std::uint8_t wire_version = 1;

struct DecodeContext {
  SigningDomain domain;
  Parameters parameters;
  std::size_t member_count = 0;
  const RequestCache* known = nullptr;  ///< requests that need not be decoded again
};

/// The message without the frame's length.
[[nodiscard]] Bytes encode_message(const Message& message, Epoch epoch);
/// Codes: "bad-message" (malformed, over a bound, trailing bytes), "wrong-version", "wrong-epoch", "unknown-type".
[[nodiscard]] Result<Message> decode_message(ByteView bytes, const DecodeContext& context);

void write_certificate(Writer& out, const Certificate& certificate);
[[nodiscard]] Certificate read_certificate(Reader& in, const DecodeContext& context);
void write_batch(Writer& out, const Batch& batch);
[[nodiscard]] BatchPtr read_batch(Reader& in, const DecodeContext& context);
void write_evidence(Writer& out, const Evidence& evidence);
[[nodiscard]] EvidencePtr read_evidence(Reader& in, const DecodeContext& context);
/// u8 version = 1 first: this is what the store keeps.
[[nodiscard]] Bytes encode_durable_state(const DurableState& state);
[[nodiscard]] Result<DurableState> decode_durable_state(ByteView bytes, const DecodeContext& context);
[[nodiscard]] Bytes encode_replay_point(const ReplayPoint& point);
/// nullopt if anything is malformed.
[[nodiscard]] std::optional<ReplayPoint> decode_replay_point(ByteView bytes);

}  // namespace zell
