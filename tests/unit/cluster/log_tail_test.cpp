#include "cluster/log_tail.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "cluster/since.h"
#include "node/base/log_line.h"
#include "node/base/prng.h"
#include "tests/unit/cluster/scratch.h"

namespace zell {
namespace {

/// A log that is rotated as a node does it: 3 old files.
class Written {
 public:
  explicit Written(std::filesystem::path file) : file_(std::move(file)) {
    std::filesystem::create_directories(file_.parent_path());
  }
  void line(std::int64_t unix_ms, const std::string& text) {
    std::ofstream(file_, std::ios::app) << format_log_time(unix_ms) << " " << text << "\n";
  }
  void rotate() const {
    std::filesystem::remove(nth(3));
    for (int n = 3; n > 0; --n) {
      if (std::filesystem::exists(nth(n - 1))) std::filesystem::rename(nth(n - 1), nth(n));
    }
  }
  [[nodiscard]] LogSource source() const { return {"n1", file_}; }

 private:
  [[nodiscard]] std::filesystem::path nth(int n) const {
    return n == 0 ? file_ : std::filesystem::path(file_.string() + "." + std::to_string(n));
  }
  std::filesystem::path file_;
};

std::vector<std::string> words_of(const std::vector<LogLine>& lines) {
  std::vector<std::string> out;
  for (const auto& line : lines) out.push_back(line.text.substr(log_time_bytes + 1));
  return out;
}

std::vector<LogLine> all_since(LogTail& tail, std::int64_t since) {
  std::vector<LogLine> out;
  tail.read_all(since, [&](LogLine line) { out.push_back(std::move(line)); });
  return out;
}

using Words = std::vector<std::string>;

TEST_CASE("history is read over all files of all nodes, by time and from a time on") {
  Scratch scratch;
  Written a(scratch.path / "n1" / "log"), b(scratch.path / "n2" / "log");
  a.line(1'000, "a1");
  a.rotate();
  b.line(2'000, "b2");
  a.line(3'000, "a3");
  a.rotate();
  b.rotate();
  b.line(4'000, "b4");
  a.line(5'000, "a5");
  LogTail tail({a.source(), b.source()});
  CHECK(words_of(all_since(tail, 0)) == Words{"a1", "b2", "a3", "b4", "a5"});
  CHECK(tail.read_new().empty());
  LogTail later({a.source(), b.source()});
  CHECK(words_of(all_since(later, 3'000)) == Words{"a3", "b4", "a5"});
  LogTail last({a.source(), b.source()});
  CHECK(words_of(last.read_last(2)) == Words{"b4", "a5"});
  b.line(6'000, "b6");
  CHECK(words_of(last.read_new()) == Words{"b6"});
}

TEST_CASE("following misses nothing and repeats nothing, however often a log is rotated between two looks") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Prng prng(seed);
  Scratch scratch;
  Written log(scratch.path / "n1" / "log");
  LogTail tail({log.source()});
  CHECK(tail.read_last(0).empty());
  int written = 0, seen = 0;
  for (int look = 0; look < 300; ++look) {
    auto rotations = prng.below(4);  // up to three: then the file that was read last is the oldest that is kept
    for (auto left = prng.below(6); left > 0; --left) {
      if (rotations > 0 && prng.below(2) == 0) {
        log.rotate();
        --rotations;
      }
      log.line(written, std::to_string(written));
      ++written;
    }
    for (const auto& line : tail.read_new()) {
      REQUIRE(line.text.substr(log_time_bytes + 1) == std::to_string(seen));
      ++seen;
    }
    REQUIRE(seen == written);
  }
}

TEST_CASE("a log that is emptied in place is read from its beginning, and a removed cluster ends the following") {
  Scratch scratch;
  Written log(scratch.path / "dev" / "n1" / "log");
  log.line(1'000, "a longer line than the next");
  LogTail tail({log.source()});
  CHECK(tail.read_last(9).size() == 1);
  std::ofstream(log.source().file, std::ios::trunc) << "";
  log.line(2'000, "anew");
  CHECK(words_of(tail.read_new()) == Words{"anew"});
  CHECK_FALSE(*tail.wait(-1));
  std::filesystem::remove_all(scratch.path / "dev");
  auto waited = tail.wait(-1);
  while (waited.ok()) waited = tail.wait(-1);
  CHECK(waited.error().code == "no-cluster");
}

TEST_CASE("a time to begin at is an age, a time as the logs print it, or a clock") {
  const auto now = *parse_log_time("2026-11-22T19:24:04.123Z");
  const auto at = [&](std::string_view text) { return format_log_time(*parse_since(text, now)); };
  CHECK(at("5m") == "2026-11-22T19:19:04.123Z");
  CHECK(at("90s") == "2026-11-22T19:22:34.123Z");
  CHECK(at("250ms") == "2026-11-22T19:24:03.873Z");
  CHECK(at("2d") == "2026-11-20T19:24:04.123Z");
  CHECK(at("2026-11-22T10:00:00.500Z") == "2026-11-22T10:00:00.500Z");
  CHECK(at("2026-11-22 10:00:07") == "2026-11-22T10:00:07.000Z");
  CHECK(at("2026-11-22T10:00Z") == "2026-11-22T10:00:00.000Z");
  CHECK(at("2026-11-21") == "2026-11-21T00:00:00.000Z");
  CHECK(at("19:24") == "2026-11-22T19:24:00.000Z");
  CHECK(at("19:24:05") == "2026-11-21T19:24:05.000Z");  // it has not come today
  for (const auto* bad :
       {"", "5", "m", "-5m", "5 m", "5w", "99999999999s", "25:00", "2026-13-01", "yesterday", "19:2"}) {
    CAPTURE(bad);
    CHECK(parse_since(bad, now).error().code == "bad-value");
  }
}

}  // namespace
}  // namespace zell
