#pragma once
// What an HTTP server counts.

#include <map>
#include <string_view>
#include <utility>

#include "node/metrics/metrics_text.h"

namespace zell {

/// Loop thread only.
class HttpCounters {
 public:
  /// `route` is a literal of the table of routes, so that a client can't make up series; see route_label().
  void answered(std::string_view route, unsigned status) { ++answers_[{route, status}]; }
  void write(MetricsText& out) const;

  std::size_t connections = 0;  ///< now

 private:
  std::map<std::pair<std::string_view, unsigned>, std::uint64_t> answers_;
};

}  // namespace zell
