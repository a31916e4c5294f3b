#pragma once
// Changes any one field of any message.

#include "node/base/prng.h"
#include "node/wire/messages.h"

namespace zell::simulation {

/// A number, hash or signature takes another value; what is optional is left out; a list loses, doubles or swaps an
/// entry. Requests are left as they are. Every field is as likely.
void mutate(Message& message, Prng& random);

/// A signature that a careless verifier takes for the same one: its twin with a high s, or with the other v.
[[nodiscard]] Signature malleated(const Signature& signature, Prng& random);

}  // namespace zell::simulation
