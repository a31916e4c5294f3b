// zell submit.

#include <fcntl.h>
#include <fmt/format.h>

#include <map>

#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/line_reader.h"
#include "cli/passphrase.h"
#include "cluster/user_keys.h"
#include "node/wire/request_codec.h"

namespace zell::cli {
namespace {

using Clock = std::chrono::steady_clock;

// One call after the other, each of at most a sender's nonce window: with more on the way, a new leader could order the
// later ones first, and the earlier ones would be too old.
constexpr std::size_t max_chunk_requests = 1'024;
constexpr std::size_t max_chunk_bytes = 4 << 20;
constexpr std::size_t max_payload_bytes = 1 << 20;  // the most that any genesis allows for a request

struct SubmitOptions {
  std::vector<std::string> payloads;
  std::string lines, file;
  bool bundle = false;
  std::string wait = "finalised";
  std::string app{default_app};
  std::string sender = "alice";
  std::string password_file;
  std::string to;
  std::uint64_t timeout_ms = 10'000;
};

RequestState state_of(const std::string& word) {
  for (const auto state : {RequestState::initialised, RequestState::sequenced, RequestState::locked}) {
    if (to_string(state) == word) return state;
  }
  return RequestState::finalised;
}

/// Counts what became of requests, and prints each of them as it is asked for.
class Tally {
 public:
  Tally(const Client& client, std::string wait) : client_(client), wait_(std::move(wait)) {}

  void add(const Outcome& outcome, std::chrono::microseconds took) {
    ++total_;
    const bool refused = outcome.state == RequestState::refused;
    const bool late = !refused && outcome.timed_out;
    refused_ += refused ? 1 : 0;
    late_ += late ? 1 : 0;
    const auto alike = refused || late ? ++failures_[refused ? outcome.reason : std::string(late_word)] : 0;
    if (!refused && !late && outcome.index.value != 0) {
      first_ = first_.value == 0 ? outcome.index : std::min(first_, outcome.index);
      last_ = std::max(last_, outcome.index);
    }
    if (output_mode().json) return print_json(json_of(outcome, took));
    if (alike > max_shown_alike) return;
    if (refused) {
      talk(fmt::format("{} refused ({})  {}{}", ink_err(Ink::red, "✗"), outcome.reason, short_id(outcome),
                       outcome.hint.empty() ? "" : "  " + outcome.hint));
    } else if (late) {
      talk(fmt::format("{} {} when time was up, may still become final  {}", ink_err(Ink::yellow, "?"),
                       outcome.state == RequestState::unknown ? "taken in by nobody"
                                                              : fmt::format("only {}", to_string(outcome.state)),
                       short_id(outcome)));
    }
  }
  /// "✓ finalised  #2  3 of 4 signatures  8 ms  0x9f3c…"
  void print_one(const Outcome& outcome, std::chrono::microseconds took) const {
    std::string line = fmt::format("{} {}", check_mark(), to_string(outcome.state));
    if (outcome.index.value != 0) line += fmt::format("  #{}", outcome.index.value);
    if (outcome.certificate) {
      line += fmt::format("  {} of {} signatures", outcome.certificate->signatures.size(), client_.genesis().size());
    }
    print(fmt::format("{}  {}  {}", line, to_text(took), short_id(outcome)));
  }
  void print_all(std::chrono::microseconds took) const {
    for (const auto& [why, count] : failures_) {
      if (count > max_shown_alike) talk(fmt::format("… and {} more: {}", count - max_shown_alike, why));
    }
    const auto good = total_ - refused_ - late_;
    std::string line = fmt::format("{} {}, {} failed", good, wait_, refused_ + late_);
    if (first_.value != 0)
      line +=
          first_ == last_ ? fmt::format("  #{}", last_.value) : fmt::format("  #{}..#{}", first_.value, last_.value);
    if (took > std::chrono::seconds(1)) {
      line += fmt::format("  {}  {:.0f}/s", to_text(took),
                          static_cast<double>(good) * 1e6 / static_cast<double>(took.count()));
    }
    print(line);
  }
  [[nodiscard]] int exit_code() const { return refused_ > 0 ? negative : late_ > 0 ? timed_out : done; }
  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] bool all_good() const { return refused_ + late_ == 0; }

