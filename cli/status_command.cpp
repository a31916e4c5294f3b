// zell status, and zell status --watch.

#include "cli/status_command.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/status_text.h"
#include "cluster/since.h"
#include "node/base/log_line.h"

namespace zell::cli {
namespace {

constexpr std::chrono::milliseconds node_timeout{1'000};
constexpr timespec watch_interval{1, 0};

Json json_of(const ClusterView& view, std::size_t position, std::uint64_t highest) {
  const auto& node = view.nodes[position];
  Json out{{"name", node.node.name},     {"stake", node.node.stake},
           {"state", node.state()},      {"role", node.votes() ? Json(role_of(view, position)) : Json()},
           {"api", node.node.api_url()}, {"pid", node.process.pid == 0 ? Json() : Json(node.process.pid)}};
  if (node.process.exit_code) out["exit_code"] = *node.process.exit_code;
  if (node.process.signal) out["signal"] = *node.process.signal;
  if (!node.no_answer.empty()) out["no_answer"] = node.no_answer;
  if (!node.says) return out;
  const auto& says = *node.says;
  out["answered_ms"] = node.answered_after.count();
  out["view"] = says.view;
  out["active"] = says.active;
  out["standing"] = says.standing;
  if (node.state() == "learner") out["rejoins_above"] = says.rejoins_above ? Json(*says.rejoins_above) : Json();
  out["sequenced"] = says.sequenced;
  out["locked"] = says.locked;
  out["finalised"] = says.finalised;
  out["behind"] = behind(node, highest);
  out["evidence"] = says.evidence;
  out["connected"] = says.connected;
  if (!says.stopped_code.empty()) out["failed"] = {{"code", says.stopped_code}, {"reason", says.stopped_why}};
  return out;
}

Json json_of(const ClusterView& view, const Leadership& leads) {
  Json because = Json::array();
  for (const auto& [node, reason] : leads.because) because.push_back({{"node", node}, {"reason", reason}});
  return {{"node", view.nodes[leads.leader].node.name},
          {"view", leads.view},
          {"since", format_log_time(leads.since_unix_ms)},
          {"after", leads.before.empty() ? Json() : Json(leads.before)},
          {"because", because}};
}

Json json_of(const FoundCluster& cluster, const ClusterView& view) {
  Json nodes = Json::array();
  const auto highest = view.highest_final();
  for (std::size_t k = 0; k < view.nodes.size(); ++k) nodes.push_back(json_of(view, k, highest));
  const auto leads = view.leadership();
  return {{"cluster", view.cluster},
          {"health", health_word(view)},
          {"serving", view.serving()},
          {"tolerates", view.further_faults()},
          {"stake",
           {{"voting", view.voting_stake()}, {"needed", view.needed_stake()}, {"total", view.genesis.total_stake()}}},
          {"view", view.view()},
          {"leader", leads ? Json(view.nodes[leads->leader].node.name) : Json()},
          {"leadership", leads ? json_of(view, *leads) : Json()},
          {"supervisor_pid", view.supervisor_pid},
          {"folder", cluster.paths.root.string()},
          {"nodes", nodes}};
}

bool forked(const ClusterView& view) {
  for (const auto& node : view.nodes) {
    if (node.says && node.says->stopped_code == "safety-violation") return true;
  }
  return false;
}

struct Seen {
  FoundCluster cluster;
  ClusterView view;
};

Result<Seen> look(const Globals& globals, const std::string& name) {
  auto cluster = choose_cluster(Environment::of_process(), globals.choice(name), false);
  if (!cluster) return cluster.error();
  auto view = view_cluster(*cluster, node_timeout);
  if (!view) return view.error();
  return Seen{std::move(*cluster), std::move(*view)};
}

// ---- --watch

/// A screen of its own that is written over, and is gone when this is.
class Screen {
 public:
  Screen() { put("\033[?1049h\033[?7l\033[?25l"); }  // the other buffer, no wrapping, no cursor
  ~Screen() { put("\033[?25h\033[?7h\033[?1049l"); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// At once, where the terminal can (mode 2026): nobody sees half of it.
  void draw(const std::vector<std::string>& lines) const {
    winsize size{};
    std::size_t rows = 24;
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) rows = size.ws_row;
    std::string out = "\033[?2026h\033[H";
    const bool fits = lines.size() <= rows;
    const auto shown = fits ? lines.size() : rows - 1;
    for (std::size_t k = 0; k < shown; ++k) out += (k > 0 ? "\r\n" : "") + lines[k] + "\033[K";
    if (!fits) out += fmt::format("\r\n... and {} more lines\033[K", lines.size() - shown);
    put(out + "\033[J\033[?2026l");
  }

 private:
  static void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
};

std::string clock_text() {
  return format_log_time(wall_clock_ms()).substr(11, 8) + "Z";
}

std::vector<std::string> lines_of(const Result<Seen>& seen) {
  if (!seen) return {ink(Ink::dim, clock_text()), error_line(seen.error())};
  std::vector<std::string> out{ink(Ink::dim, fmt::format("{}  {}", seen->view.cluster, clock_text()))};
  for (auto& line : status_lines(seen->view)) out.push_back(std::move(line));
  return out;
}

/// Until it is interrupted; a cluster that goes down meanwhile may come back.
int watch_on_terminal(const Globals& globals, const std::string& name) {
  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&awaited, signal);
  ::sigprocmask(SIG_BLOCK, &awaited, nullptr);
  std::vector<std::string> lines;
  {
    const Screen screen;
    while (true) {
      lines = lines_of(look(globals, name));
      screen.draw(lines);
      const int signal = ::sigtimedwait(&awaited, nullptr, &watch_interval);
      if (signal > 0 && signal != SIGWINCH) break;
    }
  }
  for (const auto& line : lines) print(line);  // the last that was seen stays
  return interrupted;
}

/// What changes by looking alone is no change.
std::string without_timings(Json document) {
  for (auto& node : document["nodes"]) node.erase("answered_ms");
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int watch_as_documents(const Globals& globals, const std::string& name) {
  std::string before;
  while (true) {
    const auto seen = look(globals, name);
    const auto document =
        seen ? json_of(seen->cluster, seen->view)
             : Json{{"error",
                     {{"code", seen.error().code}, {"reason", seen.error().what}, {"hint", seen.error().hint}}}};
    auto now = seen ? without_timings(document) : document.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (now != before) print_json(document);
    before = std::move(now);
    ::nanosleep(&watch_interval, nullptr);  // interrupted early or not: a signal that matters ends the program
  }
}

}  // namespace

int status(const Globals& globals, const std::string& name) {
  auto seen = look(globals, name);
  if (!seen) return fail(seen.error());
  const auto& view = seen->view;
  const int code = forked(view) ? violation : view.serving() ? done : negative;
  if (globals.json) {
    print_json(json_of(seen->cluster, view));
    return code;
  }
  for (const auto& line : status_lines(view)) print(line);
  hint_learners(view);
  return code;
}

int watch_status(const Globals& globals, const std::string& name) {
  // A cluster that is not there, or not the only one, is a mistake; one that goes later is news.
  if (auto seen = look(globals, name); !seen) return fail(seen.error());
  const bool can_draw = output_mode().terminal_out && output_mode().progress;
  return can_draw && !globals.json ? watch_on_terminal(globals, name) : watch_as_documents(globals, name);
}

}  // namespace zell::cli
