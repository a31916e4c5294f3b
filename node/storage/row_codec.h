#pragma once
// What a node.db's columns hold. FORMAT.md; formats are promises.

#include "node/storage/tables.h"
#include "node/wire/codec.h"

namespace zell {

inline constexpr std::int64_t schema_version = 2;

/// A value and the first 16 bytes of SHA-256 over its kind and itself: what the disk changes is noticed.
enum class Sealed : std::uint8_t {
  state = 1,
  entry_proof = 2,
  certificate = 3,
  evidence = 4,
  batch = 5,
  conflict = 6,
  replay_point = 7,
  bodies_end = 8
};
[[nodiscard]] Bytes seal(Sealed kind, Bytes value);
/// nullopt if the seal is wrong.
[[nodiscard]] std::optional<ByteView> unseal(Sealed kind, ByteView sealed);

/// The columns of a batch.
struct BatchColumns {
  Bytes header;    ///< sealed; the seal covers the key and `ids` too
  Bytes ids;       ///< the requests' id prefixes, ascending, 8 bytes each
  Bytes requests;  ///< canonical, one after the other; checked against the log's root, so not under the seal
};
[[nodiscard]] BatchColumns encode_batch_columns(BatchKey key, const Batch& batch);
/// Null if anything is malformed or the seal is wrong.
[[nodiscard]] BatchPtr decode_batch_columns(BatchKey key, ByteView header, ByteView ids, ByteView requests,
                                            const DecodeContext& context);
/// True if the sorted prefixes contain this one.
[[nodiscard]] bool contains_id_prefix(ByteView ids, std::uint64_t prefix);

/// Where what is used of node.bodies ends.
[[nodiscard]] Bytes encode_bodies_end(std::uint64_t end);
[[nodiscard]] std::optional<std::uint64_t> decode_bodies_end(ByteView bytes);

[[nodiscard]] Bytes encode_entry_proof(const std::vector<MessagePtr>& proof, Epoch epoch);
[[nodiscard]] std::optional<std::vector<MessagePtr>> decode_entry_proof(ByteView bytes, const DecodeContext& context);

}  // namespace zell
