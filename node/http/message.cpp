#include "node/http/message.h"

#include "node/http/json.h"

namespace zell {

HttpResponse error_response(unsigned status, const Error& error, std::chrono::milliseconds retry_after) {
  HttpResponse response;
  response.status = status;
  response.body =
      dump({{"schema", json_schema}, {"error", {{"code", error.code}, {"reason", error.what}, {"hint", error.hint}}}});
  if (retry_after.count() > 0) {
    response.headers.emplace_back("Retry-After", std::to_string((retry_after.count() + 999) / 1000));
  }
  return response;
}

unsigned status_of(std::string_view code) {
  if (code == "busy") return 429;
  if (code == "learner" || code == "stopped" || code == "starting") return 503;
  if (code == "unknown-request") return 404;
  if (code == "not-final") return 409;
  if (code == "bad-range") return 400;
  return 500;
}

}  // namespace zell
