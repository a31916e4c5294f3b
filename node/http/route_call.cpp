#include "node/http/route_call.h"

namespace zell {

HttpResponse json_response(const Json& json, unsigned status) {
  HttpResponse response;
  response.status = status;
  response.body = dump(json);
  return response;
}

void answer_error(const ExchangePtr& exchange, unsigned status, const Error& error,
                  std::chrono::milliseconds retry_after) {
  exchange->answer(error_response(status, error, retry_after));
}

void answer_node_error(const ExchangePtr& exchange, const Error& error) {
  auto status = status_of(error.code);
  answer_error(exchange, status, error, std::chrono::seconds(status == 429 || status == 503 ? 1 : 0));
}

bool good(const Params& params, const Call& call) {
  if (params.error()) answer_error(call.exchange, 400, *params.error());
  return !params.error();
}

std::optional<RequestId> path_id(const Call& call) {
  auto id = fixed_from_hex<RequestId>(call.id);
  if (!id) {
    answer_error(call.exchange, 400,
                 {"bad-request", "the request id in the path is not 32 bytes in hexadecimal",
                  "use the id that POST /v1/requests answered with"});
  }
  return id;
}

}  // namespace zell
