// A message that is accepted is encoded back to the very same bytes.

#include <algorithm>

#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const zell::ByteView bytes(data, size);
  const auto& context = zell::testing::fuzz_context();
  const auto message = zell::decode_message(bytes, context);
  if (!message) return 0;
  ZELL_CHECK(std::ranges::equal(zell::encode_message(*message, context.domain.epoch), bytes));
  return 0;
}
