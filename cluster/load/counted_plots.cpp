#include "cluster/load/counted_plots.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "cluster/load/documents.h"
#include "cluster/load/html_parts.h"
#include "cluster/load/result_plots.h"

namespace zell {
namespace {

using Json = nlohmann::json;
using Fields = std::vector<const char*>;

std::string amount_text(double value) {
  return value < 10 ? fmt::format("{:.2g}", value) : count_text(value);
}

/// The sum of the fields, for `who` (a node on average, or the leader); nothing if one is missing.
std::optional<double> sum_of(const Json& row, const std::string& who, const Fields& fields) {
  double sum = 0;
  for (const auto* field : fields) {
    const auto value = number_at(row, ("/" + who + "/" + field).c_str());
    if (!value) return std::nullopt;
    sum += *value;
  }
  return sum;
}

/// A line for each size of batch, for a node and for the leader.
Plot plot_of(const Json& rows, const std::string& title, const Fields& fields) {
  std::map<std::string, std::vector<PlotPoint>> lines;
  for (const auto& row : rows) {
    const auto nodes = number_at(row, "/nodes"), batch = number_at(row, "/batch");
    if (!nodes || !batch) continue;
    for (const auto& [who, called] : {std::pair{"a_node", "a node"}, std::pair{"leader", "the leader"}}) {
      const auto value = sum_of(row, who, fields);
      if (!value || *value <= 0) continue;
      const auto name = fmt::format("{}, batches of {:g}", called, *batch);
      lines[name].push_back({*nodes, *value, fmt::format("{}, {:g} nodes: {}", name, *nodes, amount_text(*value))});
    }
  }
  Plot out{title, AxisKind::log10, AxisKind::log10, &count_text, &amount_text, {}};
  for (auto& [name, points] : lines) {
    PlotLine line;
    line.name = name;
    line.color = out.lines.size();
    line.pieces.push_back(std::move(points));
    out.lines.push_back(std::move(line));
  }
  return out;
}

}  // namespace

std::string counted_sections(const Json& document) {
  const auto rows = document.is_object() ? document.value("rows", Json::array()) : Json::array();
  const auto draw = [&](const std::string& title, const Fields& fields) {
    const auto plot = plot_of(rows, title + " by the number of nodes", fields);
    return plot_section(title, "for a finalised request, by the number of nodes: counted", plot);
  };
  return draw("Signatures checked", {"vote_checks", "certificate_checks", "proposal_checks", "request_checks"}) +
         draw("Bytes sent", {"bytes"}) + draw("Messages sent", {"messages"});
}

}  // namespace zell
