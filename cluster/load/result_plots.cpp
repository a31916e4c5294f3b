#include "cluster/load/result_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/load/documents.h"

namespace zell {
namespace {

using Json = nlohmann::json;

std::string second_text(double second) {
  return fmt::format("{:g} s", second);
}

/// A figure of each second; a second without it is a gap.
PlotLine line_of_seconds(const Json& document, const char* pointer, std::string name, std::string (*text)(double),
                         double least) {
  PlotLine out;
  out.name = std::move(name);
  bool open = false;
  const auto seconds = document.find("seconds");
  if (seconds == document.end() || !seconds->is_array()) return out;
  for (const auto& entry : *seconds) {
    const auto second = number_at(entry, "/second");
    const auto value = number_at(entry, pointer);
    if (!second || *second < 0 || !value || *value < least) {
      open = false;
      continue;
    }
    if (!open) out.pieces.emplace_back();
    open = true;
    out.pieces.back().push_back({*second, *value, fmt::format("{}, second {:g}: {}", out.name, *second, text(*value))});
  }
  return out;
}

void add_if_any(Plot& plot, PlotLine line) {
  if (!line.pieces.empty()) plot.lines.push_back(std::move(line));
}

/// Buckets as [lower, upper, count], in ascending order; what is not of that form is passed over.
PlotLine line_of_percentiles(const Json& document, std::string name) {
  PlotLine out;
  out.name = std::move(name);
  const Json::json_pointer at("/latency_us/histogram/counts");
  if (!document.contains(at) || !document.at(at).is_array()) return out;
  std::vector<std::pair<double, double>> buckets;
  double total = 0;
  for (const auto& entry : document.at(at)) {
    const auto upper = number_at(entry, "/1"), count = number_at(entry, "/2");
    if (!upper || !count || *upper < 0 || !(*count > 0)) continue;
    buckets.emplace_back(*upper, *count);
    total += *count;
  }
  if (buckets.empty()) return out;
  std::sort(buckets.begin(), buckets.end());
  const auto highest = number_at(document, "/latency_us/max").value_or(buckets.back().first);
  // The last one is drawn where all but one are passed: 100 % would be infinitely far.
  constexpr double most_counted = 1e12;  // more nines than this a double can't tell apart
  const auto last = total > 1 ? 1 - 1 / std::min(total, most_counted) : 0;
  std::vector<PlotPoint> piece;
  double passed = 0;
  for (const auto& [upper, count] : buckets) {
    const auto value = std::min(upper, highest);
    // Steps: all between the two shares took this long at most, not something between two buckets.
    piece.push_back({std::min(passed / total, last), value, ""});
    passed += count;
    const auto fraction = std::min(passed / total, last);
    const auto share = passed < total ? percent_text(fraction) : "100 %";
    piece.push_back({fraction, value, fmt::format("{}: {} within {}", out.name, share, latency_text(value))});
  }
  out.pieces.push_back(std::move(piece));
  return out;
}

}  // namespace

bool is_bundled(const Json& document) {
  return number_at(document, "/config/bundle").value_or(1) > 1;
}

Plot throughput_plot(const std::vector<NamedResult>& results) {
  Plot plot{"Throughput by second", AxisKind::linear, AxisKind::linear, &second_text, &count_text, {}};
  for (std::size_t k = 0; k < results.size(); ++k) {
    const auto& document = *results[k].document;
    const bool bundled = is_bundled(document);
    const std::string unit = bundled ? "operations/s" : "requests/s";
    auto line = line_of_seconds(document, bundled ? "/operations" : "/requests",
                                results.size() == 1 ? unit : results[k].name, &count_text, 0);
    line.color = k;
    line.filled = results.size() == 1;
    add_if_any(plot, std::move(line));
    if (results.size() > 1 || number_at(document, "/requests/refused").value_or(0) == 0) continue;
    auto refused = line_of_seconds(document, "/refused", "refused/s", &count_text, 0);
    refused.color = 1;
    add_if_any(plot, std::move(refused));
  }
  return plot;
}

Plot latency_plot(const std::vector<NamedResult>& results) {
  Plot plot{"Latency by second", AxisKind::linear, AxisKind::log10, &second_text, &latency_text, {}};
  struct Figure {
    const char *pointer, *name;
  };
  const std::vector<Figure> figures{{"/p50_us", "p50"}, {"/p99_us", "p99"}, {"/max_us", "max"}};
  constexpr double least_us = 0.001;  // a logarithm's axis has no zero
  for (std::size_t k = 0; k < results.size(); ++k) {
    const bool alone = results.size() == 1;
    for (std::size_t f = 0; f < (alone ? figures.size() : 2); ++f) {
      const auto name = alone ? std::string(figures[f].name) : fmt::format("{}, {}", results[k].name, figures[f].name);
      auto line = line_of_seconds(*results[k].document, figures[f].pointer, name, &latency_text, least_us);
      line.color = alone ? f : k;
      line.dashed = !alone && f == 1;
      add_if_any(plot, std::move(line));
    }
  }
  return plot;
}

Plot percentile_plot(const std::vector<NamedResult>& results) {
  Plot plot{"Latency by percentile", AxisKind::percentile, AxisKind::linear, &percent_text, &latency_text, {}};
  for (std::size_t k = 0; k < results.size(); ++k) {
    auto line = line_of_percentiles(*results[k].document, results.size() == 1 ? "latency" : results[k].name);
    line.color = k;
    add_if_any(plot, std::move(line));
  }
  return plot;
}

std::string count_text(double value) {
  if (std::abs(value) >= 1e6) return fmt::format("{:.{}f} M", value / 1e6, std::abs(value) < 1e7 ? 2 : 1);
  if (std::abs(value) < 10 && value != std::floor(value)) return fmt::format("{:.1f}", value);
  auto digits = fmt::format("{:.0f}", std::abs(value));
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return (value < 0 ? "-" : "") + digits;
}

std::string latency_text(double us) {
  if (us == 0) return "0";
  if (us < 1) return fmt::format("{:.0f} ns", us * 1e3);
  if (us < 1'000) return fmt::format("{:.{}f} µs", us, us < 100 && us != std::floor(us) ? 1 : 0);
  const auto [value, unit] = us < 1e6 ? std::pair(us / 1e3, "ms") : std::pair(us / 1e6, "s");
  const bool whole = std::abs(value - std::round(value)) < 0.05 * (value < 10 ? 1 : 10);
  return fmt::format("{:.{}f} {}", value, whole ? 0 : 1, unit);
}

std::string percent_text(double fraction) {
  // As many nines as it has: 99.99 %.
  auto text = fmt::format("{:.6f}", fraction * 100);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  const auto digits = fraction < 0.99 ? 1 : static_cast<int>(std::ceil(-std::log10(1 - fraction) - 1e-9)) - 1;
  const auto rounded =
      fmt::format("{:.{}f}", std::floor(fraction * 100 * std::pow(10, digits) + 1e-6) / std::pow(10, digits), digits);
  return (text.size() < rounded.size() ? text : rounded) + " %";
}

}  // namespace zell
