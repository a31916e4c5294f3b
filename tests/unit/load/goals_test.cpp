#include "cluster/load/goals.h"

#include <catch2/catch.hpp>

namespace zell {
namespace {

using Json = nlohmann::json;

/// A machine of round figures: 2 cores, 50 µs a check.
Limits round_figures() {
  Limits out;
  out.machine = {"test", 2, "test"};
  const auto add = [&](const char* name, const char* unit, double value) {
    out.measured.push_back({name, unit, value, 0, value, value, 1, 0});
  };
  add("ecdsa-verify", "us", 50);
  add("ecdsa-sign", "us", 30);
  add("fdatasync-p50", "us", 200);
  add("loopback-round-trip", "us", 100);
  add("append-sync-128k", "bytes/s", 10e6);
  return out;
}

Json result(Json config, double requests_per_s, Json latency) {
  Json node{{"name", "n1"},
            {"cpu_s", 4.0},
            {"cpu_us_per_operation", 20.0},
            {"rss_bytes_max", 100 << 20},
            {"disk_bytes_written", 5e6},
            {"disk_over_payload", 2.0}};
  auto other = node;
  other["rss_bytes_max"] = 300 << 20;
  other["cpu_us_per_operation"] = 40.0;
  other["disk_over_payload"] = 3.0;
  const double operations_per_s = requests_per_s * config.at("bundle").get<double>();
  return {{"schema", 1},
          {"kind", "bench"},
          {"config", std::move(config)},
          {"throughput", {{"requests_per_s", requests_per_s}, {"operations_per_s", operations_per_s}}},
          {"latency_us", std::move(latency)},
          {"generator", {{"cpu_s", 2.0}}},
          {"nodes", {node, other}}};
}

Json config(int bundle, Json rate) {
  return {{"nodes", 4},  {"rate", std::move(rate)}, {"duration_s", 10.0}, {"bundle", bundle},
          {"size", 128}, {"sign", "ahead"}};
}

const Json busy_latency{{"mean", 20'000}, {"p50", 18'000}, {"p99", 45'000}};

const GoalFigure* find(const std::vector<GoalFigure>& goals, std::string_view start) {
  for (const auto& goal : goals) {
    if (goal.name.starts_with(start)) return &goal;
  }
  return nullptr;
}

TEST_CASE("the ceiling of signatures is cores over nodes times a check") {
  CHECK(signature_ceiling(round_figures(), 4) == Approx(2 / (4 * 50e-6)));
  CHECK_FALSE(signature_ceiling(Limits{}, 4).has_value());
}

TEST_CASE("the floor of a lone request is three syncs, six hops and twelve signature operations") {
  CHECK(lone_floor_us(round_figures()) == Approx(3 * 200 + 6 * 50 + 9 * 50 + 3 * 30));
  auto without_disk = round_figures();
  without_disk.measured.erase(without_disk.measured.begin() + 2);
  CHECK_FALSE(lone_floor_us(without_disk).has_value());
}

TEST_CASE("single signatures at saturation are judged by the ceiling") {
  const auto good = goals_of(result(config(1, nullptr), 9'000, busy_latency), round_figures());
  REQUIRE(find(good, "single-signature"));
  CHECK(find(good, "single-signature")->value == Approx(0.9));
  CHECK(find(good, "single-signature")->met == true);
  const auto bad = goals_of(result(config(1, nullptr), 7'000, busy_latency), round_figures());
  CHECK(find(bad, "single-signature")->met == false);
  CHECK_FALSE(find(bad, "lone"));
  CHECK_FALSE(find(bad, "bundles"));
}

TEST_CASE("without what it rests on a goal is neither met nor missed") {
  const auto goals = goals_of(result(config(1, nullptr), 9'000, busy_latency), Limits{{"", 2, ""}, {}});
  REQUIRE(find(goals, "single-signature"));
  CHECK_FALSE(find(goals, "single-signature")->value.has_value());
  CHECK_FALSE(find(goals, "single-signature")->met.has_value());
}

TEST_CASE("bundles of 100 are judged by operations/s and by the disk") {
  const auto goals = goals_of(result(config(100, nullptr), 3'100, busy_latency), round_figures());
  REQUIRE(find(goals, "bundles"));
  CHECK(find(goals, "bundles")->value == Approx(310'000));
  CHECK(find(goals, "bundles")->met == true);
  CHECK(find(goals, "bytes written")->value == Approx(3));
  CHECK(find(goals, "bytes written")->met == false);
  CHECK_FALSE(find(goals, "single-signature"));
}

TEST_CASE("at most one request under way is a lone one, judged by the floor") {
  const Json latency{{"mean", 2'500}, {"p50", 2'000}, {"p99", 12'000}};
  const auto goals = goals_of(result(config(1, 50), 50, latency), round_figures());
  REQUIRE(find(goals, "lone request, p50"));
  CHECK(find(goals, "lone request, p50")->value == Approx(2'000.0 / 1'440));
  CHECK(find(goals, "lone request, p50")->met == true);
  CHECK(find(goals, "lone request, p99")->met == false);
  CHECK_FALSE(find(goals, "at half"));
  CHECK_FALSE(find(goals, "single-signature"));
}

TEST_CASE("half of the maximum rate is told only beside a run at the maximum") {
  const auto half = result(config(1, 4'500), 4'500, busy_latency);
  const auto maximum = result(config(1, nullptr), 9'000, busy_latency);
  const auto alone = goals_of(half, round_figures());
  REQUIRE(find(alone, "at half"));
  CHECK_FALSE(find(alone, "at half")->met.has_value());
  const auto beside = goals_of(half, round_figures(), &maximum);
  CHECK(find(beside, "at half")->met == true);
  const auto other = goals_of(result(config(1, 8'000), 8'000, busy_latency), round_figures(), &maximum);
  CHECK_FALSE(find(other, "at half")->met.has_value());
}

TEST_CASE("memory is the largest node's, CPU the mean of all") {
  const auto goals = goals_of(result(config(1, nullptr), 9'000, busy_latency), round_figures());
  CHECK(find(goals, "memory")->value == Approx(300.0 * (1 << 20)));
  CHECK(find(goals, "memory")->met == false);
  CHECK(find(goals, "CPU")->value == Approx(30));
}

TEST_CASE("what binds is the resource that is used up, or neither") {
  auto run = result(config(1, nullptr), 9'000, busy_latency);
  auto binding = binding_of(run, round_figures());
  CHECK(binding.cpu_share == Approx(0.5));
  CHECK(binding.disk_share == Approx(0.1));
  CHECK(binding.resource == "latency");
  run["generator"]["cpu_s"] = 9.0;
  CHECK(binding_of(run, round_figures()).resource == "cpu");
  run["nodes"][0]["disk_bytes_written"] = 85e6;
  CHECK(binding_of(run, round_figures()).resource == "disk");
  run["nodes"][0].erase("disk_bytes_written");
  CHECK(binding_of(run, round_figures()).resource == "unknown");
}

TEST_CASE("a document without anything yields no goals and no crash") {
  CHECK(goals_of(Json::object(), round_figures()).empty());
  CHECK(binding_of(Json{{"nodes", 4}, {"config", nullptr}}, round_figures()).resource == "unknown");
  CHECK(goals_json({}, binding_of(Json::object(), round_figures())).size() == 1);
}

}  // namespace
}  // namespace zell
