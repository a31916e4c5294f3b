// zell log: the ordered log, verified.

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <thread>

#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/exit_codes.h"
#include "cli/log_filter.h"
#include "cli/log_rows.h"
#include "cli/output.h"

namespace zell::cli {
namespace {

constexpr std::chrono::seconds page_wait{5};
constexpr std::chrono::seconds follow_wait{20};
constexpr std::chrono::milliseconds retry_pause{250};  // while no node answers: nothing announces that one does again

struct LogOptions {
  std::optional<std::uint64_t> from, to, tail;
  std::vector<std::string> apps, senders, ids;
  std::string contains;
  bool follow = false, proof = false, unfinalised = false;
};

/// Reads from `from` to `to` (0: without end), and shows what matches; with `keep`, only the last so many.
class LogPrinter {
 public:
  LogPrinter(Connected& connected, LogFilter filter, LogRows rows)
      : connected_(connected), filter_(std::move(filter)), rows_(rows) {}

  Status show(Index from, Index to, std::optional<std::uint64_t> keep) {
    if (to < from) return Ok{};
    auto made = reader_at(from);
    if (!made) return made;
    Progress progress("read", to.value - from.value + 1);
    std::deque<LogEntry> kept;
    while (reader_->next_index() <= to) {
      auto entries = reader_->next(page_wait);
      if (!entries) return entries.error();
      if (entries->requests.empty()) return Error{"timeout", "the log's end did not come in time", "zell status"};
      for (auto& entry : matching(*entries, to)) {
        if (!keep) {
          if (auto printed = rows_.print_row(entry); !printed) return printed;
          continue;
        }
        kept.push_back(std::move(entry));
        if (kept.size() > *keep) kept.pop_front();
      }
      if (keep) progress.update(reader_->next_index().value - from.value);
    }
    for (const auto& entry : kept) {
      if (auto printed = rows_.print_row(entry); !printed) return printed;
    }
    return Ok{};
  }

