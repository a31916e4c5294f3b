#include "cluster/load/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "cluster/load/documents.h"

namespace zell {
namespace {

using Json = nlohmann::json;

/// Of a sorted, non-empty list.
double median_of(const std::vector<double>& sorted) {
  const auto middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/// In how many of the orders of n and m values Mann and Whitney's U is 0, 1, 2, …: by what comes last in the order.
std::vector<double> rank_sum_counts(std::size_t n, std::size_t m) {
  // row[j][u]: the orders of i values of one kind and j of the other.
  std::vector<std::vector<double>> row(m + 1, std::vector<double>{1});
  for (std::size_t i = 1; i <= n; ++i) {
    for (std::size_t j = 0; j <= m; ++j) {
      std::vector<double> counts(i * j + 1, 0.0);
      for (std::size_t u = 0; u < row[j].size(); ++u) counts[u + j] += row[j][u];
      if (j > 0) {
        for (std::size_t u = 0; u < row[j - 1].size(); ++u) counts[u] += row[j - 1][u];
      }
      row[j] = std::move(counts);
    }
  }
  return row[m];
}

/// How many of the ordered ratios may be cut off at each end, and the confidence that is left. 0: none.
std::pair<std::size_t, double> ratios_to_cut(std::size_t n, std::size_t m, double confidence) {
  const auto counts = rank_sum_counts(n, m);
  double all = 0;
  for (auto count : counts) all += count;
  std::size_t cut = 0;
  double tail = 0, cut_tail = 0;
  while (cut < counts.size() / 2) {
    tail += counts[cut] / all;
    // A hair more, so that a level that is met exactly is not lost in rounding.
    if (2 * tail > (1 - confidence) * (1 + 1e-12)) break;
    cut_tail = tail;
    ++cut;
  }
  return {cut, cut == 0 ? 0 : 1 - 2 * cut_tail};
}

struct FigureKind {
  const char* name;
  const char* unit;
  bool higher_is_better;
  std::optional<double> (*value)(const Json&);
};

std::optional<double> cpu_per_operation(const Json& document) {
  const auto nodes = document.find("nodes");
  if (nodes == document.end() || !nodes->is_array() || nodes->empty()) return std::nullopt;
  double sum = 0;
  for (const auto& node : *nodes) {
    const auto value = number_at(node, "/cpu_us_per_operation");
    if (!value) return std::nullopt;
    sum += *value;
  }
  return sum / static_cast<double>(nodes->size());
}

constexpr FigureKind figure_kinds[] = {
    {"requests/s", "requests/s", true, [](const Json& d) { return number_at(d, "/throughput/requests_per_s"); }},
    {"operations/s", "operations/s", true, [](const Json& d) { return number_at(d, "/throughput/operations_per_s"); }},
    {"p50", "us", false, [](const Json& d) { return number_at(d, "/latency_us/p50"); }},
    {"p99", "us", false, [](const Json& d) { return number_at(d, "/latency_us/p99"); }},
    {"CPU an operation and node", "us", false, cpu_per_operation},
};

/// One value a document; none if one of them lacks it.
std::optional<std::vector<double>> values_of(const FigureKind& kind, const std::vector<Json>& documents) {
  std::vector<double> out;
  for (const auto& document : documents) {
    const auto value = kind.value(document);
    if (!value || !(*value > 0)) return std::nullopt;
    out.push_back(*value);
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// "KEY (one, other)" for each key of `part` whose values are not the same in all documents.
std::vector<std::string> differences(const char* part, const std::vector<Json>& base, const std::vector<Json>& fresh) {
  std::map<std::string, std::set<std::string>> values;
  std::set<std::string> keys;
  for (const auto* side : {&base, &fresh}) {
    for (const auto& document : *side) {
      const auto found = document.find(part);
      if (found == document.end() || !found->is_object()) continue;
      for (const auto& [key, value] : found->items()) keys.insert(key);
    }
  }
  for (const auto* side : {&base, &fresh}) {
    for (const auto& document : *side) {
      for (const auto& key : keys) {
        const auto found = document.find(part);
        const bool has = found != document.end() && found->is_object() && found->contains(key);
        values[key].insert(has ? (*found)[key].dump(-1, ' ', false, Json::error_handler_t::replace) : "absent");
      }
    }
  }
  std::vector<std::string> out;
  for (const auto& [key, different] : values) {
    if (different.size() > 1) out.push_back(fmt::format("{} ({})", key, fmt::join(different, ", ")));
  }
  return out;
}

Verdict overall(const std::vector<ComparedFigure>& figures) {
  const auto any = [&](Verdict verdict) {
    return std::any_of(figures.begin(), figures.end(), [&](const auto& figure) { return figure.verdict == verdict; });
  };
  if (any(Verdict::slower)) return Verdict::slower;
  if (any(Verdict::faster)) return Verdict::faster;
  return any(Verdict::inconclusive) || figures.empty() ? Verdict::inconclusive : Verdict::same;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::faster:
      return "faster";
    case Verdict::slower:
      return "slower";
    case Verdict::same:
      return "same";
    case Verdict::inconclusive:
      break;
  }
  return "inconclusive";
}

RatioEstimate estimate_ratio(std::vector<double> base, std::vector<double> fresh, double confidence) {
  ZELL_CHECK(!base.empty() && !fresh.empty() && confidence > 0 && confidence < 1);
  ZELL_CHECK(base.size() <= max_compared_runs && fresh.size() <= max_compared_runs);
  std::vector<double> ratios;
  for (auto b : base) {
    for (auto f : fresh) ratios.push_back(f / b);
  }
  std::sort(ratios.begin(), ratios.end());
  RatioEstimate out;
  out.ratio = median_of(ratios);
  const auto [cut, reached] = ratios_to_cut(base.size(), fresh.size(), confidence);
  if (cut == 0) return out;
  out.interval = {ratios[cut - 1], ratios[ratios.size() - cut]};
  out.confidence = reached;
  return out;
}

Verdict judge(const RatioEstimate& estimate, bool higher_is_better, double within) {
  if (!estimate.interval) return Verdict::inconclusive;
  const auto [low, high] = *estimate.interval;
  if (low > 1 && estimate.ratio > 1 + within) return higher_is_better ? Verdict::faster : Verdict::slower;
  if (high < 1 && estimate.ratio < 1 - within) return higher_is_better ? Verdict::slower : Verdict::faster;
  return low >= 1 - within && high <= 1 + within ? Verdict::same : Verdict::inconclusive;
}

Result<Comparison> compare_results(const std::vector<Json>& base, const std::vector<Json>& fresh,
                                   const CompareOptions& options) {
  if (std::max(base.size(), fresh.size()) > max_compared_runs) {
    return Error{"too-many", fmt::format("a side has more than {} runs", max_compared_runs), ""};
  }
  Comparison out;
  out.different_config = differences("config", base, fresh);
  out.different_machine = differences("machine", base, fresh);
  if (!out.different_config.empty() && !options.force) {
    return Error{"different-configs",
                 fmt::format("the runs are not of one configuration: {}", fmt::join(out.different_config, "; ")),
                 "--force compares them all the same"};
  }
  for (const auto& kind : figure_kinds) {
    const auto base_values = values_of(kind, base), new_values = values_of(kind, fresh);
    if (!base_values || !new_values) {
      out.left_out.emplace_back(kind.name);
      continue;
    }
    const auto estimate = estimate_ratio(*base_values, *new_values, options.confidence);
    out.figures.push_back({kind.name, kind.unit, kind.higher_is_better, median_of(*base_values), median_of(*new_values),
                           estimate, judge(estimate, kind.higher_is_better, options.within)});
  }
  out.verdict = overall(out.figures);
  return out;
}

}  // namespace zell
