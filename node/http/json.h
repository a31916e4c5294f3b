#pragma once
// What the API answers, as JSON. Included by .cpp files of this folder only: it brings in the JSON library.

#include <nlohmann/json.hpp>

#include "node/http/node_api.h"

namespace zell {

// Conventions: bytes are "0x…"; indexes, views and counts are numbers; what a user or operator chooses of 64 bits
// (nonces, stakes, chain id) is a decimal string, because JavaScript's numbers end at 2^53. Every document has
// "schema": 1.

inline constexpr int json_schema = 1;
using Json = nlohmann::ordered_json;

[[nodiscard]] Json json_of(const LogPoint& point);
[[nodiscard]] Json json_of(const Certificate& certificate, const Genesis& genesis);
[[nodiscard]] Json json_of(const RequestReport& report);
/// Of a decoded, well-formed request.
[[nodiscard]] Json json_of(const Request& request);
/// The same, as an entry of the log.
[[nodiscard]] Json json_of(const Request& request, Index index, View view, RequestState state);
[[nodiscard]] Json json_of(const std::vector<PeerStatus>& peers);
/// Which view this node is in, and who leads it.
[[nodiscard]] Json view_json(const NodeStatus& status, const Genesis& genesis);
[[nodiscard]] Json json_of(const NodeStatus& status, const Genesis& genesis);
[[nodiscard]] Json json_of(const Evidence& evidence, const Genesis& genesis);
[[nodiscard]] Json json_of(const Genesis& genesis, const SigningDomain& domain);
/// Only requests at `from` and above. Safe on any thread.
[[nodiscard]] Json json_of(const LogPage& page, Index from, const Genesis& genesis);
[[nodiscard]] Json json_of(const InclusionProof& proof, const Genesis& genesis);
[[nodiscard]] Json json_of(const ConsistencyProof& proof, const Genesis& genesis);

/// One line, newline at the end; bytes that are no UTF-8 (never ours) are replaced.
[[nodiscard]] std::string dump(const Json& json);

}  // namespace zell
