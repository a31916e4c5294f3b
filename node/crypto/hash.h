#pragma once
// SHA-256 and Keccak-256. Thread-safe (contexts are per thread).

#include <initializer_list>

#include "node/types/ids.h"

namespace zell {

[[nodiscard]] Hash sha256(ByteView bytes);
[[nodiscard]] Hash sha256(std::initializer_list<ByteView> parts);
/// The original Keccak padding, as Ethereum uses it (not SHA3-256).
[[nodiscard]] Hash keccak256(ByteView bytes);
[[nodiscard]] Hash keccak256(std::initializer_list<ByteView> parts);

}  // namespace zell