  /// Requests by their ids, in the order of the log: proofs find them, and nothing else need be read.
  Status show_ids(Index from, std::optional<Index> to) {
    std::vector<LogEntry> found;
    for (const auto& id : filter_.ids) {
      auto proven = connected_.client.prove(id);
      if (!proven) {
        auto error = proven.error();
        if (error.code == "unknown-request" || error.code == "not-final") error.code = "not-found";
        return error;
      }
      if (proven->index < from || (to && proven->index > *to) || !filter_.matches(*proven->request)) continue;
      found.push_back({proven->index, proven->certificate->view, proven->request, RequestState::finalised, {}});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    for (const auto& entry : found) {
      if (auto printed = rows_.print_row(entry); !printed) return printed;
    }
    return Ok{};
  }

  /// What the first node that answers holds above `from`.
  Status show_pending(Index from) {
    std::optional<Error> last;
    for (std::size_t k = 0; k < connected_.client.nodes().size(); ++k) {
      const auto& name = connected_.client.nodes()[k].name;
      auto pending = connected_.client.pending(k, from);
      if (!pending) {
        last = pending.error();
        continue;
      }
      for (const auto& one : *pending) {
        if (!filter_.matches(*one.request)) continue;
        if (auto printed = rows_.print_row({one.index, one.view, one.request, one.state, name}); !printed)
          return printed;
      }
      talk(ink_err(Ink::yellow,
                   fmt::format("{} above #{}: {}'s word only, and it may still change",
                               pending->empty() ? "nothing" : std::to_string(pending->size()), from.value - 1, name)));
      return Ok{};
    }
    return *last;
  }

  /// Until the cluster goes down; over restarts of all of its nodes.
  Status follow(Index from) {
    if (!reader_) {
      for (auto made = reader_at(from); !made; made = reader_at(from)) {
        if (auto over = give_up(made.error())) return *over;
      }
    }
    while (true) {
      auto entries = reader_->next(follow_wait);
      if (!entries) {
        if (auto over = give_up(entries.error())) return *over;
        continue;
      }
      for (const auto& entry : matching(*entries, Index{UINT64_MAX})) {
        for (auto printed = rows_.print_row(entry); !printed; printed = rows_.print_row(entry)) {
          if (auto over = give_up(printed.error())) return *over;
        }
      }
    }
  }

 private:
  Status reader_at(Index from) {
    ReadOptions options;
    options.from = from;
    auto reader = connected_.client.read(options);
    if (!reader) return reader.error();
    reader_.emplace(std::move(*reader));
    return Ok{};
  }

  [[nodiscard]] std::vector<LogEntry> matching(const LogEntries& entries, Index to) const {
    std::vector<LogEntry> out;
    auto index = entries.first;
    for (const auto& request : entries.requests) {
      if (index <= to && filter_.matches(*request)) {
        out.push_back({index, entries.certificate->view, request, RequestState::finalised, {}});
      }
      index = index.next();
    }
    return out;
  }

  /// nullopt: try again.
  [[nodiscard]] std::optional<Error> give_up(const Error& error) const {
    // What a cluster says whose nodes are being restarted, or have nobody to agree with.
    static constexpr std::string_view passing[] = {"unreachable", "timed-out", "not-final",
                                                   "busy",        "stopped",   "starting"};
    if (std::find(std::begin(passing), std::end(passing), error.code) == std::end(passing)) return error;
    auto now = open_cluster(connected_.cluster.paths.root);
    if (!now) return now.error();
    if (auto running = check_running(*now); !running) return running.error();
    std::this_thread::sleep_for(retry_pause);
    return std::nullopt;
  }

  Connected& connected_;
  LogFilter filter_;
  LogRows rows_;
  std::optional<LogReader> reader_;
};

/// What does not go together.
Status check_options(const LogOptions& options) {
  if (options.tail && (options.from || options.to)) {
    return Error{"usage", "--tail does not go with --from and --to", "zell log --tail 10"};
  }
  if (options.follow && options.to) return Error{"usage", "--follow does not go with --to", "zell log -f"};
  if (options.unfinalised && (options.follow || options.to)) {
    return Error{"usage", "--unfinalised is about the log's end as it is now: not with --follow or --to",
                 "zell log --tail 5 --unfinalised"};
  }
  if (options.unfinalised && options.proof) {
    return Error{"usage", "what is not final has no proof: --unfinalised does not go with --proof", "zell log --proof"};
  }
  return Ok{};
}

RowForm form_of(const Globals& globals, const LogOptions& options) {
  if (options.proof) return RowForm::proof;
  return globals.json ? RowForm::json : RowForm::table;
}

int show_log(const Globals& globals, const LogOptions& options) {
  if (auto checked = check_options(options); !checked) return fail(checked.error());
  auto connected = connect(globals, {}, true);
  if (!connected) return fail(connected.error());
  const Names names(connected->cluster.paths.keys());
  auto filter = make_filter(names, options.apps, options.senders, options.ids, options.contains);
  if (!filter) return fail(filter.error());
  auto newest = newest_final(connected->client);
  if (!newest) return fail(newest.error());
  const Index end{options.to ? std::min(*options.to, newest->value) : newest->value};
  // Without a filter, nothing below the last N need be read: an inclusion proof stands for it.
  const bool skip = options.tail && filter->all();
  const bool by_id = !filter->ids.empty() && !options.follow && !options.tail && !options.unfinalised;
  Index from{options.from.value_or(1)};
  if (skip) from = Index{end.value - std::min(end.value, *options.tail) + 1};
  LogPrinter printer(*connected, std::move(*filter), LogRows(names, connected->client, form_of(globals, options)));
  auto shown = by_id ? printer.show_ids(from, options.to ? std::optional(Index{*options.to}) : std::nullopt)
                     : printer.show(from, end, skip ? std::nullopt : options.tail);
  if (!shown) return fail(shown.error());
  if (options.unfinalised) {
    if (auto pending = printer.show_pending(std::max(from, end.next())); !pending) return fail(pending.error());
  }
  if (!options.follow) return done;
  if (auto followed = printer.follow(std::max(from, end.next())); !followed) return fail(followed.error());
  return done;
}

}  // namespace

void add_log_command(Command root, const Globals& globals) {
  auto options = std::make_shared<LogOptions>();
  auto command = root.add("log", "Print the final log, each entry verified");
  command.option("--from", options->from, "INDEX", "Begin here; 1 if not given", 1)
      .option("--to", options->to, "INDEX", "End here", 1)
      .option("--tail", options->tail, "N", "Only the last N")
      .flag("-f,--follow", options->follow, "Go on with what becomes final from now on, until Ctrl-C")
      .list("--app", options->apps, "APP", "Only requests for this application, or these")
      .list("--sender", options->senders, "WHO",
            "Only requests signed by this key, or these: a name, an address or a public key")
      .list("--id", options->ids, "ID", "Only the request of this id, or these")
      .option("--grep", options->contains, "TEXT", "Only requests whose payload contains this text")
      .flag("--proof", options->proof, "Each entry as a proof that zell verify --proof checks, one a line")
      .flag("--unfinalised", options->unfinalised,
            "Also what is sequenced or locked above it: one node's word only (state with ?)")
      .examples({"zell log --tail 10", "zell log -f --app default", "zell log --from 1 --to 5 --sender alice --json"})
      .preset_not_with("--tail", {"--from", "--to"})
      .preset_not_with("--from", {"--tail"})
      .preset_not_with("--to", {"--tail", "--follow", "--unfinalised"})
      .preset_not_with("--follow", {"--to", "--unfinalised"})
      .preset_not_with("--unfinalised", {"--to", "--follow", "--proof"})
      .preset_not_with("--proof", {"--unfinalised"})
      .run([&globals, options] { return show_log(globals, *options); });
}

}  // namespace zell::cli
