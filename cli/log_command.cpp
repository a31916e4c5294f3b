// zell log: the ordered log, verified.

#include <fmt/format.h>

#include <deque>
#include <map>
#include <thread>

#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cluster/user_keys.h"
#include "node/wire/request_codec.h"

namespace zell::cli {
namespace {

constexpr std::chrono::seconds page_wait{5};
constexpr std::chrono::seconds follow_wait{20};
constexpr std::chrono::milliseconds retry_pause{250};  // while no node answers: nothing announces that one does again

struct LogOptions {
  std::optional<std::uint64_t> from, to, tail;
  std::string app, sender;
  bool follow = false;
};

struct Entry {
  Index index;
  View view;
  RequestPtr request;
};

/// What senders are called here.
class Names {
 public:
  explicit Names(const std::filesystem::path& cluster_keys) {
    auto keys = list_user_keys(Environment::of_process(), cluster_keys);
    if (!keys) return;  // then senders are shown by address
    for (const auto& key : keys->keys) {
      if (!key.key.public_key.is_zero()) names_.emplace(key.key.public_key, key.key.name);
    }
  }
  [[nodiscard]] std::string of(const PublicKey& key) const {
    if (const auto found = names_.find(key); found != names_.end()) return found->second;
    const auto address = address_of(key);
    return address ? to_hex0x(address->view().first(4)) + "…" : "?";
  }
  [[nodiscard]] std::optional<PublicKey> named(const std::string& name) const {
    for (const auto& [key, known] : names_) {
      if (known == name) return key;
    }
    return std::nullopt;
  }

 private:
  std::map<PublicKey, std::string> names_;
};

/// --app and --sender.
struct Filter {
  std::string app;
  std::optional<PublicKey> key;
  std::optional<Address> address;

  [[nodiscard]] bool all() const { return app.empty() && !key && !address; }
  [[nodiscard]] bool matches(const Request& request) const {
    if (!app.empty() && request.app != app) return false;
    if (key && request.sender != *key) return false;
    return !address || address_of(request.sender) == address;
  }
};

Result<Filter> make_filter(const LogOptions& options, const Names& names) {
  Filter filter{options.app, std::nullopt, std::nullopt};
  if (options.sender.empty()) return filter;
  filter.key = names.named(options.sender);
  if (!filter.key) filter.key = fixed_from_hex<PublicKey>(options.sender);
  if (!filter.key) filter.address = fixed_from_hex<Address>(options.sender);
  if (filter.key || filter.address) return filter;
  return Error{"no-such-key", "no sender is called '" + options.sender + "', and it is no address or public key",
               "zell key ls"};
}

/// Rows as they come: a stream can't know how wide later ones are.
class Rows {
 public:
  Rows(const Names& names, bool json) : names_(names), json_(json) {}

  void print_row(const Entry& entry) {
    if (json_) return print_json(json_of(entry));
    if (!headed_) line("INDEX", "STATE", "VIEW", "APP", "SENDER", "BYTES", "DATA", Ink::dim);
    headed_ = true;
    const auto& request = *entry.request;
    const auto payloads = payloads_of(request);
    std::size_t bytes = 0;
    for (const auto payload : payloads) bytes += payload.size();
    auto data = readable(as_text(payloads.front()), 60);
    if (payloads.size() > 1) data += fmt::format("  (+{} more)", payloads.size() - 1);
    line(std::to_string(entry.index.value), "finalised", std::to_string(entry.view.value), request.app,
         names_.of(request.sender), std::to_string(bytes), data, Ink::plain);
  }
  [[nodiscard]] bool any() const { return headed_; }

 private:
  static void line(std::string_view index, std::string_view state, std::string_view view, std::string_view app,
                   std::string_view sender, std::string_view bytes, std::string_view data, Ink color) {
    print(ink(color, fmt::format("{:<5}  {:<9}  {:<4}  {:<7}  {:<6}  {:<5}  {}", index, state, view, app, sender, bytes,
                                 data)));
  }
  [[nodiscard]] Json json_of(const Entry& entry) const {
    const auto& request = *entry.request;
    Json payloads = Json::array();
    for (const auto payload : payloads_of(request)) payloads.push_back(to_hex0x(payload));
    const auto address = address_of(request.sender);
    Json out{{"index", entry.index.value},
             {"state", "finalised"},
             {"view", entry.view.value},
             {"id", to_hex0x(request.id.view())},
             {"app", request.app},
             {"sender", names_.of(request.sender)},
             {"address", address ? Json(to_checksum_hex(*address)) : Json()},
             {"nonce", std::to_string(request.nonce)},
             {"payloads", payloads}};
    const auto first = as_text(payloads_of(request).front());
    if (readable(first, first.size() + 1) == first) out["text"] = first;
    return out;
  }

