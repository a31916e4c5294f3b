#include "node/runtime/log.h"

#include <fstream>
#include <regex>
#include <sstream>

#include "tests/unit/runtime/loop_fixture.h"

namespace zell {

TEST_CASE("a log line has its time, level, node, component, message and fields; a lower level is left out") {
  TestFolder folder;
  auto file = folder.path() / "n1.log";
  {
    auto log = Log::open(file, "info", "n1");
    REQUIRE(log.ok());
    (*log)->write(LogLevel::debug, "consensus", "not this one");
    (*log)->write(LogLevel::warn, "peers", "connection refused", {{"peer", "n2"}, {"count", 3}, {"why", "two words"}});
  }
  std::ifstream in(file);
  std::string line, more;
  REQUIRE(std::getline(in, line));
  CAPTURE(line);
  CHECK(std::regex_match(line, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN n1 peers connection refused )"
                                          R"(peer=n2 count=3 why="two words")")));
  CHECK_FALSE(std::getline(in, more));
}

TEST_CASE("what others send can't forge a log line, or fill the log with one") {
  CHECK(log_value("plain-1.0:7101") == "plain-1.0:7101");
  CHECK(log_value("") == "\"\"");
  CHECK(log_value("a\nb") == "\"a\\nb\"");
  CHECK(log_value("a=\"b\"\x1b") == "\"a=\\\"b\\\"\\x1b\"");
  CHECK(log_value(std::string(100'000, 'x')).size() < 1'100);
}

TEST_CASE("a log that can't be written, and a level that doesn't exist, are refused") {
  TestFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  CHECK(Log::open(folder.path() / "file" / "n1.log", "info", "n1").error().code == "io");
  CHECK(Log::open(folder.path() / "n1.log", "loud", "n1").error().code == "bad-value");
}

}  // namespace zell
