#include "node/http/signed_request.h"

#include "node/http/json.h"
#include "node/http/submit_body.h"
#include "node/wire/request_codec.h"

namespace zell {

std::string write_signed_request(const Request& request, const ClusterId& cluster) {
  Json out{{"schema", request_schema}, {"cluster", to_hex0x(cluster.view())}};
  auto fields = json_of(request);
  fields.erase("id");
  out.update(fields);
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<RequestPtr> read_signed_request(std::string_view line, const SigningDomain& domain, const Parameters& parameters,
                                       const SignatureScheme& scheme) {
  auto read = read_json_request(line, domain, parameters, scheme);
  if (!read) return read.error();
  if (!read->request) return read->refusal;
  if (auto form = check_request_form(*read->request, parameters); !form) return form.error();
  if (auto own = check_request_signature(*read->request, scheme); !own) return own.error();
  return std::move(read->request);
}

}  // namespace zell
