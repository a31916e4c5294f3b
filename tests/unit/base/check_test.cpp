#include "node/base/check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

namespace {

struct Ending {
  int status = 0;
  std::string printed;
};

/// Runs `body` in a child process and tells how that ended and what it printed on stderr.
template <class Body>
Ending run_in_child(Body body) {
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Catch's handler would report the signal as this test's failure.
    ::signal(SIGABRT, SIG_DFL);
    ::dup2(pipe_ends[1], STDERR_FILENO);
    body();
    ::_exit(0);
  }
  ::close(pipe_ends[1]);
  Ending ending;
  char buffer[256];
  for (ssize_t got; (got = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
    ending.printed.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(pipe_ends[0]);
  REQUIRE(::waitpid(child, &ending.status, 0) == child);
  return ending;
}

}  // namespace

TEST_CASE("a broken invariant ends the process and says which and where, in release builds too") {
  const auto ending = run_in_child([] { ZELL_CHECK(1 + 1 == 3); });
  CHECK(WIFSIGNALED(ending.status));
  CHECK(WTERMSIG(ending.status) == SIGABRT);
  CHECK(ending.printed.find("1 + 1 == 3") != std::string::npos);
  CHECK(ending.printed.find("check_test.cpp") != std::string::npos);
}

TEST_CASE("an invariant that holds costs nothing but its condition") {
  const auto ending = run_in_child([] { ZELL_CHECK(1 + 1 == 2); });
  CHECK(WIFEXITED(ending.status));
  CHECK(WEXITSTATUS(ending.status) == 0);
  CHECK(ending.printed.empty());
}
