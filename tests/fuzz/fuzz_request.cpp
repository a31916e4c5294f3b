// A request keeps the bytes that it was read from, and every check of it gives an answer.

#include <algorithm>

#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const zell::ByteView bytes(data, size);
  const auto& context = zell::testing::fuzz_context();
  zell::Reader in(bytes);
  const auto request = zell::read_request(in, context.domain, context.parameters.batch_max_bytes);
  ZELL_CHECK(in.ok() == (request != nullptr));
  if (!request) return 0;
  ZELL_CHECK(std::ranges::equal(request->canonical, bytes.first(size - in.left())));
  ZELL_CHECK(request->canonical.size() <= context.parameters.batch_max_bytes);
  ZELL_CHECK(zell::payloads_of(*request).size() == request->payload_count);
  (void)zell::check_request_form(*request, context.parameters);
  return 0;
}
