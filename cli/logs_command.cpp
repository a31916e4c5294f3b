// zell node logs, and what `zell up --foreground` shows.

#include "cli/logs_command.h"

#include <fmt/format.h>
#include <regex.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <csignal>
#include <deque>
#include <memory>

#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/node_choice.h"
#include "cli/up_command.h"
#include "cluster/control_channel.h"
#include "cluster/log_tail.h"
#include "cluster/operate.h"
#include "cluster/selectors.h"
#include "cluster/since.h"
#include "node/base/log_line.h"

namespace zell::cli {
namespace {

constexpr Ink prefix_inks[] = {Ink::cyan, Ink::magenta, Ink::green, Ink::blue};
constexpr std::uint64_t default_tail = 50;
constexpr std::chrono::seconds node_timeout{5};

/// An extended regular expression, as grep -E takes it. (std::regex recurses for each character: a long line would end
/// the program.)
class Pattern {
 public:
  static Result<Pattern> make(const std::string& text) {
    auto compiled = std::make_unique<regex_t>();
    if (const int problem = ::regcomp(compiled.get(), text.c_str(), REG_EXTENDED | REG_NOSUB); problem != 0) {
      char why[256];
      ::regerror(problem, compiled.get(), why, sizeof why);
      return Error{
          "bad-value", "'" + text + "' is no pattern: " + why,
          "it is an extended regular expression, as for grep -E; put \\ before a character that is meant itself"};
    }
    Pattern out;
    out.compiled_.reset(compiled.release());
    return out;
  }
  [[nodiscard]] bool matches(const std::string& line) const {
    regmatch_t whole{0, static_cast<regoff_t>(line.size())};  // the line may hold zeros
    return ::regexec(compiled_.get(), line.c_str(), 1, &whole, REG_STARTEND) == 0;
  }

 private:
  struct Free {
    void operator()(regex_t* regex) const {
      ::regfree(regex);
      delete regex;
    }
  };
  std::unique_ptr<regex_t, Free> compiled_;
};

/// What nodes print outside of their logs comes from those that end: it counts as an error.
LogLevel level_of(const std::string& line) {
  const auto record = parse_log_line(line);
  return record ? record->level : LogLevel::error;
}

/// What the options let through.
struct Wanted {
  std::optional<Pattern> pattern;
  std::optional<LogLevel> least;
  [[nodiscard]] bool all() const { return !pattern && !least; }
  bool operator()(const LogLine& line) const {
    if (least && level_of(line.text) < *least) return false;
    return !pattern || pattern->matches(line.text);
  }
};

Result<Wanted> wanted_by(const LogsOptions& options) {
  Wanted out;
  if (!options.grep.empty()) {
    auto pattern = Pattern::make(options.grep);
    if (!pattern) return pattern.error();
    out.pattern = std::move(*pattern);
  }
  if (!options.level.empty()) out.least = log_level_from(options.level);
  return out;
}

Json json_of(const std::string& name, const std::string& text) {
  Json out{{"node", name}, {"time", Json()}, {"level", Json()}};
  if (const auto record = parse_log_line(text)) {
    Json fields = Json::object();
    for (const auto& [key, value] : record->fields) fields[key] = value;
    out["time"] = format_log_time(record->unix_ms);
    out["level"] = to_string(record->level);
    out["component"] = record->component;
    out["message"] = record->message;
    out["fields"] = std::move(fields);
  }
  out["line"] = text;
  return out;
}

class LogPrinter {
 public:
  explicit LogPrinter(std::vector<std::string> names) : names_(std::move(names)) {
    for (const auto& name : names_) width_ = std::max(width_, name.size());
  }
  void print_line(const LogLine& line) const {
    const auto& name = names_[line.source];
    if (output_mode().json) return print_json(json_of(name, line.text));
    const auto color = prefix_inks[line.source % std::size(prefix_inks)];
    const auto level = output_mode().color_out ? level_of(line.text) : LogLevel::info;
    const auto shade = level == LogLevel::error  ? Ink::red
                       : level == LogLevel::warn ? Ink::yellow
                       : level == LogLevel::info ? Ink::plain
                                                 : Ink::dim;
    print(fmt::format("{} {}", ink(color, fmt::format("{:<{}}", name, width_)), ink(shade, harmless(line.text))));
  }
  void print_all(const std::vector<LogLine>& lines, const Wanted& wanted) const {
    for (const auto& line : lines) {
      if (wanted(line)) print_line(line);
    }
  }