 private:
  static std::string short_id(const Outcome& outcome) { return to_hex0x(outcome.id.view().first(4)) + "…"; }

  Json json_of(const Outcome& outcome, std::chrono::microseconds took) const {
    Json out{{"id", to_hex0x(outcome.id.view())}, {"state", to_string(outcome.state)}};
    if (outcome.index.value != 0) out["index"] = outcome.index.value;
    if (outcome.certificate) {
      out["view"] = outcome.certificate->view.value;
      out["signatures"] = outcome.certificate->signatures.size();
      out["members"] = client_.genesis().size();
    }
    if (!outcome.reason.empty()) out["reason"] = outcome.reason;
    if (!outcome.hint.empty()) out["hint"] = outcome.hint;
    out["timed_out"] = outcome.timed_out;
    out["node"] = outcome.node;
    out["ms"] = static_cast<double>(took.count()) / 1000.0;
    return out;
  }

  static constexpr std::uint64_t max_shown_alike = 5;
  static constexpr std::string_view late_word = "time was up";

  const Client& client_;
  std::string wait_;
  std::map<std::string, std::uint64_t> failures_;  ///< how many, by reason
  std::uint64_t total_ = 0, refused_ = 0, late_ = 0;
  Index first_, last_;
};

struct Submission {
  Connected connected;
  SecretKey secret;
  SubmitOptions options;
  std::optional<Outcome> last;
  std::chrono::microseconds last_took{};

