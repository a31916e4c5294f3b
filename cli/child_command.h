#pragma once
// Running somebody's command in our place: with our terminal, our streams, and the signals as we got them.

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "node/base/result.h"

namespace zell::cli {

/// How signals were handled when zell was started: the command is to find them so (nohup's ignored SIGHUP, say). To be
/// made before anything takes signals.
class SignalsAtStart {
 public:
  SignalsAtStart();
  /// What was ignored is so again: whoever started us wanted that.
  void keep_ignored() const;
  /// All as it was. Safe between fork and exec.
  void restore() const;
  [[nodiscard]] bool ignored(int signal) const;

 private:
  static constexpr std::array numbers{SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD};
  std::array<struct sigaction, numbers.size()> actions_{};
  sigset_t mask_{};
};

/// Ok if `program` can be found as a shell would, and run. Codes: "not-found", "not-executable".
[[nodiscard]] Status check_program(const std::string& program);

/// Runs `words` and returns its exit code, 128 + N if signal N killed it. Meanwhile SIGINT and SIGQUIT are left to it
/// (it gets them from the terminal, as we do), and SIGTERM and SIGHUP are passed on. It is killed when we are. Nothing
/// is started if a signal was taken before: code "interrupted". Codes: "cannot-run", too.
[[nodiscard]] Result<int> run_child(std::vector<std::string> words, const SignalsAtStart& before);

}  // namespace zell::cli
