#pragma once
// Checks on what nodes send, with nothing but what is given. In errors, `code` names the field that is wrong.

#include <span>

#include "client/answers.h"
#include "client/client.h"
#include "node/wire/verifier.h"

namespace zell {

/// Requests that follow a verified log of `range`, under the chunk's certificate. On success `range` has grown by them.
/// An empty chunk is an empty piece.
[[nodiscard]] Result<LogEntries> check_chunk(const Chunk& chunk, CompactRange& range, const Verifier& verifier,
                                             bool check_signatures);

/// That the request is in the certified log, and the compact range of the log below it.
[[nodiscard]] Result<ProvenRequest> check_inclusion(InclusionClaim claim, const Verifier& verifier,
                                                    bool check_signatures);

/// The left siblings on an inclusion proof's path are the roots of the perfect trees that tile the leaves before it.
/// REQUIRES: verify_inclusion(..., index, size, path, ...) holds.
[[nodiscard]] CompactRange range_before(std::uint64_t index, std::uint64_t size, std::span<const Hash> path);

}  // namespace zell
