// A vote state that is accepted is written back to the very same bytes.

#include <algorithm>

#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const zell::ByteView bytes(data, size);
  const auto state = zell::decode_durable_state(bytes, zell::testing::fuzz_context());
  if (!state) return 0;
  ZELL_CHECK(std::ranges::equal(zell::encode_durable_state(*state), bytes));
  return 0;
}
