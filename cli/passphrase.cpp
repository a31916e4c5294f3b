#include "cli/passphrase.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "cluster/unique_fd.h"

namespace zell::cli {
namespace {

Result<std::string> from_file(const std::string& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return Error{"not-found", "there is no file " + file, ""};
  if (S_ISREG(status.st_mode) && (status.st_mode & 0077) != 0) {
    return Error{"too-open", "others may read " + file, "chmod 600 " + file};
  }
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line))
    return Error{"bad-argument", file + " has no line", "put the passphrase in its first line"};
  return line;
}

/// Shows nothing that is typed, and shows again what is typed later, whatever happens.
class NoEcho {
 public:
  explicit NoEcho(int terminal) : terminal_(terminal) {
    ok_ = ::tcgetattr(terminal_, &before_) == 0;
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    // With Ctrl-C in the middle the terminal would stay silent: held back until it is restored.
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGTSTP);
    ::sigprocmask(SIG_BLOCK, &interrupts, &mask_);
    ok_ = ok_ && ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  int terminal_;
  bool ok_;
  termios before_{};
  sigset_t mask_{};
};

Result<std::string> ask_once(int terminal, const std::string& prompt) {
  NoEcho silent(terminal);
  const Error no_terminal{"bad-argument", "no terminal to ask for the passphrase on", "give --password-file FILE"};
  if (!silent.ok() || ::write(terminal, prompt.data(), prompt.size()) < 0) return no_terminal;
  std::string line;
  for (char c = 0; ::read(terminal, &c, 1) == 1 && c != '\n';) line += c;
  if (::write(terminal, "\n", 1) < 0) return no_terminal;
  return line;
}

}  // namespace

Result<std::string> read_passphrase(const std::string& file, const std::string& prompt, bool confirm) {
  if (!file.empty()) return from_file(file);
  UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.valid()) {
    return Error{"bad-argument", "no terminal to ask for the passphrase on", "give --password-file FILE"};
  }
  auto first = ask_once(terminal.get(), prompt + ": ");
  if (!first || !confirm) return first;
  auto second = ask_once(terminal.get(), "the same again: ");
  if (!second) return second;
  if (*first != *second) return Error{"bad-argument", "the two differ", "zell key new, again"};
  return first;
}

}  // namespace zell::cli