 private:
  std::vector<std::string> names_;
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
std::optional<Error> show_until(LogTail& tail, const LogPrinter& printer, const Wanted& wanted, int stop_fd) {
  while (true) {
    auto stopped = tail.wait(stop_fd);
    if (!stopped) return stopped.error();
    printer.print_all(tail.read_new(), wanted);
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

/// What is there by now: all since a time, or the last lines of those that are wanted.
void show_history(LogTail& tail, const LogPrinter& printer, const Wanted& wanted, std::optional<std::int64_t> since,
                  std::optional<std::uint64_t> count) {
  if (since && !count) {
    return tail.read_all(*since, [&](const LogLine& line) {
      if (wanted(line)) printer.print_line(line);
    });
  }
  const auto lines = count.value_or(default_tail);
  if (!since && wanted.all()) return printer.print_all(tail.read_last(lines), wanted);
  std::deque<LogLine> last;
  tail.read_all(since.value_or(0), [&](LogLine line) {
    if (wanted(line)) last.push_back(std::move(line));
    if (last.size() > lines) last.pop_front();
  });
  for (const auto& line : last) printer.print_line(line);
}

}  // namespace

int node_logs(const Globals& globals, const LogsOptions& options) {
  const auto wanted = wanted_by(options);
  if (!wanted) return fail(wanted.error());
  std::optional<std::int64_t> since;
  if (!options.since.empty()) {
    auto time = parse_since(options.since, wall_clock_ms());
    if (!time) return fail(time.error());
    since = *time;
  }
  auto cluster = choose_cluster(Environment::of_process(), globals.choice(), true);
  if (!cluster) return fail(cluster.error());
  auto chosen = choose_nodes(*cluster, options.selector);
  if (!chosen) return fail(chosen.error());
  auto sources = sources_of(*cluster, *chosen);
  const LogPrinter printer(names_of(sources));
  LogTail tail(std::move(sources));
  show_history(tail, printer, *wanted, since, options.tail);
  if (!options.follow) return done;
  // Ctrl-C ends this command in the ordinary way.
  if (auto failed = show_until(tail, printer, *wanted, -1)) return fail(*failed);
  return done;
}

int set_log_level(const Globals& globals, const std::string& level, const std::string& selector) {
  if (!log_level_from(level)) {
    return fail({"bad-value", "'" + level + "' is no log level", "one of debug, info, warn, error"});
  }
  auto chosen =
      choose_nodes(globals, selector, [](const NodeView& node) { return node.process.state == ProcessState::running; });
  if (!chosen) return fail(chosen.error());
  Json nodes = Json::array();
  std::optional<Error> failed;
  for (const auto k : chosen->positions) {
    const auto& process = chosen->view.nodes[k].process;
    auto answer = ask_node(process.control_socket, "log-level " + level, node_timeout);
    if (answer) {
      nodes.push_back(process.name);
    } else {
      failed = Error{answer.error().code, process.name + ": " + answer.error().what, answer.error().hint};
      if (!globals.json) talk(error_line(*failed));
    }
  }
  if (globals.json) {
    Json document{{"level", level}, {"nodes", nodes}};
    if (failed) document["error"] = {{"code", failed->code}, {"reason", failed->what}, {"hint", failed->hint}};
    print_json(std::move(document));
  } else if (!nodes.empty()) {
    print(fmt::format("{} log{} {} and above until started again",
                      fmt::join(nodes.get<std::vector<std::string>>(), ", "), nodes.size() == 1 ? "s" : "", level));
  }
  return failed ? static_cast<int>(exit_code_of(*failed)) : static_cast<int>(done);
}

int stay_in_foreground(const FoundCluster& cluster, std::int64_t supervisor_pid, UniqueFd owner) {
  const auto signals = take_signals();
  const auto supervisor = watch_process(supervisor_pid);
  const auto either = any_of({signals.get(), supervisor.get()});
  std::vector<std::size_t> all(cluster.file.nodes.size());
  for (std::size_t k = 0; k < all.size(); ++k) all[k] = k;
  auto sources = sources_of(cluster, all);
  const LogPrinter printer(names_of(sources));
  const Wanted wanted;
  LogTail tail(std::move(sources));
  (void)tail.read_last(0);  // from here on
  hint("try", "Ctrl-C to go down; from another terminal: zell submit hello");
  if (auto failed = show_until(tail, printer, wanted, either.get())) return fail(*failed);
  if (wait_for_end(supervisor, std::chrono::milliseconds(0))) {
    if (cluster.file.ephemeral || std::filesystem::exists(cluster.paths.supervisor_lock())) {
      talk("the cluster went down");
      return done;
    }
    return fail(
        {"no-cluster", "the cluster went down: its folder " + cluster.paths.root.string() + " is gone", "zell up"});
  }
  signalfd_siginfo taken{};
  if (::read(signals.get(), &taken, sizeof taken) < 0) talk("a signal was lost");
  talk("going down; Ctrl-C again kills");
  owner.reset();  // the supervisor notices
  if (auto failed = show_until(tail, printer, wanted, either.get())) return fail(*failed);
  if (wait_for_end(supervisor, std::chrono::milliseconds(0))) {
    talk(fmt::format("stopped {} nodes", cluster.file.nodes.size()));
    return done;
  }
  // The nodes go with it.
  ::kill(static_cast<pid_t>(supervisor_pid), SIGKILL);
  return interrupted;
}

}  // namespace zell::cli
