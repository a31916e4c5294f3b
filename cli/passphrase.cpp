#include "cli/passphrase.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>

#include "cluster/unique_fd.h"

namespace zell::cli {
namespace {

constexpr char ctrl_c = 3;
constexpr std::size_t max_line_bytes = 4'096 - 2;  // what a terminal passes on of one

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
    // A signal in the middle would leave the terminal silent: Ctrl-C is read like a character, and ends the line.
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    silent.c_cc[VEOL] = ctrl_c;
    ok_ = ok_ && ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() { ::tcsetattr(terminal_, TCSAFLUSH, &before_); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  int terminal_;
  bool ok_;
  termios before_{};
};

Error io_error(const std::string& doing) {
  return {"io", "cannot " + doing + " the terminal: " + std::generic_category().message(errno), ""};
}

/// A line. Codes: "interrupted" (Ctrl-C, or Ctrl-D before anything was typed), "too-long", "io".
Result<std::string> read_line(int terminal) {
  std::string line;
  while (true) {
    char c = 0;
    const auto got = ::read(terminal, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read from");
    if (got == 0 || c == ctrl_c) return Error{"interrupted", "interrupted", ""};
    if (c == '\n') return line;
    if (line.size() == max_line_bytes) return Error{"bad-argument", "that is too long", ""};
    line += c;
  }
}

Result<std::string> ask(int terminal, const std::string& prompt) {
  NoEcho silent(terminal);
  if (!silent.ok() || ::write(terminal, prompt.data(), prompt.size()) < 0) return io_error("ask on");
  auto line = read_line(terminal);
  if (::write(terminal, "\n", 1) < 0) return io_error("ask on");
  return line;
}

/// The terminal, also when stdin is something else. Code "bad-argument".
Result<UniqueFd> open_terminal(const std::string& what, const std::string& instead) {
  UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.valid()) return Error{"bad-argument", "no terminal to ask for " + what + " on", instead};
  return terminal;
}

}  // namespace

Result<std::string> read_passphrase(const std::string& file, const std::string& prompt, bool confirm,
                                    const std::string& option) {
  if (!file.empty()) return from_file(file);
  auto terminal = open_terminal("the passphrase", "give " + option + " FILE");
  if (!terminal) return terminal.error();
  auto first = ask(terminal->get(), prompt + ": ");
  if (!first || !confirm) return first;
  auto second = ask(terminal->get(), "the same again: ");
  if (!second) return second;
  if (*first != *second) return Error{"bad-argument", "the two differ", "type it again, or give " + option + " FILE"};
  return first;
}

Result<std::string> read_new_passphrase(const std::string& file, const std::string& prompt, const std::string& option) {
  auto passphrase = read_passphrase(file, prompt, true, option);
  if (passphrase && passphrase->empty()) {
    return Error{"bad-argument", "an empty passphrase protects nothing",
                 "only a development key has none: zell key new NAME --dev"};
  }
  return passphrase;
}

Result<std::string> read_hidden_line(const std::string& prompt) {
  auto terminal = open_terminal("it", "give it on stdin");
  if (!terminal) return terminal.error();
  return ask(terminal->get(), prompt + ": ");
}

Status confirm(const std::string& question, const std::string& word) {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) {
    return Error{"usage", "no terminal to ask on whether you are sure", "--yes says that you are"};
  }
  std::fputs((question + " ").c_str(), stderr);
  std::string line;
  for (int c = 0; (c = std::fgetc(stdin)) != EOF && c != '\n' && line.size() <= word.size();) {
    line += static_cast<char>(c);
  }
  if (line != word) return Error{"declined", "nothing was done", ""};
  return Ok{};
}

}  // namespace zell::cli
