#pragma once
// The body of POST /v1/requests -> requests. Nothing is checked but that it can be read.

#include <string_view>
#include <vector>

#include "node/crypto/keys.h"
#include "node/types/genesis.h"
#include "node/wire/signed_structures.h"

namespace zell {

inline constexpr std::size_t max_submit_requests = 4'096;
/// Bounds of a JSON body beside its size: a parsed value costs up to some 100 bytes, however short its text is.
inline constexpr std::size_t max_json_values = 1 << 18;
inline constexpr std::size_t max_json_depth = 8;

/// Of a request's JSON: SIGNED.md.
inline constexpr int request_schema = 1;

/// What a body says of one request: the request, or why it is refused by itself ("bad-signature", "other-cluster").
struct SubmittedRequest {
  RequestPtr request;  ///< null if refused
  Error refusal;
};

/// One request object, or {"requests":[...]}. A missing sender is recovered from a signature of 65 bytes. Thread-safe.
/// Codes: "bad-json", "bad-request" (what names the field), "too-many-requests".
[[nodiscard]] Result<std::vector<SubmittedRequest>> read_json_requests(std::string_view body,
                                                                       const SigningDomain& domain,
                                                                       const Parameters& parameters,
                                                                       const SignatureScheme& scheme);
/// Just one request object. Thread-safe. Codes: "bad-json", "bad-request" (what names the field), "request-too-large".
[[nodiscard]] Result<SubmittedRequest> read_json_request(std::string_view text, const SigningDomain& domain,
                                                         const Parameters& parameters, const SignatureScheme& scheme);
/// Canonical requests, one after the other. Thread-safe. Codes: "bad-request", "too-many-requests".
[[nodiscard]] Result<std::vector<SubmittedRequest>> read_binary_requests(std::string_view body,
                                                                         const SigningDomain& domain,
                                                                         const Parameters& parameters);

}  // namespace zell
