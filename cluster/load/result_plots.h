#pragma once
// What is drawn of results; for html_report.cpp alone.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cluster/load/svg_plot.h"

namespace zell {

/// A document, and what it is called on the page.
struct NamedResult {
  std::string name;
  const nlohmann::json* document;
};

// Each is without lines if no document has what it shows.
[[nodiscard]] Plot throughput_plot(const std::vector<NamedResult>& results);
[[nodiscard]] Plot latency_plot(const std::vector<NamedResult>& results);
[[nodiscard]] Plot percentile_plot(const std::vector<NamedResult>& results);

/// Whether its requests hold several payloads each.
[[nodiscard]] bool is_bundled(const nlohmann::json& document);

/// "812", "5,031", "1.24 M".
[[nodiscard]] std::string count_text(double value);
/// "640 µs", "8.1 ms", "1.2 s".
[[nodiscard]] std::string latency_text(double us);
/// "99.9 %".
[[nodiscard]] std::string percent_text(double fraction);

}  // namespace zell
