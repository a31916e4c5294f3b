#pragma once
// Requests and batches from fixed keys and fixed bytes.

#include "node/crypto/log_tree.h"
#include "node/wire/request_codec.h"

namespace zell::bench {

inline constexpr std::size_t payload_bytes = 128;

/// Four members with development keys, under secp256k1.
[[nodiscard]] const Genesis& four_members();
[[nodiscard]] const SigningDomain& four_members_domain();
/// With `payloads` payloads of 128 bytes.
[[nodiscard]] RequestPtr signed_request(std::uint64_t nonce, std::size_t payloads);
/// The same, but its signature is zero: for what never looks at it.
[[nodiscard]] RequestPtr unsigned_request(std::uint64_t nonce, std::size_t payloads);
/// A batch of view 0 behind `range`, which is moved to its end. The leader has signed it.
[[nodiscard]] BatchPtr extend(CompactRange& range, Requests requests);
[[nodiscard]] Certificate certify(Phase phase, const LogPoint& point);

}  // namespace zell::bench
