#pragma once
// What a proof of a fault says, for people and for programs.

#include <string>
#include <vector>

#include "cli/json.h"
#include "client/client.h"

namespace zell::cli {

/// The first 16 hexadecimal digits of SHA-256 over its bytes: the same at every node.
[[nodiscard]] std::string evidence_id(const Evidence& evidence);
/// "n1 led view 3 with two proposals that contradict each other (two-proposals)".
[[nodiscard]] std::string evidence_line(const ProvenFault& fault, const Genesis& genesis);
/// What was signed, a line each: the two statements, or the proposal and what is wrong with it.
[[nodiscard]] std::vector<std::string> evidence_statements(const ProvenFault& fault);
[[nodiscard]] Json evidence_json(const ProvenFault& fault, const Genesis& genesis);

}  // namespace zell::cli
