#include "node/runtime/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

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

TEST_CASE("the log level can be changed while it is written") {
  TestFolder folder;
  const auto file = folder.path() / "log";
  {
    auto log = Log::open(file, "warn", "n1");
    REQUIRE(log.ok());
    (*log)->write(LogLevel::info, "a", "not this one");
    (*log)->set_level(LogLevel::debug);
    CHECK((*log)->level() == LogLevel::debug);
    (*log)->write(LogLevel::debug, "a", "this one");
  }
  std::ifstream in(file);
  std::string line;
  REQUIRE(std::getline(in, line));
  CHECK(parse_log_line(line)->message == "this one");
  CHECK_FALSE(std::getline(in, line));
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

TEST_CASE("a log is bounded by files times bytes, and every line but those of removed files is there once, in order") {
  TestFolder folder;
  const auto file = folder.path() / "log";
  constexpr std::uint64_t count = 500;
  {
    auto log = Log::open(file, "info", "n1", {2'000, 3});
    REQUIRE(log.ok());
    for (std::uint64_t k = 0; k < count; ++k) (*log)->write(LogLevel::info, "a", "line", {{"k", k}});
  }
  std::vector<std::string> lines;
  for (const auto* suffix : {".2", ".1", ""}) {
    const auto name = file.string() + suffix;
    CHECK(std::filesystem::file_size(name) <= 2'000);
    struct stat status{};
    REQUIRE(::stat(name.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    for (auto& line : lines_of(name)) lines.push_back(std::move(line));
  }
  CHECK_FALSE(std::filesystem::exists(file.string() + ".3"));
  REQUIRE(lines.size() > 50);
  for (std::size_t k = 0; k < lines.size(); ++k) {
    CHECK(parse_log_line(lines[k])->fields.front().second == std::to_string(count - lines.size() + k));
  }
}

/// In a process of its own, whose stderr is `error_file`: fills the log over a rotation, then says its last words.
void fill_and_crash(const std::filesystem::path& log_file, const std::filesystem::path& error_file) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int fd = ::open(error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, STDERR_FILENO);
    {
      auto log = Log::open(log_file, "info", "n1", {2'000, 3});
      for (std::uint64_t k = 0; k < 200; ++k) (*log)->write(LogLevel::info, "a", "line", {{"k", k}});
    }
    constexpr std::string_view words = "last words\n";
    (void)!::write(STDERR_FILENO, words.data(), words.size());
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
}

TEST_CASE(
    "a stderr that is the log file goes along to the new file, so that a crash's last words are at the end of it") {
  TestFolder folder;
  const auto file = folder.path() / "log", elsewhere = folder.path() / "elsewhere";
  fill_and_crash(file, file);
  CHECK(std::filesystem::exists(file.string() + ".2"));
  CHECK(lines_of(file).back() == "last words");
  // One that is somewhere else stays there.
  fill_and_crash(file, elsewhere);
  CHECK(lines_of(elsewhere) == std::vector<std::string>{"last words"});
  CHECK(parse_log_line(lines_of(file).back()).has_value());
}

TEST_CASE("lines that came too fast to be written are counted in the log") {
  TestFolder folder;
  const auto pipe = folder.path() / "log";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  // Nobody reads: the writing thread is stuck once the pipe is full.
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  std::string all;
  {
    auto log = Log::open(pipe, "info", "n1");
    REQUIRE(log.ok());
    for (std::uint64_t k = 0; k < 20'000; ++k) (*log)->write(LogLevel::info, "a", "line", {{"k", k}});
    const auto drain = [&] {
      char buffer[64 << 10];
      for (ssize_t got = 0; (got = ::read(reader, buffer, sizeof buffer)) > 0;)
        all.append(buffer, static_cast<std::size_t>(got));
    };
    for (int k = 0; k < 20'000 && all.find("lines were lost") == std::string::npos; ++k) {
      drain();
      (*log)->write(LogLevel::info, "a", "afterwards");
      ::usleep(100);  // the other thread writes meanwhile; the loop ends as soon as it has
    }
    ::fcntl(reader, F_SETFL, 0);
    std::thread rest([&] {
      char buffer[4096];
      while (::read(reader, buffer, sizeof buffer) > 0) {
      }
    });
    log->reset();
    rest.join();
  }
  ::close(reader);
  CHECK(std::regex_search(all, std::regex("WARN n1 log lines were lost: they came too fast count=[0-9]+")));
}

}  // namespace zell
