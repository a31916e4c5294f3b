#include "cluster/load/goals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/load/documents.h"

namespace zell {
namespace {

using Json = nlohmann::json;

// What a request that is alone waits for, one after the other.
constexpr double syncs_on_path = 3;     // the leader's proposal, the followers' LOCK, their FINAL
constexpr double hops_on_path = 6;      // in to the leader, proposal, LOCK, its certificate, FINAL, its certificate
constexpr double checks_on_path = 9;    // the request at two nodes, the proposal, three votes of each round
constexpr double signings_on_path = 3;  // the proposal, one vote of each round

/// Whether at most one request is under way at a time, by Little's law.
bool is_lone(const Json& result) {
  const auto rate = number_at(result, "/throughput/requests_per_s");
  const auto mean = number_at(result, "/latency_us/mean");
  return rate && mean && *rate * *mean / 1e6 <= 1 && number_at(result, "/config/bundle") == 1;
}

bool is_saturating(const Json& result) {
  return !number_at(result, "/config/rate") && number_at(result, "/throughput/requests_per_s");
}

bool is_bundles_of_100(const Json& result) {
  return number_at(result, "/config/bundle") == 100 && number_at(result, "/config/size") == 128;
}

GoalFigure at_least(std::string name, std::optional<double> value, std::string unit, double target, std::string how) {
  GoalFigure out{std::move(name), value, std::move(unit), fmt::format(">= {:g}", target), {}, std::move(how)};
  if (value) out.met = *value >= target;
  return out;
}

GoalFigure at_most(std::string name, std::optional<double> value, std::string unit, double target, std::string how) {
  GoalFigure out{std::move(name), value, std::move(unit), fmt::format("<= {:g}", target), {}, std::move(how)};
  if (value) out.met = *value <= target;
  return out;
}

std::optional<double> ratio(std::optional<double> a, std::optional<double> b) {
  if (!a || !b || *b <= 0) return std::nullopt;
  return *a / *b;
}

double value_of(const Limits& limits, std::string_view name) {
  const auto* limit = limits.find(name);
  return limit == nullptr ? 0 : limit->value;
}

// ---- Each goal ----

void add_signature_goal(std::vector<GoalFigure>& out, const Json& result, const Limits& limits) {
  if (number_at(result, "/config/bundle") != 1 || !is_saturating(result) || is_lone(result)) return;
  const auto nodes = number_at(result, "/config/nodes");
  const auto rate = number_at(result, "/throughput/requests_per_s");
  const auto ceiling = nodes ? signature_ceiling(limits, *nodes) : std::nullopt;
  auto how = ceiling ? fmt::format("{:.0f} requests/s over {} cores / ({:g} nodes x {:.1f} us a check) = {:.0f}/s",
                                   *rate, limits.machine.cores, *nodes, value_of(limits, "ecdsa-verify"), *ceiling)
                     : "ecdsa-verify was not measured";
  if (result.value("/config/sign"_json_pointer, Json()) != "ahead") how += "; the clients signed meanwhile";
  out.push_back(at_least("single-signature requests/s over the ceiling", ratio(rate, ceiling), "x", 0.8, how));
}

void add_bundle_goal(std::vector<GoalFigure>& out, const Json& result) {
  if (!is_bundles_of_100(result) || !is_saturating(result)) return;
  out.push_back(at_least("bundles of 100 x 128 B, final and durable", number_at(result, "/throughput/operations_per_s"),
                         "operations/s", 300'000, "as counted"));
}

void add_lone_goals(std::vector<GoalFigure>& out, const Json& result, const Limits& limits) {
  if (!is_lone(result)) return;
  const auto p50 = number_at(result, "/latency_us/p50");
  const auto floor = lone_floor_us(limits);
  const auto how =
      floor && p50 ? fmt::format(
                         "{:.0f} us over {:g} fdatasync x {:.0f} + {:g} hops x {:.0f} + {:g} checks x {:.1f} + {:g} "
                         "signings x {:.1f} = {:.0f} us",
                         *p50, syncs_on_path, value_of(limits, "fdatasync-p50"), hops_on_path,
                         value_of(limits, "loopback-round-trip") / 2, checks_on_path, value_of(limits, "ecdsa-verify"),
                         signings_on_path, value_of(limits, "ecdsa-sign"), *floor)
                   : "a part of the floor was not measured";
  out.push_back(at_most("lone request, p50 over the floor", ratio(p50, floor), "x", 2, how));
  out.push_back(at_most("lone request, p99", number_at(result, "/latency_us/p99"), "us", 10'000, "as counted"));
}

void add_half_rate_goal(std::vector<GoalFigure>& out, const Json& result, const Json* saturated) {
  const auto aimed = number_at(result, "/config/rate");
  if (!aimed || is_lone(result)) return;
  const auto p99 = number_at(result, "/latency_us/p99");
  const auto maximum = saturated ? number_at(*saturated, "/throughput/requests_per_s") : std::nullopt;
  auto goal = at_most("at half the maximum rate, p99", p99, "us", 50'000, "");
  constexpr double near = 0.1;
  if (!maximum || *maximum <= 0) {
    goal.how = fmt::format("{:g}/s aimed at; a run at the maximum rate beside it would tell", *aimed);
  } else {
    goal.how = fmt::format("{:g}/s aimed at, {:.2f} of {:.0f}/s", *aimed, *aimed / *maximum, *maximum);
  }
  if (!maximum || std::abs(*aimed / *maximum - 0.5) > near) goal.met = std::nullopt;
  out.push_back(std::move(goal));
}

/// The largest of a figure of the nodes.
std::optional<double> largest(const Json& result, const char* pointer) {
  std::optional<double> out;
  const auto nodes = result.find("nodes");
  if (nodes == result.end() || !nodes->is_array()) return out;
  for (const auto& node : *nodes) {
    if (const auto value = number_at(node, pointer)) out = std::max(out.value_or(*value), *value);
  }
  return out;
}

/// The sum of a figure over all nodes; none if one of them lacks it.
std::optional<double> sum_of(const Json& result, const char* pointer) {
  const auto nodes = result.find("nodes");
  if (nodes == result.end() || !nodes->is_array() || nodes->empty()) return std::nullopt;
  double sum = 0;
  for (const auto& node : *nodes) {
    const auto value = number_at(node, pointer);
    if (!value) return std::nullopt;
    sum += *value;
  }
  return sum;
}

void add_node_goals(std::vector<GoalFigure>& out, const Json& result) {
  if (const auto rss = largest(result, "/rss_bytes_max")) {
    auto goal = at_most("memory of a node", rss, "bytes", 256.0 * (1 << 20), "the node with the most");
    goal.target = "<= 256 MiB";
    out.push_back(std::move(goal));
  }
  if (const auto disk = largest(result, "/disk_over_payload")) {
    auto goal = at_most("bytes written to disk over the payload", disk, "x", 2.5, "the node with the most");
    if (!is_bundles_of_100(result) || !is_saturating(result)) {
      goal.met = std::nullopt;
      goal.target.clear();
      goal.how += "; the goal is for bundles of 100 x 128 B, saturated";
    }
    out.push_back(std::move(goal));
  }
  if (const auto cpu = sum_of(result, "/cpu_us_per_operation")) {
    const auto count = static_cast<double>(result.at("nodes").size());
    out.push_back(
        {"CPU an operation and node", *cpu / count, "us", "", {}, fmt::format("the mean of {:g} nodes", count)});
  }
}

}  // namespace

std::optional<double> signature_ceiling(const Limits& limits, double nodes) {
  const auto* verify = limits.find("ecdsa-verify");
  if (verify == nullptr || verify->value <= 0 || nodes <= 0) return std::nullopt;
  return limits.machine.cores * 1e6 / (nodes * verify->value);
}

std::optional<double> lone_floor_us(const Limits& limits) {
  double floor = 0;
  for (const auto& [name, times] : {std::pair{"fdatasync-p50", syncs_on_path},
                                    {"loopback-round-trip", hops_on_path / 2},
                                    {"ecdsa-verify", checks_on_path},
                                    {"ecdsa-sign", signings_on_path}}) {
    const auto* limit = limits.find(name);
    if (limit == nullptr) return std::nullopt;
    floor += times * limit->value;
  }
  return floor;
}

std::vector<GoalFigure> goals_of(const Json& result, const Limits& limits, const Json* saturated) {
  std::vector<GoalFigure> out;
  add_signature_goal(out, result, limits);
  add_bundle_goal(out, result);
  add_lone_goals(out, result, limits);
  add_half_rate_goal(out, result, saturated);
  add_node_goals(out, result);
  return out;
}

Binding binding_of(const Json& result, const Limits& limits) {
  Binding out;
  const auto seconds = number_at(result, "/config/duration_s");
  const auto nodes_cpu = sum_of(result, "/cpu_s");
  const auto generator_cpu = number_at(result, "/generator/cpu_s");
  if (seconds && nodes_cpu && generator_cpu) {
    out.cpu_share = ratio(*nodes_cpu + *generator_cpu, limits.machine.cores * *seconds);
  }
  const auto written = sum_of(result, "/disk_bytes_written");
  const auto* appends = limits.find("append-sync-128k");
  if (seconds && written && appends != nullptr) out.disk_share = ratio(*written / *seconds, appends->value);
  const auto cpu = out.cpu_share.value_or(0), disk = out.disk_share.value_or(0);
  if (!out.cpu_share || !out.disk_share) {
    out.resource = "unknown";
  } else if (std::max(cpu, disk) < binding_share) {
    out.resource = "latency";
  } else {
    out.resource = cpu >= disk ? "cpu" : "disk";
  }
  return out;
}

nlohmann::ordered_json goals_json(const std::vector<GoalFigure>& goals, const Binding& binding) {
  using Ordered = nlohmann::ordered_json;
  const auto or_null = [](const auto& value) { return value ? Ordered(*value) : Ordered(); };
  auto out = Ordered::array();
  for (const auto& goal : goals) {
    out.push_back({{"name", goal.name},
                   {"value", or_null(goal.value)},
                   {"unit", goal.unit},
                   {"goal", goal.target.empty() ? Ordered() : Ordered(goal.target)},
                   {"met", or_null(goal.met)},
                   {"how", goal.how}});
  }
  out.push_back({{"name", "what binds"},
                 {"value", binding.resource},
                 {"cpu_share", or_null(binding.cpu_share)},
                 {"disk_share", or_null(binding.disk_share)},
                 {"goal", nullptr},
                 {"met", nullptr}});
  return out;
}

}  // namespace zell
