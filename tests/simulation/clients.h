#pragma once
// The users of a run.

#include "node/crypto/keys.h"

namespace zell::simulation {

inline constexpr std::size_t user_count = 3;
/// The one whom a censor doesn't serve.
inline constexpr std::size_t censored_user = 0;

[[nodiscard]] inline SecretKey user_key(std::uint64_t seed, std::size_t which) {
  return dev_secret_key(seed, "user" + std::to_string(which));
}

}  // namespace zell::simulation
