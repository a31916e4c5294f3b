#include "cluster/launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

namespace zell {
namespace {

constexpr int child_ready_fd = 3;
constexpr int child_owner_fd = 4;
constexpr std::chrono::seconds start_timeout{10};
constexpr std::size_t max_answer_bytes = 64 << 10;
constexpr std::uintmax_t max_log_bytes = 1 << 20;  // of earlier runs, some 15,000 lines; then a new one is begun

/// In the grandchild, between fork and exec: only calls that are safe there. Never returns.
[[noreturn]] void become_supervisor(char* const* arguments, int log, int ready, int owner) {
  const int null = ::open("/dev/null", O_RDONLY);
  // First away from the numbers that they are moved to, so that none overwrites another.
  ready = ::fcntl(ready, F_DUPFD, 16);
  if (owner >= 0) owner = ::fcntl(owner, F_DUPFD, 16);
  log = ::fcntl(log, F_DUPFD, 16);
  ::dup2(null, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  ::dup2(ready, child_ready_fd);
  if (owner >= 0) ::dup2(owner, child_owner_fd);
  ::close_range(owner >= 0 ? child_owner_fd + 1 : child_ready_fd + 1, ~0U, 0);
  if (::chdir("/") != 0) ::_exit(126);
  ::umask(0077);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

/// Forks twice: the supervisor belongs to init and can never get a terminal.
Status spawn_detached(char* const* arguments, int log, int ready, int owner) {
  const pid_t child = ::fork();
  if (child < 0) return Error{"spawn-failed", "cannot fork: " + std::generic_category().message(errno), ""};
  if (child == 0) {
    ::setsid();
    const pid_t grandchild = ::fork();
    if (grandchild == 0) become_supervisor(arguments, log, ready, owner);
    ::_exit(grandchild > 0 ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Ok{};
  return Error{"spawn-failed", "cannot fork a second time", ""};
}

Result<std::string> read_line(int fd, const std::filesystem::path& log) {
  const auto deadline = std::chrono::steady_clock::now() + start_timeout;
  std::string text;
  while (text.find('\n') == std::string::npos) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd entry{fd, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&entry, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Error{"timeout", "the supervisor did not start in 10 s", "cat " + log.string()};
    char buffer[4096];
    const auto got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || text.size() > max_answer_bytes) {
      return Error{"spawn-failed", "the supervisor ended before it was ready", "cat " + log.string()};
    }
    text.append(buffer, static_cast<std::size_t>(got));
  }
  text.resize(text.find('\n'));
  return text;
}

}  // namespace

Result<SupervisorAnswer> launch_supervisor(const std::vector<std::string>& command, const std::filesystem::path& log,
                                           const UniqueFd* owner) {
  std::error_code ignored;  // a log that can't be moved away goes on
  if (std::filesystem::file_size(log, ignored) > max_log_bytes && !ignored) {
    std::filesystem::rename(log, log.string() + ".1", ignored);
  }
  UniqueFd log_fd(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log_fd.valid()) {
    return Error{"io", "cannot write " + log.string() + ": " + std::generic_category().message(errno), ""};
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{"io", "no pipe: " + std::generic_category().message(errno), ""};
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  auto words = command;
  words.insert(words.end(), {"--ready-fd", std::to_string(child_ready_fd)});
  if (owner != nullptr) words.insert(words.end(), {"--owner-fd", std::to_string(child_owner_fd)});
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  auto spawned = spawn_detached(arguments.data(), log_fd.get(), write_end.get(), owner != nullptr ? owner->get() : -1);
  if (!spawned) return spawned.error();
  write_end.reset();
  auto line = read_line(read_end.get(), log);
  if (!line) return line.error();
  return decode_answer(*line);
}

std::filesystem::path own_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  // Replaced while it runs (a new build): the link still leads to this very program.
  if (error || !std::filesystem::exists(path, error)) return "/proc/self/exe";
  return path;
}

Status live_with_parent(pid_t parent, int lifeline) {
  const Error orphan{"orphan", "the supervisor that started this node is gone", "zell up"};
  if (parent > 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have died before the line above.
    if (::getppid() != parent) return orphan;
  }
  if (lifeline < 0) return Ok{};
  ::fcntl(lifeline, F_SETFD, FD_CLOEXEC);
  // The thread must never be the one to take a signal: it begins with all of them blocked.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([lifeline] {
    char byte;
    while (true) {
      const auto got = ::read(lifeline, &byte, 1);
      if (got > 0 || (got < 0 && errno == EINTR)) continue;
      ::_exit(0);
    }
  }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return Ok{};
}

}  // namespace zell
