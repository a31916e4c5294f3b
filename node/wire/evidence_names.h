#pragma once
// What evidence is called, and which view it is about.

#include <string_view>

#include "node/wire/messages.h"

namespace zell {

/// "two-proposals", "two-votes", "hidden-lock", "invalid-proposal".
[[nodiscard]] std::string_view kind_of(const Evidence& evidence);
/// Of what was signed wrongly: whom a proposal accuses is leader(view), a vote its signer.
[[nodiscard]] View view_of(const Evidence& evidence);

}  // namespace zell
