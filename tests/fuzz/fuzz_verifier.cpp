// Whatever decodes can be checked: the verifier answers, and never aborts.

#include "tests/fuzz/stand_in.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto message = zell::decode_message({data, size}, zell::testing::fuzz_context());
  if (!message) return 0;
  const auto index = message->index();
  const auto checked = zell::testing::stand_in_verifier().check(std::move(*message));
  if (checked.ok()) ZELL_CHECK((*checked)->get().index() == index);
  return 0;
}
