#pragma once
// GET /metrics.

#include "node/http/message.h"

namespace zell {

/// What the node and its HTTP server count, in the Prometheus text format. REQUIRES: exchange.open().
[[nodiscard]] HttpResponse metrics_response(Exchange& exchange);

}  // namespace zell
