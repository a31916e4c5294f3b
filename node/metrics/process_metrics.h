#pragma once
// What the operating system knows of this process, under the names that Prometheus' own libraries use.

#include "node/metrics/metrics_text.h"

namespace zell {

/// Reads /proc/self, which no disk is behind: may be called on the loop thread. What can't be read is left out.
void write_process_metrics(MetricsText& out);

}  // namespace zell