  Status send(const std::vector<RequestPtr>& requests, Tally& tally) {
    const auto begin = Clock::now();
    auto outcomes =
        connected.client.submit(requests, state_of(options.wait), std::chrono::milliseconds(options.timeout_ms));
    if (!outcomes) return outcomes.error();
    last_took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    for (const auto& outcome : *outcomes) tally.add(outcome, last_took);
    if (!outcomes->empty()) last = outcomes->back();
    return Ok{};
  }
  RequestPtr sign(std::span<const Bytes> payloads) { return connected.client.sign(secret, options.app, payloads); }
};

Bytes bytes_of(std::string_view text) {
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

Result<Bytes> read_whole(const std::string& file) {
  UniqueFd fd(file == "-" ? ::dup(0) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Error{"not-found", file + ": " + std::generic_category().message(errno), ""};
  Bytes out;
  std::uint8_t buffer[64 << 10];
  while (true) {
    const auto got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{"io", file + ": " + std::generic_category().message(errno), ""};
    if (got == 0) return out;
    out.insert(out.end(), buffer, buffer + got);
    if (out.size() > max_payload_bytes) {
      return Error{"request-too-large", file + " has more than 1 MiB: no cluster takes such a request",
                   "zell submit --lines FILE"};
    }
  }
}

/// Each line becomes a request, sent as soon as nothing more has arrived, and many at once while more does.
Status submit_lines(Submission& submission, Tally& tally) {
  const auto& file = submission.options.lines;
  UniqueFd fd(file == "-" ? ::dup(0) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Error{"not-found", file + ": " + std::generic_category().message(errno), ""};
  LineReader reader(fd.get(), max_payload_bytes);
  Progress progress("submitted", 0);
  while (true) {
    auto lines = reader.read_some(max_chunk_requests, max_chunk_bytes);
    if (!lines) return lines.error();
    if (lines->empty()) return Ok{};
    std::vector<RequestPtr> requests;
    for (const auto& line : *lines) {
      const auto payload = bytes_of(line);
      requests.push_back(submission.sign({&payload, 1}));
    }
    if (auto sent = submission.send(requests, tally); !sent) return sent;
    progress.update(tally.total());
  }
}

Status submit_arguments(Submission& submission, Tally& tally) {
  std::vector<Bytes> payloads;
  for (const auto& argument : submission.options.payloads) payloads.push_back(bytes_of(argument));
  if (!submission.options.file.empty()) {
    auto content = read_whole(submission.options.file);
    if (!content) return content.error();
    payloads.push_back(std::move(*content));
  }
  std::vector<RequestPtr> requests;
  if (submission.options.bundle) {
    requests.push_back(submission.sign(payloads));
  } else {
    for (const auto& payload : payloads) requests.push_back(submission.sign({&payload, 1}));
  }
  return submission.send(requests, tally);
}

Result<SecretKey> open_sender(const FoundCluster& cluster, const SubmitOptions& options) {
  auto key = find_user_key(Environment::of_process(), cluster.paths.keys(), options.sender);
  if (!key) return key.error();
  if (key->key.dev) return open_user_key(*key, std::nullopt);
  auto passphrase = read_passphrase(options.password_file, "passphrase for " + key->key.name, false);
  if (!passphrase) return passphrase.error();
  return open_user_key(*key, *passphrase);
}

int submit(const Globals& globals, const SubmitOptions& options) {
  const int sources =
      (options.payloads.empty() ? 0 : 1) + (options.lines.empty() ? 0 : 1) + (options.file.empty() ? 0 : 1);
  if (sources != 1) {
    return fail({"usage",
                 sources == 0 ? "what to submit? Give payloads, --lines or --file"
                              : "give payloads, --lines or --file, not two of them",
                 "zell submit hello"});
  }
  auto connected = connect(globals, options.to);
  if (!connected) return fail(connected.error());
  auto secret = open_sender(connected->cluster, options);
  if (!secret) return fail(secret.error());
  Submission submission{std::move(*connected), *secret, options, {}, {}};
  Tally tally(submission.connected.client, options.wait);
  const auto begin = Clock::now();
  auto sent = options.lines.empty() ? submit_arguments(submission, tally) : submit_lines(submission, tally);
  if (!sent && tally.total() == 0) return fail(sent.error());
  if (!globals.json) {
    if (tally.total() == 1 && options.lines.empty()) {
      if (tally.all_good()) tally.print_one(*submission.last, submission.last_took);
    } else {
      tally.print_all(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin));
    }
  }
  // What was sent before the failure is told first.
  return sent ? tally.exit_code() : fail(sent.error());
}

}  // namespace

void add_submit_command(Command root, const Globals& globals) {
  auto options = std::make_shared<SubmitOptions>();
  auto command = root.add("submit", "Sign requests and submit them");
  command.positionals("PAYLOAD", options->payloads, "Each becomes a request")
      .option("--lines", options->lines, "FILE", "Each line becomes a request; - is stdin")
      .option("--file", options->file, "FILE", "The whole file is one payload; - is stdin")
      .flag("--bundle", options->bundle, "All payloads are one request, with one index")
      .choice("--wait", options->wait, {"initialised", "sequenced", "locked", "finalised"},
              "Until then; only finalised is a promise")
      .option("--app", options->app, "APP", "The application that it is for; default if not given")
      .option("--as", options->sender, "KEY", "Who signs: a key's name or file; alice if not given")
      .option("--password-file", options->password_file, "FILE",
              "Take the key's passphrase from its first line (mode 0600)")
      .option("--to", options->to, "NODE", "Only through this node")
      .duration("--timeout", options->timeout_ms, "How long to wait; 10s if not given")
      .examples({"zell submit hello", "printf 'a\\nb\\n' | zell submit --lines -",
                 "zell submit hi --as bob --app chat --wait locked"})
      .run([&globals, options] { return submit(globals, *options); });
}

}  // namespace zell::cli
