#pragma once
// Proofs as files: what somebody who has only the genesis file can check, without any node. PROOFS.md specifies them.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/client.h"
#include "node/wire/verifier.h"

namespace zell {

/// A longer document is refused unread: a request's bytes in hexadecimal, a path and a certificate have room in it.
inline constexpr std::size_t max_proof_document_bytes = 4 << 20;
/// Of a document with proofs of faults: all that a node stores may be in it.
inline constexpr std::size_t max_evidence_document_bytes = 64 << 20;

/// One line, without its newline.
[[nodiscard]] std::string write_proof_document(const ProvenRequest& proven, const SigningDomain& domain);
/// Checks everything: the request's form and signature, its path to the certified root, the certificate. Codes:
/// "bad-proof", "foreign" (another cluster's), "newer-schema".
[[nodiscard]] Result<ProvenRequest> check_proof_document(std::string_view text, const Verifier& verifier);

/// What GET /v1/certificate answers, or the certificate in it alone. Codes: "bad-proof" (also for null: nothing final).
[[nodiscard]] Result<CertificatePtr> check_certificate_document(std::string_view text, const Verifier& verifier);

[[nodiscard]] std::string write_evidence_document(std::span<const ProvenFault> faults, const Genesis& genesis,
                                                  const SigningDomain& domain);
/// Also what GET /v1/evidence answers. Codes: "bad-proof", "foreign", "newer-schema".
[[nodiscard]] Result<ProvenFaults> check_evidence_document(std::string_view text, const Verifier& verifier);

}  // namespace zell