  const Names& names_;
  bool json_;
  bool headed_ = false;
};

/// Reads from `from` to `to` (0: without end), and shows what matches; with `keep`, only the last so many.
class LogPrinter {
 public:
  LogPrinter(Connected& connected, Filter filter, Rows rows)
      : connected_(connected), filter_(std::move(filter)), rows_(std::move(rows)) {}

  Status show(Index from, Index to, std::optional<std::uint64_t> keep) {
    if (to < from) return Ok{};
    auto made = reader_at(from);
    if (!made) return made;
    Progress progress("read", to.value - from.value + 1);
    std::deque<Entry> kept;
    while (reader_->next_index() <= to) {
      auto entries = reader_->next(page_wait);
      if (!entries) return entries.error();
      if (entries->requests.empty()) return Error{"timeout", "the log's end did not come in time", "zell status"};
      each(*entries, to, [&](Entry entry) {
        if (!keep) return rows_.print_row(entry);
        kept.push_back(std::move(entry));
        if (kept.size() > *keep) kept.pop_front();
      });
      if (keep) progress.update(reader_->next_index().value - from.value);
    }
    for (const auto& entry : kept) rows_.print_row(entry);
    return Ok{};
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
      each(*entries, Index{UINT64_MAX}, [&](const Entry& entry) { rows_.print_row(entry); });
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

  template <class Use>
  void each(const LogEntries& entries, Index to, const Use& use) const {
    auto index = entries.first;
    for (const auto& request : entries.requests) {
      if (index <= to && filter_.matches(*request)) use(Entry{index, entries.certificate->view, request});
      index = index.next();
    }
  }

  /// nullopt: try again.
  [[nodiscard]] std::optional<Error> give_up(const Error& error) const {
    if (error.code != "unreachable" && error.code != "timed-out" && error.code != "not-final") return error;
    auto now = open_cluster(connected_.cluster.paths.root);
    if (!now) return now.error();
    if (auto running = check_running(*now); !running) return running.error();
    std::this_thread::sleep_for(retry_pause);
    return std::nullopt;
  }

  Connected& connected_;
  Filter filter_;
  Rows rows_;
  std::optional<LogReader> reader_;
};

int show_log(const Globals& globals, const LogOptions& options) {
  if (options.tail && (options.from || options.to)) {
    return fail({"usage", "--tail does not go with --from and --to", "zell log --tail 10"});
  }
  if (options.follow && options.to) return fail({"usage", "--follow does not go with --to", "zell log -f"});
  auto connected = connect(globals, {}, true);
  if (!connected) return fail(connected.error());
  const Names names(connected->cluster.paths.keys());
  auto filter = make_filter(options, names);
  if (!filter) return fail(filter.error());
  auto newest = newest_final(connected->client);
  if (!newest) return fail(newest.error());
  const Index end{options.to ? std::min(*options.to, newest->value) : newest->value};
  // Without a filter, nothing below the last N need be read: an inclusion proof stands for it.
  const bool skip = options.tail && filter->all();
  Index from{options.from.value_or(1)};
  if (skip) from = Index{end.value - std::min(end.value, *options.tail) + 1};
  LogPrinter printer(*connected, std::move(*filter), Rows(names, globals.json));
  if (auto shown = printer.show(from, end, skip ? std::nullopt : options.tail); !shown) return fail(shown.error());
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
      .option("--app", options->app, "APP", "Only requests for this application")
      .option("--sender", options->sender, "WHO",
              "Only requests signed by this key: a name, an address or a public key")
      .examples({"zell log --tail 10", "zell log -f --app default", "zell log --from 1 --to 5 --sender alice --json"})
      .run([&globals, options] { return show_log(globals, *options); });
}

}  // namespace zell::cli
