#pragma once
// Canonical request bytes <-> Request. Format: PROTOCOL.md, "A request".

#include "node/base/coding.h"
#include "node/base/result.h"
#include "node/crypto/keys.h"
#include "node/types/genesis.h"
#include "node/wire/request_cache.h"
#include "node/wire/signed_structures.h"

namespace zell {

/// Reads one canonical request. Strict about lengths and version only (what can't be delimited); everything else is
/// check_request_form's, so that a leader's malformed request can be kept as evidence. At most `max_bytes` of it.
/// On failure the reader is failed and nullptr is returned. Computes digest, id and leaf, unless `known` has these
/// bytes.
[[nodiscard]] RequestPtr read_request(Reader& in, const SigningDomain& domain, std::uint32_t max_bytes,
                                      const RequestCache* known = nullptr);

/// 1 to 32 of a-z, 0-9, _ and -.
[[nodiscard]] bool is_app(std::string_view app);
/// What the header alone decides. Codes: "bad-app", "no-payloads", "too-many-payloads".
[[nodiscard]] Status check_request_header(const Request& request);
/// The payloads are those that the header commits to; if not, anyone on the way may have changed them, and they prove
/// nothing against whoever signed the header's leaf. Code "bad-payloads-root".
[[nodiscard]] Status check_request_body(const Request& request);
/// Code "request-too-large".
[[nodiscard]] Status check_request_size(const Request& request, const Parameters& parameters);
/// Form, size and signature-independent rules: app's characters, 1..max_payloads payloads, payloads root, total size.
/// Codes: "bad-app", "no-payloads", "too-many-payloads", "bad-payloads-root", "request-too-large".
[[nodiscard]] Status check_request_form(const Request& request, const Parameters& parameters);
/// Code "bad-signature".
[[nodiscard]] Status check_request_signature(const Request& request, const SignatureScheme& scheme);

/// RFC 6962 root over the payloads.
[[nodiscard]] Hash payloads_root(std::span<const Bytes> payloads);
/// The first part of a canonical request; what follows is each payload behind its length (u32). REQUIRES: the app has
/// at most 255 bytes.
void write_request_header(Writer& out, std::string_view app, std::uint64_t nonce, const PublicKey& sender,
                          std::uint32_t payload_count, const Hash& payloads_root, const CompactSignature& signature);
/// Canonical request from its parts; it is not checked.
[[nodiscard]] RequestPtr make_request(const SigningDomain& domain, std::string_view app, std::uint64_t nonce,
                                      const PublicKey& sender, std::span<const Bytes> payloads,
                                      const CompactSignature& signature);
/// Signs and builds. REQUIRES: the secret is valid.
[[nodiscard]] RequestPtr sign_request(const SigningDomain& domain, const SignatureScheme& scheme,
                                      const SecretKey& secret, std::string_view app, std::uint64_t nonce,
                                      std::span<const Bytes> payloads);
/// The payloads of a well-formed request.
[[nodiscard]] std::vector<ByteView> payloads_of(const Request& request);

}  // namespace zell
