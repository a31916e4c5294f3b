#pragma once
// One load on clusters of several sizes: what a node's work costs as the cluster grows.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace zell {

/// What one run, a bench document, says about its size.
struct ScaleRow {
  std::uint64_t nodes = 0;
  double requests_per_s = 0;
  std::optional<double> aimed;                      ///< requests/s
  std::optional<double> p50_us, p99_us, cpu_us;     ///< CPU an operation and node, the mean of the nodes
  std::optional<double> cpu_over_first, rss_bytes;  ///< cpu_us over that of the first run; the largest node's memory
  std::optional<double> disk_bytes;                 ///< written an operation and node, the mean of the nodes
  bool carried = false;                             ///< all that was offered became final, on time
};

/// What is finalised of what was aimed at, so that a run is said to be carried.
inline constexpr double carried_share = 0.95;

[[nodiscard]] std::vector<ScaleRow> scale_rows(const std::vector<nlohmann::json>& runs);

/// {"kind":"scale","sizes":[{"nodes","requests_per_s","aimed","p50_us","p99_us","cpu_us_per_operation_and_node",
/// "cpu_over_first","rss_bytes_max","disk_bytes_per_operation_and_node","carried"}],"runs":[bench documents]}
[[nodiscard]] nlohmann::ordered_json scale_json(const std::vector<nlohmann::json>& runs);

/// A page as html_report()'s: what the figures become with the number of nodes. `counted`: null, or a document of
/// counted work (counted_plots.h) that is drawn below.
[[nodiscard]] std::string scale_page(const std::vector<nlohmann::json>& runs, const nlohmann::json& counted = {});

}  // namespace zell
