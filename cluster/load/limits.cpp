#include "cluster/load/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <system_error>

#include "cluster/load/limits_probes.h"

namespace zell {
namespace {

/// A folder that goes with its owner.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make(const std::filesystem::path& parent) {
    auto name = (parent / "limits-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      return Error{
          "io", fmt::format("cannot make a folder in {}: {}", parent.string(), std::generic_category().message(errno)),
          ""};
    }
    return ScratchFolder(name);
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;  // nothing is left to be done about it
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Limit limit_of(const limits::Metric& metric, const std::vector<double>& rounds) {
  Limit out{metric.name, metric.unit, median(rounds), 0, 0, 0, rounds.size(), metric.bytes};
  out.per_s = metric.unit == "us" ? 1e6 / out.value : out.value;
  out.min = *std::min_element(rounds.begin(), rounds.end());
  out.max = *std::max_element(rounds.begin(), rounds.end());
  return out;
}

std::vector<limits::Probe> all_probes(const std::filesystem::path& scratch) {
  std::vector<limits::Probe> out;
  for (auto& part :
       {limits::signature_probes(), limits::hash_probes(), limits::disk_probes(scratch), limits::network_probes()}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace

const Limit* Limits::find(std::string_view name) const {
  const auto found =
      std::find_if(measured.begin(), measured.end(), [&](const Limit& limit) { return limit.name == name; });
  return found == measured.end() ? nullptr : &*found;
}

Result<Limits> measure_limits(const LimitsOptions& options) {
  auto scratch = ScratchFolder::make(options.folder);
  if (!scratch) return scratch.error();
  const auto probes = all_probes(scratch->path());
  // values[probe][metric][round]
  std::vector<std::vector<std::vector<double>>> values(probes.size());
  for (std::size_t p = 0; p < probes.size(); ++p) values[p].resize(probes[p].metrics.size());
  const auto steps = options.rounds * probes.size();
  for (std::size_t step = 0; step < steps; ++step) {
    const auto p = step % probes.size();
    auto round = probes[p].round();
    if (!round) return round.error();
    for (std::size_t m = 0; m < round->size(); ++m) values[p][m].push_back((*round)[m]);
    if (!options.progress(step + 1, steps)) return Error{"interrupted", "stopped before all was measured", ""};
  }
  Limits out{Machine::here(), {}};
  for (std::size_t p = 0; p < probes.size(); ++p) {
    for (std::size_t m = 0; m < values[p].size(); ++m) {
      out.measured.push_back(limit_of(probes[p].metrics[m], values[p][m]));
    }
  }
  return out;
}

nlohmann::ordered_json to_json(const Limits& limits) {
  auto measured = nlohmann::ordered_json::array();
  for (const auto& limit : limits.measured) {
    nlohmann::ordered_json entry{{"name", limit.name},    {"unit", limit.unit}, {"value", limit.value},
                                 {"per_s", limit.per_s},  {"min", limit.min},   {"max", limit.max},
                                 {"rounds", limit.rounds}};
    if (limit.bytes > 0) entry["bytes"] = limit.bytes;
    measured.push_back(std::move(entry));
  }
  return {{"schema", 1},
          {"kind", "limits"},
          {"machine", limits.machine.to_json()},
          {"cores", limits.machine.cores},
          {"measured", measured}};
}

Result<Limits> parse_limits(const nlohmann::json& document) {
  try {
    if (document.at("schema") != 1 || document.at("kind") != "limits") {
      return Error{"bad-document", "it is no limits document of schema 1", "zell bench limits --json"};
    }
    Limits out;
    const auto& machine = document.at("machine");
    out.machine = {machine.at("cpu"), document.at("cores"), machine.at("kernel")};
    for (const auto& entry : document.at("measured")) {
      out.measured.push_back({entry.at("name"), entry.at("unit"), entry.at("value"), entry.at("per_s"), entry.at("min"),
                              entry.at("max"), entry.at("rounds"), entry.value("bytes", 0ULL)});
    }
    return out;
  } catch (const nlohmann::json::exception& error) {
    return Error{"bad-document", std::string("it is no limits document: ") + error.what(), "zell bench limits --json"};
  }
}

}  // namespace zell
