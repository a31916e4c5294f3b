// zell node logs, and what `zell up --foreground` shows.

#include "cli/logs_command.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <csignal>

#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/up_command.h"
#include "cluster/log_tail.h"
#include "cluster/operate.h"
#include "cluster/selectors.h"

namespace zell::cli {
namespace {

constexpr Ink prefix_inks[] = {Ink::cyan, Ink::magenta, Ink::yellow, Ink::green, Ink::blue};

class LogPrinter {
 public:
  LogPrinter(std::vector<std::string> names, std::string grep) : names_(std::move(names)), grep_(std::move(grep)) {
    for (const auto& name : names_) width_ = std::max(width_, name.size());
  }
  void print_all(const std::vector<LogLine>& lines) const {
    for (const auto& line : lines) {
      if (!grep_.empty() && line.text.find(grep_) == std::string::npos) continue;
      const auto& name = names_[line.source];
      if (output_mode().json) {
        print_json({{"node", name}, {"line", line.text}});
        continue;
      }
      const auto color = prefix_inks[line.source % std::size(prefix_inks)];
      print(fmt::format("{} {}", ink(color, fmt::format("{:<{}}", name, width_)), line.text));
    }
  }

 private:
  std::vector<std::string> names_;
  std::string grep_;
  std::size_t width_ = 0;
};

std::vector<LogSource> sources_of(const FoundCluster& cluster, const std::vector<std::size_t>& chosen) {
  std::vector<LogSource> out;
  for (const auto k : chosen) {
    const auto& name = cluster.file.nodes[k].name;
    out.push_back({name, cluster.paths.node_log(name)});
  }
  return out;
}

std::vector<std::string> names_of(const std::vector<LogSource>& sources) {
  std::vector<std::string> out;
  for (const auto& source : sources) out.push_back(source.name);
  return out;
}

/// SIGINT and SIGTERM as something to read.
UniqueFd take_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC));
}

/// Readable once any of them is.
UniqueFd any_of(std::initializer_list<int> fds) {
  UniqueFd out(::epoll_create1(EPOLL_CLOEXEC));
  for (const int fd : fds) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (fd >= 0) ::epoll_ctl(out.get(), EPOLL_CTL_ADD, fd, &event);
  }
  return out;
}

/// nullopt once `stop_fd` can be read; else what went wrong.
std::optional<Error> show_until(LogTail& tail, const LogPrinter& printer, int stop_fd) {
  while (true) {
    auto stopped = tail.wait(stop_fd);
    if (!stopped) return stopped.error();
    printer.print_all(tail.read_new());
    if (*stopped) return std::nullopt;
  }
}

Result<std::vector<std::size_t>> choose_nodes(const FoundCluster& cluster, const std::string& selector) {
  std::vector<Candidate> candidates;
  for (const auto& node : cluster.file.nodes) candidates.push_back({node.name, true, false});
  std::size_t faults = 0;
  // Who leads matters only where it is asked for; the logs of a stopped cluster can be read, too.
  if (cluster.running() && selector != "all") {
    auto view = view_cluster(cluster, std::chrono::milliseconds(1'000));
    if (!view) return view.error();
    if (const auto leader = view->leader()) candidates[*leader].leader = true;
    faults = view->genesis.tolerated_faults();
  }
  Prng random(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
  return resolve_selector(selector, candidates, faults, random);
}

}  // namespace

int node_logs(const Globals& globals, const LogsOptions& options) {
  auto cluster = choose_cluster(Environment::of_process(), globals.choice(), true);
  if (!cluster) return fail(cluster.error());
  auto chosen = choose_nodes(*cluster, options.selector);
  if (!chosen) return fail(chosen.error());
  auto sources = sources_of(*cluster, *chosen);
  const LogPrinter printer(names_of(sources), options.grep);
  LogTail tail(std::move(sources));
  printer.print_all(tail.read_last(options.tail));
  if (!options.follow) return done;
  // Ctrl-C ends this command in the ordinary way.
  if (auto failed = show_until(tail, printer, -1)) return fail(*failed);
  return done;
}

int stay_in_foreground(const FoundCluster& cluster, std::int64_t supervisor_pid, UniqueFd owner) {
  const auto signals = take_signals();
  const auto supervisor = watch_process(supervisor_pid);
  const auto either = any_of({signals.get(), supervisor.get()});
  std::vector<std::size_t> all(cluster.file.nodes.size());
  for (std::size_t k = 0; k < all.size(); ++k) all[k] = k;
  auto sources = sources_of(cluster, all);
  const LogPrinter printer(names_of(sources), "");
  LogTail tail(std::move(sources));
  printer.print_all(tail.read_last(0));  // from here on
  hint("try", "Ctrl-C to go down; from another terminal: zell submit hello");
  if (auto failed = show_until(tail, printer, either.get())) return fail(*failed);
  if (wait_for_end(supervisor, std::chrono::milliseconds(0))) {
    talk("the cluster went down");
    return done;
  }
  signalfd_siginfo taken{};
  if (::read(signals.get(), &taken, sizeof taken) < 0) talk("a signal was lost");
  talk("going down; Ctrl-C again kills");
  owner.reset();  // the supervisor notices
  if (auto failed = show_until(tail, printer, either.get())) return fail(*failed);
  if (wait_for_end(supervisor, std::chrono::milliseconds(0))) {
    talk(fmt::format("stopped {} nodes", cluster.file.nodes.size()));
    return done;
  }
  // The nodes go with it.
  ::kill(static_cast<pid_t>(supervisor_pid), SIGKILL);
  return interrupted;
}

}  // namespace zell::cli
