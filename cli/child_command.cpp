#include "cli/child_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "cli/interruption.h"
#include "cluster/unique_fd.h"

namespace zell::cli {
namespace {

constexpr int signal_base = 128;  ///< what shells add to a signal's number

/// 0 if that file can be run, else why not.
int why_not(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return errno;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  return ::access(path.c_str(), X_OK) == 0 ? 0 : EACCES;
}

/// The file that execvp() would run, else the first that it must leave out; empty if there is none at all.
std::string find_in_path(const std::string& program) {
  const char* variable = std::getenv("PATH");
  std::string_view left = variable == nullptr ? "/bin:/usr/bin" : variable;
  std::string unusable;
  while (true) {
    const auto end = std::min(left.find(':'), left.size());
    const auto folder = left.substr(0, end);
    auto path = folder.empty() ? program : fmt::format("{}/{}", folder, program);
    const int problem = why_not(path);
    if (problem == 0) return path;
    if (problem == EACCES && unusable.empty()) unusable = path;
    if (end == left.size()) return unusable;
    left.remove_prefix(end + 1);
  }
}

/// In the child, between fork and exec: only calls that are safe there. Never returns.
[[noreturn]] void become(char* const* arguments, const SignalsAtStart& before, pid_t parent, int report) {
  // Whoever kills us with SIGKILL leaves no cluster behind, and no command that waits for one.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(signal_base + SIGKILL);
  before.restore();
  ::execvp(arguments[0], arguments);
  const int problem = errno;
  // If that can't be said either, the exit code says it.
  if (::write(report, &problem, sizeof problem) < 0) ::_exit(126);
  ::_exit(127);
}

/// SIGINT and SIGQUIT come to the command as to us, from the terminal, and are its to answer.
int wait_for_child(pid_t child, const sigset_t& watched) {
  int status = 0;
  while (true) {
    const int signal = ::sigwaitinfo(&watched, nullptr);
    // Never of another process: nobody but us collects the child, and so frees its number.
    if (signal == SIGTERM || signal == SIGHUP) ::kill(child, signal);
    if (::waitpid(child, &status, WNOHANG) != child) continue;
    return WIFSIGNALED(status) ? signal_base + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

/// Why it could not be run; 0 once it does.
int read_report(int fd) {
  int problem = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd, &problem, sizeof problem);
  } while (got < 0 && errno == EINTR);
  return got == sizeof problem ? problem : 0;
}

Error cannot_run(const std::string& program, int problem) {
  return {"cannot-run", fmt::format("cannot run {}: {}", program, std::generic_category().message(problem)),
          problem == ENOENT ? "is there the interpreter that its first line names?" : ""};
}

/// REQUIRES: the signals of `watched` are blocked.
Result<int> spawn_and_wait(std::vector<std::string>& words, const SignalsAtStart& before, const sigset_t& watched) {
  if (is_interrupted()) return interruption();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return cannot_run(words[0], errno);
  UniqueFd report_read(ends[0]), report_write(ends[1]);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return cannot_run(words[0], errno);
  if (child == 0) become(arguments.data(), before, parent, report_write.get());
  report_write.reset();
  const int problem = read_report(report_read.get());
  const int code = wait_for_child(child, watched);
  if (problem != 0) return cannot_run(words[0], problem);
  return code;
}

}  // namespace

SignalsAtStart::SignalsAtStart() {
  for (std::size_t k = 0; k < numbers.size(); ++k) ::sigaction(numbers[k], nullptr, &actions_[k]);
  ::sigprocmask(SIG_SETMASK, nullptr, &mask_);
}

void SignalsAtStart::keep_ignored() const {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (ignored(number)) ::signal(number, SIG_IGN);
  }
}

void SignalsAtStart::restore() const {
  for (std::size_t k = 0; k < numbers.size(); ++k) ::sigaction(numbers[k], &actions_[k], nullptr);
  ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
}

bool SignalsAtStart::ignored(int signal) const {
  const auto found = std::find(numbers.begin(), numbers.end(), signal);
  return found != numbers.end() && actions_[static_cast<std::size_t>(found - numbers.begin())].sa_handler == SIG_IGN;
}

Status check_program(const std::string& program) {
  const bool in_path = program.find('/') == std::string::npos;
  const auto path = in_path && !program.empty() ? find_in_path(program) : program;
  const int problem = path.empty() ? ENOENT : why_not(path);
  if (problem == 0) return Ok{};
  if (problem == EACCES) return Error{"not-executable", path + " is not executable", "chmod +x " + path};
  if (problem == EISDIR) return Error{"not-executable", path + " is a folder, not a command", ""};
  if (in_path) return Error{"not-found", fmt::format("there is no command '{}' in PATH", program), ""};
  return Error{"not-found", fmt::format("cannot run {}: {}", path, std::generic_category().message(problem)), ""};
}

Result<int> run_child(std::vector<std::string> words, const SignalsAtStart& before) {
  // An ignored SIGCHLD would take the exit code away.
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t watched, otherwise;
  sigemptyset(&watched);
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD}) {
    if (number == SIGCHLD || !before.ignored(number)) sigaddset(&watched, number);
  }
  ::sigprocmask(SIG_BLOCK, &watched, &otherwise);
  auto code = spawn_and_wait(words, before, watched);
  ::sigprocmask(SIG_SETMASK, &otherwise, nullptr);
  return code;
}

}  // namespace zell::cli
