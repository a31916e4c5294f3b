#include "node/http/http_counters.h"

namespace zell {

void HttpCounters::write(MetricsText& out) const {
  out.gauge("zell_http_connections", "Connections of clients.", connections);
  out.counter("zell_http_requests_total", "HTTP requests answered, by route and status.");
  for (const auto& [what, count] : answers_) {
    out.add(count, {{"route", what.first}, {"status", std::to_string(what.second)}});
  }
}

}  // namespace zell
