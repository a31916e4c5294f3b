#include "cli/interruption.h"

#include <unistd.h>

#include <csignal>

#include "cli/exit_codes.h"

namespace zell::cli {
namespace {

volatile std::sig_atomic_t signals_taken = 0;

/// The first ends the run in order. After a second one a cluster is its supervisor's alone, which sees that we died.
void on_signal(int) {
  signals_taken = signals_taken + 1;
  if (signals_taken > 1) ::_exit(interrupted);
}

}  // namespace

void take_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

bool is_interrupted() {
  return signals_taken > 0;
}

Error interruption() {
  return {"interrupted", "interrupted before there was a result", ""};
}

}  // namespace zell::cli
