#include "cluster/load/result.h"

#include <fmt/format.h>

namespace zell {

namespace {

using Json = nlohmann::ordered_json;

double seconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

double per(double what, double count) {
  return count > 0 ? what / count : 0;
}

Json json_of(const BenchConfig& config) {
  return {{"nodes", config.nodes},
          {"asked", config.asked},
          {"rate", config.rate ? Json(*config.rate) : Json()},
          {"in_flight", config.in_flight ? Json(*config.in_flight) : Json()},
          {"duration_s", seconds_of(config.duration)},
          {"warmup_s", seconds_of(config.warmup)},
          {"clients", config.clients},
          {"size", config.payload_bytes},
          {"bundle", config.bundle},
          {"sign", config.sign_ahead ? "ahead" : "inline"},
          {"wait", config.wait},
          {"ephemeral", config.ephemeral}};
}

Json json_of(const LoadCounts& counts) {
  return {{"offered", counts.offered}, {"finalised", counts.finalised},
          {"refused", counts.refused}, {"refused_by", Json(counts.refused_by)},
          {"failed", counts.failed},   {"failed_by", Json(counts.failed_by)},
          {"unknown", counts.unknown}, {"retried", counts.retried}};
}

Json latency_json(const Histogram& latency) {
  auto counts = Json::array();
  for (const auto& bucket : latency.filled()) counts.push_back({bucket.lower, bucket.upper, bucket.count});
  return {{"from", "intended"},
          {"count", latency.count()},
          {"min", latency.min()},
          {"mean", latency.mean()},
          {"p50", latency.percentile(50)},
          {"p90", latency.percentile(90)},
          {"p99", latency.percentile(99)},
          {"p99_9", latency.percentile(99.9)},
          {"max", latency.max()},
          {"histogram", {{"significant_bits", latency.significant_bits()}, {"counts", std::move(counts)}}}};
}

Json seconds_json(const BenchResult& result) {
  auto out = Json::array();
  for (std::size_t k = 0; k < result.counts.seconds.size(); ++k) {
    const auto& second = result.counts.seconds[k];
    out.push_back({{"second", k},
                   {"requests", second.requests},
                   {"operations", second.requests * result.config.bundle},
                   {"refused", second.refused},
                   {"p50_us", second.latency.percentile(50)},
                   {"p99_us", second.latency.percentile(99)},
                   {"max_us", second.latency.max()}});
  }
  return out;
}

Json json_of(const NodeFigures& node, const BenchResult& result) {
  Json out{{"name", node.name}};
  if (!node.used) {
    for (const auto* key : {"cpu_s", "cpu_us_per_operation", "cpu_us_per_request", "rss_bytes_max", "rss_bytes_end",
                            "fds_end", "disk_bytes_written", "disk_over_payload"}) {
      out[key] = nullptr;
    }
    return out;
  }
  const auto& used = *node.used;
  out["cpu_s"] = seconds_of(used.cpu);
  out["cpu_us_per_operation"] = result.cpu_us_per_operation(used);
  out["cpu_us_per_request"] = result.cpu_us_per_request(used);
  out["rss_bytes_max"] = used.rss_bytes_max;
  out["rss_bytes_end"] = used.rss_bytes_end;
  out["fds_end"] = used.fds_end;
  out["disk_bytes_written"] = used.written_bytes;
  out["disk_over_payload"] = result.disk_over_payload(used);
  return out;
}

Json json_of(const GeneratorFigures& generator, const BenchResult& result) {
  return {
      {"cpu_s", seconds_of(generator.cpu)},
      {"cores_used", result.generator_cores()},
      {"cpu_us_per_request", per(seconds_of(generator.cpu) * 1e6, static_cast<double>(result.counts.final_in_window))},
      {"behind_us_max", generator.behind_max.count() / 1000},
      {"signing_s", seconds_of(generator.signing)},
      {"signed_ahead", generator.signed_ahead},
      {"signed_while_sending", generator.signed_while_sending},
      {"posts", generator.posts}};
}

Json asserted_json(const std::optional<std::vector<Asserted>>& all) {
  if (!all) return nullptr;
  auto out = Json::array();
  for (const auto& one : *all) {
    out.push_back(
        {{"expression", one.expression}, {"value", one.value ? Json(*one.value) : Json()}, {"holds", one.holds}});
  }
  return out;
}

}  // namespace

double BenchResult::cpu_us_per_request(const ProcessMeter::Used& used) const {
  return per(seconds_of(used.cpu) * 1e6, static_cast<double>(counts.final_in_window));
}
double BenchResult::cpu_us_per_operation(const ProcessMeter::Used& used) const {
  return cpu_us_per_request(used) / static_cast<double>(config.bundle);
}
double BenchResult::disk_over_payload(const ProcessMeter::Used& used) const {
  return per(static_cast<double>(used.written_bytes), payload_bytes_per_s() * seconds());
}

Json json_of(const BenchResult& result) {
  auto nodes = Json::array();
  for (const auto& node : result.nodes) nodes.push_back(json_of(node, result));
  return {{"schema", 1},
          {"kind", "bench"},
          {"version", result.version},
          {"started_unix_ms", result.started_unix_ms},
          {"machine", result.machine.to_json()},
          {"config", json_of(result.config)},
          {"requests", json_of(result.counts)},
          {"throughput",
           {{"requests_per_s", result.requests_per_s()},
            {"operations_per_s", result.operations_per_s()},
            {"payload_bytes_per_s", result.payload_bytes_per_s()}}},
          {"latency_us", latency_json(result.counts.latency)},
          {"seconds", seconds_json(result)},
          {"nodes", std::move(nodes)},
          {"generator", json_of(result.generator, result)},
          {"log",
           {{"view_before", result.view_before},
            {"view_after", result.view_after},
            {"first_index", result.counts.first.value},
            {"last_index", result.counts.last.value}}},
          {"warnings", result.warnings},
          {"limits", result.limits},
          {"goals", result.goals},
          {"asserted", asserted_json(result.asserted)}};
}

std::string csv_of(const BenchResult& result) {
  std::string out = "second,requests,operations,refused,p50_us,p99_us,max_us\n";
  for (std::size_t k = 0; k < result.counts.seconds.size(); ++k) {
    const auto& second = result.counts.seconds[k];
    out +=
        fmt::format("{},{},{},{},{},{},{}\n", k, second.requests, second.requests * result.config.bundle,
                    second.refused, second.latency.percentile(50), second.latency.percentile(99), second.latency.max());
  }
  return out;
}

}  // namespace zell
