// The answer to a submission.

#include "node/http/json.h"
#include "tests/bench/made_up_log.h"
#include "tests/bench/piece.h"

namespace zell::bench {
namespace {

constexpr std::size_t result_count = 256;

Run answer() {
  std::vector<RequestReport> reports(result_count);
  for (std::size_t i = 0; i < result_count; ++i) {
    reports[i].id.bytes.fill(static_cast<std::uint8_t>(i));
    reports[i].state = RequestState::finalised;
    reports[i].index = {1'000'000 + i};
  }
  return [reports] {
    auto results = Json::array();
    for (const auto& report : reports) results.push_back(json_of(report));
    keep(dump({{"schema", json_schema}, {"results", std::move(results)}}).size());
  };
}

}  // namespace

std::vector<Piece> json_pieces() {
  return {{"answer to 256 requests as JSON", "request", result_count, 10, answer}};
}

}  // namespace zell::bench
