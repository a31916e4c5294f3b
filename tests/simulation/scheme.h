#pragma once
// A cheap stand-in for secp256k1 behind the same interface: a signature names its key and a hash binds it to the
// digest. It can be forged by anyone who tries; the simulation's faulty nodes sign only with keys of their own.

#include "node/crypto/keys.h"

namespace zell::simulation {

[[nodiscard]] const SignatureScheme& cheap_scheme();

}  // namespace zell::simulation
