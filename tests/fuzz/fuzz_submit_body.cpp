// The body of POST /v1/requests: the first byte says whether it is JSON or canonical bytes. What is read can be written
// as canonical bytes, and as a line of JSON (node/http/SIGNED.md), and read from there as the same requests.

#include "node/http/signed_request.h"
#include "node/http/submit_body.h"
#include "node/wire/request_codec.h"
#include "tests/fuzz/stand_in.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zell;
  if (size == 0) return 0;
  const auto body = as_text({data + 1, size - 1});
  const auto& [domain, parameters, members, known] = testing::fuzz_context();
  const bool binary = data[0] % 2 == 1;
  const auto read = binary ? read_binary_requests(body, domain, parameters)
                           : read_json_requests(body, domain, parameters, testing::stand_in_scheme());
  if (!read) return 0;
  ZELL_CHECK(!read->empty() && read->size() <= max_submit_requests);
  for (const auto& one : *read) {
    ZELL_CHECK((one.request == nullptr) == !one.refusal.code.empty());
    if (!one.request) continue;
    const bool sound = check_request_form(*one.request, parameters).ok();
    if (!check_request_size(*one.request, parameters)) continue;
    const auto again = read_binary_requests(as_text(one.request->canonical), domain, parameters);
    ZELL_CHECK(again.ok() && again->size() == 1 && again->front().request->id == one.request->id);
    if (!sound) continue;
    const auto line = write_signed_request(*one.request, domain.cluster);
    const auto from_line = read_json_request(line, domain, parameters, testing::stand_in_scheme());
    ZELL_CHECK(from_line.ok() && from_line->request && from_line->request->canonical == one.request->canonical);
  }
  return 0;
}
