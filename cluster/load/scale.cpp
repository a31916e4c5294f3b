#include "cluster/load/scale.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/load/counted_plots.h"
#include "cluster/load/documents.h"
#include "cluster/load/html_parts.h"
#include "cluster/load/result_plots.h"

namespace zell {
namespace {

using Json = nlohmann::json;

struct NodeSums {
  std::optional<double> cpu_us, rss_bytes, disk_bytes;
};

/// None unless every node has them: one that was not up all the time would make the others look dear.
NodeSums sum_nodes(const Json& run) {
  const auto nodes = run.find("nodes");
  if (nodes == run.end() || !nodes->is_array() || nodes->empty()) return {};
  double cpu = 0, rss = 0, disk = 0;
  for (const auto& node : *nodes) {
    const auto node_cpu = number_at(node, "/cpu_us_per_operation"), node_rss = number_at(node, "/rss_bytes_max");
    const auto node_disk = number_at(node, "/disk_bytes_written");
    if (!node_cpu || !node_rss || !node_disk) return {};
    cpu += *node_cpu;
    rss = std::max(rss, *node_rss);
    disk += *node_disk;
  }
  const auto count = static_cast<double>(nodes->size());
  const auto rate = number_at(run, "/throughput/operations_per_s"), seconds = number_at(run, "/config/duration_s");
  const auto operations = rate.value_or(0) * seconds.value_or(0);
  return {cpu / count, rss, operations > 0 ? std::optional(disk / count / operations) : std::nullopt};
}

bool is_carried(const Json& run, const ScaleRow& row) {
  for (const auto* bad : {"/requests/failed", "/requests/unknown"}) {
    if (number_at(run, bad).value_or(0) > 0) return false;
  }
  return row.requests_per_s > 0 && (!row.aimed || row.requests_per_s >= carried_share * *row.aimed);
}

PlotLine line_of(const std::vector<ScaleRow>& rows, std::string name, std::size_t color,
                 std::optional<double> ScaleRow::* figure) {
  PlotLine out;
  out.name = std::move(name);
  out.color = color;
  std::vector<PlotPoint> piece;
  for (const auto& row : rows) {
    const auto& value = row.*figure;
    if (!value || !(*value > 0)) continue;
    piece.push_back({static_cast<double>(row.nodes), *value,
                     fmt::format("{}, {} nodes: {}", out.name, row.nodes, latency_text(*value))});
  }
  if (!piece.empty()) out.pieces.push_back(std::move(piece));
  return out;
}

Plot plot_of(const char* title, AxisKind y, std::vector<PlotLine> lines) {
  std::erase_if(lines, [](const PlotLine& line) { return line.pieces.empty(); });
  return {title, AxisKind::linear, y, &count_text, &latency_text, std::move(lines)};
}

std::string small_bytes_text(double bytes) {
  return fmt::format("{:.1f} kB", bytes / 1'000);
}

std::string two_digits(double value) {
  return fmt::format("{:.2f}", value);
}

}  // namespace

std::vector<ScaleRow> scale_rows(const std::vector<Json>& runs) {
  std::vector<ScaleRow> out;
  for (const auto& run : runs) {
    ScaleRow row;
    row.nodes = static_cast<std::uint64_t>(std::max(0.0, number_at(run, "/config/nodes").value_or(0)));
    row.requests_per_s = number_at(run, "/throughput/requests_per_s").value_or(0);
    row.aimed = number_at(run, "/config/rate");
    row.p50_us = number_at(run, "/latency_us/p50");
    row.p99_us = number_at(run, "/latency_us/p99");
    const auto sums = sum_nodes(run);
    row.cpu_us = sums.cpu_us;
    row.rss_bytes = sums.rss_bytes;
    row.disk_bytes = sums.disk_bytes;
    if (row.cpu_us && !out.empty() && out.front().cpu_us.value_or(0) > 0) {
      row.cpu_over_first = *row.cpu_us / *out.front().cpu_us;
    }
    row.carried = is_carried(run, row);
    out.push_back(row);
  }
  return out;
}

nlohmann::ordered_json scale_json(const std::vector<Json>& runs) {
  using Ordered = nlohmann::ordered_json;
  const auto or_null = [](const std::optional<double>& value) { return value ? Ordered(*value) : Ordered(); };
  auto sizes = Ordered::array();
  for (const auto& row : scale_rows(runs)) {
    sizes.push_back({{"nodes", row.nodes},
                     {"requests_per_s", row.requests_per_s},
                     {"aimed", or_null(row.aimed)},
                     {"p50_us", or_null(row.p50_us)},
                     {"p99_us", or_null(row.p99_us)},
                     {"cpu_us_per_operation_and_node", or_null(row.cpu_us)},
                     {"cpu_over_first", or_null(row.cpu_over_first)},
                     {"rss_bytes_max", or_null(row.rss_bytes)},
                     {"disk_bytes_per_operation_and_node", or_null(row.disk_bytes)},
                     {"carried", row.carried}});
  }
  return {{"kind", "scale"}, {"sizes", std::move(sizes)}, {"runs", runs}};
}

std::string scale_page(const std::vector<Json>& runs, const Json& counted) {
  const auto rows = scale_rows(runs);
  HtmlTable table({"nodes", "requests/s", "p50", "p99", "CPU an operation and node", "over the first", "memory, most",
                   "written an operation and node"});
  for (const auto& row : rows) {
    table.add({fmt::format("{}{}", row.nodes, row.carried ? "" : " (not carried)"), count_text(row.requests_per_s),
               or_dash(row.p50_us, &latency_text), or_dash(row.p99_us, &latency_text),
               or_dash(row.cpu_us, &latency_text), or_dash(row.cpu_over_first, &two_digits),
               or_dash(row.rss_bytes, &bytes_text), or_dash(row.disk_bytes, &small_bytes_text)});
  }
  const auto cpu =
      plot_of("CPU by the number of nodes", AxisKind::linear, {line_of(rows, "CPU", 0, &ScaleRow::cpu_us)});
  const auto latency =
      plot_of("Latency by the number of nodes", AxisKind::log10,
              {line_of(rows, "p50", 0, &ScaleRow::p50_us), line_of(rows, "p99", 1, &ScaleRow::p99_us)});
  return page(fmt::format("zell bench scale · {} sizes", rows.size()), runs.empty() ? "" : machine_text(runs.front()),
              section("Sizes", "the same load on clusters of several sizes", table.end()) +
                  plot_section("CPU an operation and node", "by the number of nodes", cpu) +
                  plot_section("Latency", "by the number of nodes", latency) + counted_sections(counted));
}

}  // namespace zell
