#include "cluster/load/expectations.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "node/config/nearest.h"

namespace zell {

namespace {

enum class Kind : std::uint8_t { time, count, bytes, ratio };
using Reading = std::optional<double>;

struct Figure {
  std::string_view name;
  Kind kind;
  std::function<Reading(const BenchResult&)> read;
};

using LatencyFigure = std::function<double(const Histogram&)>;

Figure time_figure(std::string_view name, LatencyFigure read) {
  return {name, Kind::time, [read = std::move(read)](const BenchResult& result) {
            const auto& latency = result.counts.latency;
            return latency.count() == 0 ? Reading() : Reading(read(latency));
          }};
}
Figure percentile_figure(std::string_view name, double percent) {
  return time_figure(name,
                     [percent](const Histogram& latency) { return static_cast<double>(latency.percentile(percent)); });
}

/// The highest of any node's; nullopt if one of them was not there to be measured.
Reading highest(const BenchResult& result, const std::function<double(const ProcessMeter::Used&)>& read) {
  Reading out;
  for (const auto& node : result.nodes) {
    if (!node.used) return std::nullopt;
    out = std::max(out.value_or(0), read(*node.used));
  }
  return out;
}

const std::vector<Figure>& figures() {
  using R = const BenchResult&;
  static const auto count = [](std::uint64_t LoadCounts::* member) {
    return [member](R result) { return Reading(static_cast<double>(result.counts.*member)); };
  };
  static const std::vector<Figure> all{
      percentile_figure("p50", 50),
      percentile_figure("p90", 90),
      percentile_figure("p99", 99),
      percentile_figure("p99.9", 99.9),
      time_figure("max", [](const Histogram& latency) { return static_cast<double>(latency.max()); }),
      time_figure("min", [](const Histogram& latency) { return static_cast<double>(latency.min()); }),
      time_figure("mean", [](const Histogram& latency) { return latency.mean(); }),
      {"rate", Kind::count, [](R result) { return Reading(result.requests_per_s()); }},
      {"ops", Kind::count, [](R result) { return Reading(result.operations_per_s()); }},
      {"finalised", Kind::count, count(&LoadCounts::finalised)},
      {"refused", Kind::count, count(&LoadCounts::refused)},
      {"failed", Kind::count, count(&LoadCounts::failed)},
      {"unknown", Kind::count, count(&LoadCounts::unknown)},
      {"rss", Kind::bytes,
       [](R result) {
         return highest(result, [](const auto& used) { return static_cast<double>(used.rss_bytes_max); });
       }},
      {"disk", Kind::ratio,
       [](R result) { return highest(result, [&](const auto& used) { return result.disk_over_payload(used); }); }},
  };
  return all;
}

const Figure* find_figure(std::string_view name) {
  const auto found =
      std::find_if(figures().begin(), figures().end(), [&](const Figure& one) { return one.name == name; });
  return found == figures().end() ? nullptr : &*found;
}

struct Unit {
  std::string_view word;
  double factor;
};

/// What the word after the number stands for; nullopt if it is none for such a figure.
std::optional<double> unit_of(Kind kind, std::string_view word) {
  static constexpr Unit times[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}};
  static constexpr Unit sizes[] = {{"", 1}, {"KiB", 1024}, {"MiB", 1024.0 * 1024}, {"GiB", 1024.0 * 1024 * 1024}};
  static constexpr Unit none[] = {{"", 1}};
  const auto find = [&](const auto& units) -> std::optional<double> {
    for (const auto& unit : units) {
      if (unit.word == word) return unit.factor;
    }
    return std::nullopt;
  };
  return kind == Kind::time ? find(times) : kind == Kind::bytes ? find(sizes) : find(none);
}

Error usage(std::string what, std::string hint) {
  return {"usage", "--assert: " + std::move(what), std::move(hint)};
}

Error unknown_figure(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& figure : figures()) names.push_back(figure.name);
  const auto near = nearest_word(std::string(name), names);
  std::string all;
  for (const auto one : names) all += (all.empty() ? "" : ", ") + std::string(one);
  return usage("no figure is called '" + std::string(name) + "'",
               near.empty() ? "one of " + all : "did you mean " + std::string(near) + "?");
}

Result<Expectation> parse_one(std::string_view text) {
  const std::string quoted = "'" + std::string(text) + "'";
  const std::string example = "p99<50ms,rate>9000";
  const auto at = text.find_first_of("<>=");
  if (at == std::string_view::npos) return usage(quoted + " compares nothing", "write it as " + example);
  const std::size_t sign_length = text.substr(at + 1).starts_with('=') && text[at] != '=' ? 2 : 1;
  const auto* figure = find_figure(text.substr(0, at));
  if (figure == nullptr) return unknown_figure(text.substr(0, at));
  const auto value = text.substr(at + sign_length);
  Expectation out{std::string(text), figure->name, {}, 0, 1, {}};
  for (const std::string_view sign : {"<=", ">=", "<", ">", "="}) {
    if (text.substr(at, sign_length) == sign) out.sign = sign;
  }
  const auto [end, problem] =
      std::from_chars(value.data(), value.data() + value.size(), out.bound, std::chars_format::fixed);
  if (problem != std::errc{} || !std::isfinite(out.bound)) {
    return usage(quoted + " has no number after " + std::string(out.sign), "write it as " + example);
  }
  const std::string_view word(end, static_cast<std::size_t>(value.data() + value.size() - end));
  const auto unit = unit_of(figure->kind, word);
  if (!unit) {
    return usage(quoted + (word.empty() ? " lacks a unit" : " has a unit that it can't have: " + std::string(word)),
                 figure->kind == Kind::time    ? "us, ms or s"
                 : figure->kind == Kind::bytes ? "KiB, MiB, GiB, or none for bytes"
                                               : "it is a plain number");
  }
  out.unit = *unit;
  out.unit_word = word;
  return out;
}

}  // namespace

Result<std::vector<Expectation>> parse_expectations(std::string_view text) {
  std::vector<Expectation> out;
  while (true) {
    const auto comma = text.find(',');
    auto one = parse_one(text.substr(0, comma));
    if (!one) return one.error();
    out.push_back(std::move(*one));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

Asserted check(const Expectation& expectation, const BenchResult& result) {
  const auto reading = find_figure(expectation.name)->read(result);
  if (!reading) return {expectation.text, std::nullopt, false, expectation.unit_word};
  const double value = *reading / expectation.unit;
  const bool holds = expectation.sign == "<"    ? value < expectation.bound
                     : expectation.sign == "<=" ? value <= expectation.bound
                     : expectation.sign == ">"  ? value > expectation.bound
                     : expectation.sign == ">=" ? value >= expectation.bound
                                                : value == expectation.bound;
  return {expectation.text, value, holds, expectation.unit_word};
}

}  // namespace zell
