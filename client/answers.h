#pragma once
// What nodes answer, read from JSON. Nothing in it is believed yet. In errors, `code` names the field that is wrong.

#include <string>
#include <string_view>
#include <vector>

#include "client/client.h"
#include "node/wire/codec.h"
#include "node/wire/signed_structures.h"

namespace zell {

/// What a node says about a request.
struct RequestClaim {
  RequestId id;
  RequestState state{};
  Index index;
  std::string reason, hint;
};
struct InclusionClaim {
  RequestPtr request;  ///< built again from its parts: id and leaf are ours
  Index index;
  std::vector<Hash> path;
  Certificate certificate;
};
struct ConsistencyClaim {
  LogPoint first, second;
  std::vector<Hash> path;
};

struct EvidenceAnswer {
  std::vector<EvidencePtr> evidence;
  std::size_t without_bytes = 0;  ///< listed, but too large to be sent
};

[[nodiscard]] Result<std::vector<RequestClaim>> read_submit_answer(std::string_view body);
[[nodiscard]] Result<RequestClaim> read_lookup_answer(std::string_view body);
[[nodiscard]] Result<InclusionClaim> read_inclusion_answer(std::string_view body, const SigningDomain& domain);
[[nodiscard]] Result<ConsistencyClaim> read_consistency_answer(std::string_view body);
/// nullopt: the node says that nothing is final.
[[nodiscard]] Result<std::optional<Certificate>> read_certificate_answer(std::string_view body);
[[nodiscard]] Result<std::vector<PendingRequest>> read_pending_answer(std::string_view body,
                                                                      const SigningDomain& domain);
/// At most max_stored_evidence of them.
[[nodiscard]] Result<EvidenceAnswer> read_evidence_answer(std::string_view body, const DecodeContext& context);

}  // namespace zell
