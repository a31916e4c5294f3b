// A certificate that is accepted names members in order, and is written back to the same bytes.

#include <algorithm>

#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const zell::ByteView bytes(data, size);
  const auto& context = zell::testing::fuzz_context();
  zell::Reader in(bytes);
  const auto certificate = zell::read_certificate(in, context);
  if (!in.ok()) return 0;
  ZELL_CHECK(certificate.signers().count() == certificate.signatures.size());
  zell::Writer out;
  zell::write_certificate(out, certificate);
  ZELL_CHECK(std::ranges::equal(out.bytes(), bytes.first(size - in.left())));
  return 0;
}
