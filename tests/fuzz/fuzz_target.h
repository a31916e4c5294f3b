#pragma once
// One fuzz target a file: it takes any bytes, and aborts only if one of our own promises is broken.

#include <cstddef>
#include <cstdint>

#include "node/base/check.h"
#include "tests/unit/wire/random_messages.h"

/// libFuzzer's entry point; replay_main.cpp calls the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace zell::testing {

inline const DecodeContext& fuzz_context() {
  static const DecodeContext out = small_context();
  return out;
}

}  // namespace zell::testing
