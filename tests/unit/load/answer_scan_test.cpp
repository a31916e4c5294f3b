// The answers to submissions: read fast, and only as nodes write them.

#include "cluster/load/answer_scan.h"

#include <catch2/catch.hpp>

#include "node/base/prng.h"
#include "node/http/json.h"

namespace zell {
namespace {

std::vector<RequestReport> sample_reports() {
  std::vector<RequestReport> out(4);
  for (std::size_t k = 0; k < out.size(); ++k) out[k].id.bytes.fill(static_cast<std::uint8_t>(0x5a + k));
  out[0].state = RequestState::finalised;
  out[0].index = {18'446'744'073'709'551'615ULL};
  out[0].view = {3};
  out[1].state = RequestState::refused;
  out[1].reason = "nonce-too-old";
  out[1].hint = "say \"please\"\nand \\ thank you";
  out[2].state = RequestState::initialised;
  out[2].timed_out = true;
  out[3].state = RequestState::locked;
  out[3].index = {7};
  return out;
}

/// As a node answers.
std::string answer_of(const std::vector<RequestReport>& reports) {
  auto results = Json::array();
  for (const auto& report : reports) results.push_back(json_of(report));
  return dump({{"schema", json_schema}, {"results", std::move(results)}});
}

TEST_CASE("what a node writes is read back, in its order") {
  const auto reports = sample_reports();
  std::vector<ScannedAnswer> read(1);
  const auto body = answer_of(reports);
  REQUIRE(scan_submit_answer(body, read).ok());
  REQUIRE(read.size() == reports.size());
  for (std::size_t k = 0; k < reports.size(); ++k) {
    CHECK(read[k].id == reports[k].id);
    CHECK(read[k].state == reports[k].state);
    CHECK(read[k].index == reports[k].index);
    CHECK(read[k].reason == reports[k].reason);
  }
}

TEST_CASE("an answer that is cut short or has more in it is not understood") {
  const auto body = answer_of(sample_reports());
  std::vector<ScannedAnswer> read;
  for (std::size_t length = 0; length < body.size(); ++length) {
    INFO(length);
    CHECK(scan_submit_answer(body.substr(0, length), read).error().code == "bad-answer");
  }
  CHECK_FALSE(scan_submit_answer(body + " ", read).ok());
  CHECK_FALSE(scan_submit_answer(body + body, read).ok());
}

TEST_CASE("answers that mean the same but are written otherwise are not guessed at") {
  const auto id = std::string(64, '0');
  const auto one = [&](const std::string& rest) {
    return R"({"schema":1,"results":[{"id":"0x)" + id + R"(",)" + rest + "}]}\n";
  };
  std::vector<ScannedAnswer> read;
  REQUIRE(scan_submit_answer(one(R"("state":"locked","timed_out":false)"), read).ok());
  for (const std::string wrong :
       {R"("state": "locked","timed_out":false)", R"("timed_out":false,"state":"locked")", R"("state":"locked")",
        R"("state":"locked","timed_out":maybe)", R"("state":"locked","index":-1,"view":0,"timed_out":false)",
        R"("state":"locked","index":99999999999999999999,"view":0,"timed_out":false)",
        R"("state":"locked","index":1,"timed_out":false)", R"("state":"locked","timed_out":false,"more":1)",
        R"("state":"locked\)"}) {
    INFO(wrong);
    CHECK_FALSE(scan_submit_answer(one(wrong), read).ok());
  }
  CHECK_FALSE(scan_submit_answer("{\"schema\":1,\"results\":[]}\n", read).ok());
  CHECK_FALSE(scan_submit_answer("{\"schema\":2,\"results\":[]}\n", read).ok());
  REQUIRE(scan_submit_answer(one(R"("state":"dancing","timed_out":false)"), read).ok());
  CHECK(read[0].state == RequestState::unknown);
}

TEST_CASE("no change of any byte of an answer is more than refused") {
  const std::uint64_t seed = 11;
  INFO("seed " << seed);
  Prng random(seed);
  const auto body = answer_of(sample_reports());
  std::vector<ScannedAnswer> read;
  for (int round = 0; round < 20'000; ++round) {
    auto changed = body;
    for (auto changes = 1 + random.next() % 3; changes > 0; --changes) {
      changed[random.next() % changed.size()] = static_cast<char>(random.next());
    }
    changed.resize(random.next() % 4 == 0 ? random.next() % changed.size() : changed.size());
    if (scan_submit_answer(changed, read).ok()) CHECK(read.size() == 4);
  }
}

}  // namespace
}  // namespace zell
