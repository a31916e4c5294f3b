#include "node/http/metrics_route.h"

namespace zell {

HttpResponse metrics_response(Exchange& exchange) {
  MetricsText out;
  exchange.node().write_metrics(out);
  exchange.counters().write(out);
  return {200, "text/plain; version=0.0.4; charset=utf-8", out.text(), {}};
}

}  // namespace zell
