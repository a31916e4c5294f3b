// Evidence that is accepted is written back to the same bytes, and can be checked; only a member is guilty.

#include <algorithm>

#include "tests/fuzz/stand_in.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const zell::ByteView bytes(data, size);
  const auto& context = zell::testing::fuzz_context();
  zell::Reader in(bytes);
  const auto evidence = zell::read_evidence(in, context);
  if (!in.ok()) return 0;
  zell::Writer out;
  zell::write_evidence(out, *evidence);
  ZELL_CHECK(std::ranges::equal(out.bytes(), bytes.first(size - in.left())));
  const auto guilty = zell::testing::stand_in_verifier().check_evidence(*evidence);
  if (guilty) ZELL_CHECK(guilty->value < context.member_count);
  return 0;
}
