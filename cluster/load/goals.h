#pragma once
// A result of `zell bench` beside what the machine can do: how near it is to what zell is to reach, and what binds it.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cluster/load/limits.h"

namespace zell {

struct GoalFigure {
  std::string name;             ///< "requests/s over the ceiling"
  std::optional<double> value;  ///< none: the result does not tell
  std::string unit;             ///< of the value: "x" (a ratio), "us", "operations/s", "bytes"
  std::string target;           ///< ">= 0.80"; empty: a figure without a goal
  std::optional<bool> met;      ///< none: no goal, or it could not be told
  std::string how;              ///< the formula, with the figures put in, or why it could not be told
};

/// What the run spent its time on, as shares of what there is.
struct Binding {
  std::string resource;              ///< "cpu", "disk", "latency" (neither: it waits for messages and syncs), "unknown"
  std::optional<double> cpu_share;   ///< CPU seconds of nodes and generator over cores x seconds
  std::optional<double> disk_share;  ///< bytes written a second over the synced appends a second
};

/// From this share on a resource is said to bind.
inline constexpr double binding_share = 0.8;

/// Only the goals that a run of this configuration says something about. `result` is a bench document; `saturated`, if
/// there is one, another of the same cluster and load at its maximum rate, for the goal at half of it.
[[nodiscard]] std::vector<GoalFigure> goals_of(const nlohmann::json& result, const Limits& limits,
                                               const nlohmann::json* saturated = nullptr);
[[nodiscard]] Binding binding_of(const nlohmann::json& result, const Limits& limits);

/// Requests/s that the cores could check if each of `nodes` checks each signature; none if it was not measured.
[[nodiscard]] std::optional<double> signature_ceiling(const Limits& limits, double nodes);
/// Microseconds that a lone request takes at least; none if a part of it was not measured.
[[nodiscard]] std::optional<double> lone_floor_us(const Limits& limits);

/// [{"name","value","unit","goal","met","how"}, ..., {"name":"what binds","value":"cpu","cpu_share","disk_share",...}].
[[nodiscard]] nlohmann::ordered_json goals_json(const std::vector<GoalFigure>& goals, const Binding& binding);

}  // namespace zell
