#pragma once
// What a bench found, and the documents that it is written as. Format: RESULTS.md.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cluster/load/machine.h"
#include "cluster/load/recorder.h"
#include "cluster/load/resources.h"

namespace zell {

struct BenchConfig {
  std::size_t nodes = 0;
  std::vector<std::string> asked;  ///< names of the nodes that were sent to
  std::optional<double> rate;
  std::optional<std::uint64_t> in_flight;  ///< without a rate
  std::chrono::milliseconds duration{}, warmup{};
  std::size_t clients = 0, payload_bytes = 0, bundle = 1;
  bool sign_ahead = true;
  std::string wait;
  bool ephemeral = false;
};

struct NodeFigures {
  std::string name;
  std::optional<ProcessMeter::Used> used;  ///< nullopt: it was not up all the time
};

struct GeneratorFigures {
  std::chrono::nanoseconds cpu{};         ///< in the measured window
  std::chrono::nanoseconds behind_max{};  ///< how late it sent at worst
  std::chrono::nanoseconds signing{};     ///< ahead, by the clock
  std::uint64_t signed_ahead = 0, signed_while_sending = 0;
  std::uint64_t posts = 0;
};

/// One part of --assert, and whether it held.
struct Asserted {
  std::string expression;
  std::optional<double> value;  ///< in the unit of the expression; nullopt: not measured
  bool holds = false;
  std::string unit;  ///< of the expression; may be empty
};

struct BenchResult {
  std::string version;
  std::int64_t started_unix_ms = 0;
  Machine machine;
  BenchConfig config;
  LoadCounts counts;
  std::vector<NodeFigures> nodes;
  GeneratorFigures generator;
  std::uint64_t view_before = 0, view_after = 0;
  std::vector<std::string> warnings;
  nlohmann::ordered_json limits;  ///< the document of `zell bench limits`, or null
  nlohmann::ordered_json goals;   ///< what they say about what zell is to reach (LIMITS.md), or null
  std::optional<std::vector<Asserted>> asserted;

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(config.duration).count(); }
  [[nodiscard]] double requests_per_s() const { return static_cast<double>(counts.final_in_window) / seconds(); }
  [[nodiscard]] double operations_per_s() const { return requests_per_s() * static_cast<double>(config.bundle); }
  [[nodiscard]] double payload_bytes_per_s() const {
    return operations_per_s() * static_cast<double>(config.payload_bytes);
  }
  [[nodiscard]] double generator_cores() const {
    return std::chrono::duration<double>(generator.cpu).count() / seconds();
  }
  /// Of one node; 0 if nothing became final.
  [[nodiscard]] double cpu_us_per_request(const ProcessMeter::Used& used) const;
  [[nodiscard]] double cpu_us_per_operation(const ProcessMeter::Used& used) const;
  [[nodiscard]] double disk_over_payload(const ProcessMeter::Used& used) const;
};

[[nodiscard]] nlohmann::ordered_json json_of(const BenchResult& result);
/// A line a second, after one that names the columns.
[[nodiscard]] std::string csv_of(const BenchResult& result);

}  // namespace zell
