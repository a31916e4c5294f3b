#pragma once
// A request that was signed and not yet submitted, as a line of JSON: SIGNED.md.

#include <string>
#include <string_view>

#include "node/crypto/keys.h"
#include "node/types/genesis.h"
#include "node/wire/signed_structures.h"

namespace zell {

/// No line of a request that any genesis allows is longer: 1 MiB in hexadecimal, `"0x",` around each of 4,096 payloads,
/// and the other fields. For readers of files that others wrote.
inline constexpr std::size_t max_signed_line_bytes = (2 << 20) + (64 << 10);

/// Without a newline at its end. REQUIRES: the request is well-formed.
[[nodiscard]] std::string write_signed_request(const Request& request, const ClusterId& cluster);
/// The request, if a node of this cluster that knows nothing of its nonce would take it: form, size and signature are
/// checked. Codes: read_json_request's, "other-cluster", check_request_form's, "bad-signature".
[[nodiscard]] Result<RequestPtr> read_signed_request(std::string_view line, const SigningDomain& domain,
                                                     const Parameters& parameters, const SignatureScheme& scheme);

}  // namespace zell
