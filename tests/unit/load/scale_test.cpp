#include "cluster/load/scale.h"

#include <catch2/catch.hpp>

namespace zell {
namespace {

using Json = nlohmann::json;

Json run(int nodes, double rate, double requests_per_s, double cpu_us) {
  auto list = Json::array();
  for (int k = 0; k < nodes; ++k) {
    list.push_back({{"name", "n" + std::to_string(k + 1)},
                    {"cpu_us_per_operation", cpu_us + (k == 0 ? nodes : 0)},
                    {"rss_bytes_max", (50 + k) << 20},
                    {"disk_bytes_written", 1'000 * (k + 1)}});
  }
  return {{"config", {{"nodes", nodes}, {"rate", rate}, {"duration_s", 5}}},
          {"requests", {{"failed", 0}, {"unknown", 0}}},
          {"throughput", {{"requests_per_s", requests_per_s}, {"operations_per_s", requests_per_s}}},
          {"latency_us", {{"p50", 2'000 * nodes}, {"p99", 9'000 * nodes}}},
          {"nodes", std::move(list)}};
}

TEST_CASE("each size's CPU is the mean of its nodes, and is set beside the first size's") {
  const auto rows = scale_rows({run(4, 100, 100, 9), run(16, 100, 100, 14)});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].nodes == 4);
  CHECK(rows[0].cpu_us == Approx(10));
  CHECK_FALSE(rows[0].cpu_over_first.has_value());
  CHECK(rows[1].cpu_us == Approx(15));
  CHECK(rows[1].cpu_over_first == Approx(1.5));
  CHECK(rows[1].rss_bytes == Approx(65.0 * (1 << 20)));
  CHECK(rows[1].p99_us == Approx(144'000));
  CHECK(rows[0].disk_bytes == Approx(2'500.0 / 500));
}

TEST_CASE("a size is carried if what was aimed at became final, and nothing was lost") {
  CHECK(scale_rows({run(4, 100, 96, 9)})[0].carried);
  CHECK_FALSE(scale_rows({run(4, 100, 94, 9)})[0].carried);
  auto lossy = run(4, 100, 100, 9);
  lossy["requests"]["unknown"] = 1;
  CHECK_FALSE(scale_rows({lossy})[0].carried);
  auto unaimed = run(4, 100, 50, 9);
  unaimed["config"]["rate"] = nullptr;
  CHECK(scale_rows({unaimed})[0].carried);
}

TEST_CASE("without figures of every node there is no CPU figure") {
  auto down = run(4, 100, 100, 9);
  down["nodes"][2] = {
      {"name", "n3"}, {"cpu_us_per_operation", nullptr}, {"rss_bytes_max", nullptr}, {"disk_bytes_written", 0}};
  CHECK_FALSE(scale_rows({down})[0].cpu_us.has_value());
  CHECK_FALSE(scale_rows({down, run(7, 100, 100, 9)})[1].cpu_over_first.has_value());
}

TEST_CASE("the page of sizes draws what there is") {
  const auto page = scale_page({run(4, 100, 100, 9), run(16, 100, 50, 14)});
  CHECK(page.find("data-line=\"p99\"") != std::string::npos);
  CHECK(page.find("data-line=\"CPU\"") != std::string::npos);
  CHECK(page.find("16 (not carried)") != std::string::npos);
  CHECK(scale_page({}).find("0 sizes") != std::string::npos);
  CHECK(scale_page({Json::object()}).find("data-line") == std::string::npos);
  CHECK(scale_json({run(4, 100, 100, 9)})["sizes"][0]["carried"] == true);
}

}  // namespace
}  // namespace zell
