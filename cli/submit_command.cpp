// zell submit.

#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/line_reader.h"
#include "cli/output.h"
#include "cli/payload_source.h"
#include "cli/sender.h"
#include "cli/submit_tally.h"
#include "node/http/signed_request.h"

namespace zell::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct SubmitOptions {
  PayloadSource source;
  SenderOptions sender;
  std::string signed_file;  ///< of requests that were signed before, instead of both
  std::string wait = "finalised";
  std::string to;
  std::uint64_t timeout_ms = 10'000;
};

RequestState state_of(const std::string& word) {
  for (const auto state : {RequestState::initialised, RequestState::sequenced, RequestState::locked}) {
    if (to_string(state) == word) return state;
  }
  return RequestState::finalised;
}

struct Submission {
  Client& client;
  const SubmitOptions& options;
  SubmitTally tally;
  Progress progress{"submitted", 0};
  std::optional<Outcome> last;
  std::chrono::microseconds last_took{};

  Submission(Client& to, const SubmitOptions& how) : client(to), options(how), tally(to, how.wait) {}

  Status send(const std::vector<RequestPtr>& requests) {
    const auto begin = Clock::now();
    auto outcomes = client.submit(requests, state_of(options.wait), std::chrono::milliseconds(options.timeout_ms));
    if (!outcomes) return outcomes.error();
    last_took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    for (const auto& outcome : *outcomes) tally.add(outcome, last_took);
    if (!outcomes->empty()) last = outcomes->back();
    progress.update(tally.total());
    return Ok{};
  }
};

Status submit_payloads(Submission& submission, const SecretKey& secret) {
  const auto app = submission.options.sender.app_or_default();
  return for_each_chunk(submission.options.source, [&](const std::vector<Payloads>& chunk) {
    std::vector<RequestPtr> requests;
    for (const auto& payloads : chunk) requests.push_back(submission.client.sign(secret, app, payloads));
    return submission.send(requests);
  });
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

Error at_line(std::uint64_t number, const Error& error) {
  return {error.code, "line " + std::to_string(number) + ": " + error.what, error.hint};
}

/// Requests that were signed before: each is checked in full before it is sent. What is good before a line that is
/// wrong is sent first.
Status submit_signed(Submission& submission) {
  auto fd = open_input(submission.options.signed_file);
  if (!fd) return fd.error();
  LineReader reader(fd->get(), max_signed_line_bytes);
  const auto& genesis = submission.client.genesis();
  const auto domain = SigningDomain::of(genesis);
  std::uint64_t number = 0;
  while (true) {
    auto lines = reader.read_some(max_chunk_requests, max_chunk_bytes);
    if (!lines) return lines.error();
    if (lines->empty()) return Ok{};
    std::vector<RequestPtr> requests;
    std::optional<Error> wrong;
    for (const auto& line : *lines) {
      ++number;
      if (is_blank(line)) continue;
      auto request = read_signed_request(line, domain, genesis.parameters, secp256k1_scheme());
      if (!request) {
        wrong = at_line(number, request.error());
        break;
      }
      requests.push_back(std::move(*request));
    }
    if (!requests.empty()) {
      if (auto sent = submission.send(requests); !sent) return sent;
    }
    if (wrong) return *wrong;
  }
}

Status check(const SubmitOptions& options) {
  if (options.signed_file.empty()) return options.source.check("submit");
  if (options.source.given() || options.sender.given()) {
    return Error{"usage", "what --signed submits was signed before: payloads, --app and --as are in it",
                 "zell submit --signed " + options.signed_file};
  }
  return Ok{};
}

int submit(const Globals& globals, const SubmitOptions& options) {
  if (auto checked = check(options); !checked) return fail(checked.error());
  auto connected = connect(globals, options.to);
  if (!connected) return fail(connected.error());
  std::optional<Sender> sender;
  if (options.signed_file.empty()) {
    auto opened = open_sender(connected->cluster.paths.keys(), options.sender);
    if (!opened) return fail(opened.error());
    sender = std::move(*opened);
  }
  Submission submission(connected->client, options);
  const auto& tally = submission.tally;
  const auto begin = Clock::now();
  auto sent = sender ? submit_payloads(submission, sender->secret) : submit_signed(submission);
  if (!sent && tally.total() == 0) return fail(sent.error());
  if (!globals.json) {
    if (tally.total() == 1 && options.source.lines.empty()) {
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
  options->source.add_to(command);
  command.option("--signed", options->signed_file, "FILE", "What zell sign has signed, one request a line; - is stdin")
      .choice("--wait", options->wait, {"initialised", "sequenced", "locked", "finalised"},
              "Until then; only finalised is a promise");
  options->sender.add_to(command);
  command.option("--to", options->to, "NODE", "Only through this node")
      .duration("--timeout", options->timeout_ms, "How long to wait; 10s if not given")
      .examples({"zell submit hello", "printf 'a\\nb\\n' | zell submit --lines -",
                 "zell submit hi --as bob --app chat --wait locked"})
      .preset_not_with("--lines", {"--signed", "--file"})
      .preset_not_with("--file", {"--signed", "--lines"})
      .preset_not_with("--bundle", {"--signed"})
      .preset_not_with("--signed", {"--lines", "--file", "--bundle"})
      .preset_not_with("--app", {"--signed"})
      .preset_not_with("--as", {"--signed"})
      .preset_not_with("--password-file", {"--signed"})
      .run([&globals, options] { return submit(globals, *options); });
}

}  // namespace zell::cli
