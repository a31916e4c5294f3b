#include "cluster/load/counted_plots.h"

#include <catch2/catch.hpp>

namespace zell {
namespace {

using Json = nlohmann::json;

Json row(int nodes, int batch, double factor) {
  const auto work = [&](double times) {
    return Json{{"vote_checks", times},    {"certificate_checks", 2 * times}, {"proposal_checks", times},
                {"request_checks", times}, {"bytes", 1'000 * times},          {"messages", times}};
  };
  return {{"nodes", nodes}, {"batch", batch}, {"a_node", work(factor)}, {"leader", work(3 * factor)}};
}

TEST_CASE("counted work is drawn as a line for each size of batch, of a node and of the leader") {
  const auto page = counted_sections({{"rows", {row(4, 1, 2), row(100, 1, 40), row(4, 256, 1), row(100, 256, 1)}}});
  for (const auto* line : {"a node, batches of 1", "the leader, batches of 256"}) {
    CHECK(page.find(std::string("data-line=\"") + line + '"') != std::string::npos);
  }
  CHECK(page.find("a node, batches of 1, 100 nodes: 200") != std::string::npos);  // 40 · (1 + 2 + 1 + 1) checks
  CHECK(page.find("Bytes sent") != std::string::npos);
}

TEST_CASE("what a document of counted work lacks is not drawn") {
  CHECK(counted_sections(Json::object()).empty());
  CHECK(counted_sections(Json()).empty());
  auto one = row(4, 1, 2);
  one["a_node"].erase("bytes");
  one["leader"].erase("bytes");
  const auto page = counted_sections({{"rows", {one}}});
  CHECK(page.find("Bytes sent") == std::string::npos);
  CHECK(page.find("Messages sent") != std::string::npos);
}

}  // namespace
}  // namespace zell
