#include "node/base/log_line.h"

#include <catch2/catch.hpp>

#include "node/base/prng.h"

namespace zell {
namespace {

std::string written(const LogRecord& record) {
  auto out = format_log_time(record.unix_ms) + " " +
             format_log_text(record.level, record.node, record.component, record.message);
  for (const auto& [key, value] : record.fields) out += format_log_field(key, value);
  return out;
}

std::string random_text(Prng& prng, std::size_t most, std::string_view alphabet) {
  std::string out;
  for (auto left = prng.below(most + 1); left > 0; --left) {
    out.push_back(alphabet.empty() ? static_cast<char>(prng.below(256)) : alphabet[prng.below(alphabet.size())]);
  }
  return out;
}

std::string word(Prng& prng) {
  return "w" + random_text(prng, 8, "abc-_:.0");
}

LogRecord random_record(Prng& prng) {
  LogRecord out;
  out.unix_ms = static_cast<std::int64_t>(prng.below(253'402'300'800'000));  // up to the end of the year 9999
  out.level = static_cast<LogLevel>(prng.below(4));
  out.node = word(prng);
  out.component = word(prng);
  out.message = word(prng);
  for (auto left = prng.below(4); left > 0; --left) out.message += " " + word(prng);
  for (auto left = prng.below(5); left > 0; --left) {
    out.fields.emplace_back("k" + random_text(prng, 5, "ab_9"), random_text(prng, 40, ""));
  }
  return out;
}

}  // namespace

TEST_CASE("a log line has the bytes that LOG.md says") {
  const LogRecord record{1'795'375'444'123, LogLevel::warn, "n1",
                         "peers",           "disconnected", {{"peer", "n2"}, {"why", "a \"b\"\n"}}};
  CHECK(written(record) == "2026-11-22T19:24:04.123Z WARN n1 peers disconnected peer=n2 why=\"a \\\"b\\\"\\n\"");
  CHECK(parse_log_line(written(record)) == record);
}

TEST_CASE("what is written is read back, whatever the values hold") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Prng prng(seed);
  for (int round = 0; round < 5'000; ++round) {
    const auto record = random_record(prng);
    const auto line = written(record);
    CAPTURE(line);
    CHECK(line.find('\n') == std::string::npos);
    REQUIRE(parse_log_line(line) == record);
  }
}

TEST_CASE("the reader takes any bytes, and what it takes for a line is one") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Prng prng(seed);
  std::size_t read = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto line = prng.below(4) == 0 ? random_text(prng, 100, "") : written(random_record(prng));
    for (auto left = prng.below(4); left > 0 && !line.empty(); --left) {
      const auto at = prng.below(line.size());
      if (prng.below(2) == 0) {
        line[at] = static_cast<char>(prng.below(256));
      } else {
        line.erase(at, prng.below(4));
      }
    }
    const auto record = parse_log_line(line);
    if (!record) continue;
    ++read;
    CAPTURE(line);
    // Written again it means the same: nothing that is not said was read into it.
    REQUIRE(parse_log_line(written(*record)) == record);
  }
  CHECK(read > 1'000);
}

TEST_CASE("a value that was cut says so behind its quote, where no value can") {
  const auto cut = log_value(std::string(2'000, 'x'));
  CHECK(cut == "\"" + std::string(1'024, 'x') + "\"...");
  const auto line = "2026-11-22T19:24:04.123Z INFO n1 a b" + format_log_field("k", std::string(2'000, 'x'));
  CHECK(parse_log_line(line)->fields.front().second == std::string(1'024, 'x') + "...");
}

TEST_CASE("what is not a log line is not taken for one") {
  const std::string time = "2026-11-22T19:24:04.123Z";
  const std::vector<std::string> lines{"",
                                       "terminate called",
                                       time,
                                       time + " INFO n1",
                                       time + " info n1 a b",
                                       "2026-13-22T19:24:04.123Z INFO n1 a b",
                                       "2026-02-30T19:24:04.123Z INFO n1 a b",
                                       time + "INFO n1 a b",
                                       time + " INFO n1 a b k=\"open",
                                       time + " INFO n1 a b k=\"bad\\q\"",
                                       time + " INFO n1 a b k=v w",
                                       time + " INFO n1 a b k="};
  for (const auto& line : lines) {
    CAPTURE(line);
    CHECK_FALSE(parse_log_line(line).has_value());
  }
  CHECK(parse_log_line(time + " INFO n1 a b").has_value());
}

}  // namespace zell
