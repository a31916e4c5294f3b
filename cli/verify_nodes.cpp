// zell verify: reads the log of every node that runs, believes none, and compares.

#include <fmt/format.h>

#include "cli/connect.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/verify.h"
#include "client/log_comparison.h"

namespace zell::cli {
namespace {

/// What one node's log came to.
struct NodeLog {
  std::size_t node;  ///< the client's position
  std::string name;
  Index end;                   ///< what is final there, when it was asked first
  CertificatePtr certificate;  ///< null: nothing is final there
  std::optional<Error> failure;
};

struct Report {
  std::vector<NodeLog> read;
  std::vector<std::pair<std::string, std::string>> not_read;  ///< name, state
  std::uint64_t requests = 0;                                 ///< of the longest
  std::optional<Error> fork;
  [[nodiscard]] bool good() const {
    for (const auto& log : read) {
      if (log.failure) return false;
    }
    return !fork;
  }
};

Report ask_all(Connected& connected, Index from) {
  Report report;
  for (std::size_t i = 0; i < connected.asked.size(); ++i) {
    NodeLog log{i, connected.client.nodes()[i].name, {}, nullptr, std::nullopt};
    auto newest = connected.client.newest_certificate(i);
    if (!newest && newest.error().code == "safety-violation") {
      report.fork = newest.error();
      break;
    }
    if (!newest) log.failure = newest.error();
    if (newest && *newest) log.end = (*newest)->point.index;
    if (newest && log.end < from && from.value > 1) {
      report.not_read.emplace_back(log.name, fmt::format("final to #{} only", log.end.value));
    } else {
      report.read.push_back(std::move(log));
    }
  }
  for (const auto& process : connected.processes) {
    if (process.state != ProcessState::running) report.not_read.emplace_back(process.name, to_string(process.state));
  }
  return report;
}

void read_log(Client& client, NodeLog& log, Index from, Index to, LogComparison& comparison, Report& report) {
  Progress progress("verified " + log.name + ":", std::min(to, log.end).value - std::min(from, log.end).value + 1);
  bool begun = false;
  std::uint64_t requests = 0;
  auto certificate = client.verify_log(
      log.node,
      [&](Index done_to, Index) {
        progress.update(done_to.value - from.value + 1);
        return true;
      },
      [&](const LogEntries& entries) {
        if (!begun) comparison.begin(entries.before);
        begun = true;
        for (const auto& request : entries.requests) comparison.add(request->leaf);
        requests = std::min(to.value, entries.first.value + entries.requests.size() - 1) - from.value + 1;
      },
      from, to);
  report.requests = std::max(report.requests, requests);
  if (certificate) {
    log.certificate = *certificate;
  } else if (certificate.error().code == "safety-violation") {
    report.fork = certificate.error();
  } else {
    log.failure = certificate.error();
  }
  // A log that was not read to its end still counts as begun, so that positions in the comparison are ours.
  if (!begun) comparison.begin({});
  if (!certificate) comparison.withdraw();
}

Error fork_error(const Report& report, const LogComparison::Difference& found) {
  return {
      "fork",
      fmt::format("{} and {} have different requests after #{}, at or below #{}, each under certificates",
                  report.read[found.a].name, report.read[found.b].name, found.same_to.value, found.different_by.value),
      "a third of the stake or more has signed both: trust neither"};
}

void read_all(Client& client, Report& report, Index from, Index to) {
  std::vector<Index> ends;
  for (const auto& log : report.read) ends.push_back(std::min(to, log.end));
  LogComparison comparison(from, ends);
  for (auto& log : report.read) {
    if (report.fork) break;
    if (log.failure) {
      comparison.begin({});
      comparison.withdraw();
      continue;
    }
    read_log(client, log, from, to, comparison, report);
  }
  if (const auto& found = comparison.difference()) report.fork = fork_error(report, *found);
}

/// Of the longest log.
CertificatePtr newest(const Report& report) {
  CertificatePtr out;
  for (const auto& log : report.read) {
    if (log.certificate && (!out || log.certificate->point.index > out->point.index)) out = log.certificate;
  }
  return out;
}

void print_text(const Report& report, const Client& client, const VerifyOptions& options) {
  for (const auto& log : report.read) {
    if (log.failure) print(fmt::format("{} {}: {} ({})", cross_mark(), log.name, log.failure->what, log.failure->code));
  }
  if (report.fork) {
    print(fmt::format("{} FORK: {}. {}", cross_mark(), report.fork->what, report.fork->hint));
  } else if (report.good()) {
    const auto certificate = newest(report);
    const auto nodes = report.read.size();
    const auto from = options.from.value_or(1);
    const auto range = options.from || options.to
                           ? fmt::format(" (#{}..#{})", from, from + std::max<std::uint64_t>(report.requests, 1) - 1)
                           : std::string();
    print(fmt::format("{} {} request{}{}, log root recomputed{}, {}{} node{} agree{}", check_mark(), report.requests,
                      report.requests == 1 ? "" : "s", range, from > 1 ? " from an inclusion proof" : "",
                      certificate ? fmt::format("certificate of {} of {} signers, ", certificate->signatures.size(),
                                                client.genesis().size())
                                  : std::string(),
                      nodes, nodes == 1 ? "" : "s", nodes == 1 ? "s" : ""));
  }
  for (const auto& [name, state] : report.not_read)
    talk(ink_err(Ink::dim, fmt::format("not read: {} ({})", name, state)));
}

void print_document(const Report& report, const Client& client, const VerifyOptions& options) {
  Json nodes = Json::array();
  for (const auto& log : report.read) {
    Json node{{"name", log.name}, {"verified", !log.failure && !report.fork}};
    if (log.certificate) {
      node["final"] = log.certificate->point.index.value;
      node["root"] = to_hex0x(log.certificate->point.root.view());
    }
    if (log.failure) node["error"] = {{"code", log.failure->code}, {"reason", log.failure->what}};
    nodes.push_back(std::move(node));
  }
  Json skipped = Json::array();
  for (const auto& [name, state] : report.not_read) skipped.push_back({{"name", name}, {"state", state}});
  Json out{{"verified", report.good()}, {"requests", report.requests}, {"nodes", nodes}, {"not_read", skipped}};
  if (options.from || options.to) {
    const auto from = options.from.value_or(1);
    out["from"] = from;
    out["to"] = from + report.requests - 1;
  }
  if (const auto certificate = newest(report)) {
    out["root"] = to_hex0x(certificate->point.root.view());
    out["signers"] = certificate->signatures.size();
    out["members"] = client.genesis().size();
  }
  if (report.fork) out["fork"] = {{"code", report.fork->code}, {"reason", report.fork->what}};
  Json faults = Json::array();
  for (const auto& fault : client.faults())
    faults.push_back({{"node", fault.node}, {"field", fault.field}, {"reason", fault.what}});
  out["lies"] = faults;
  print_json(std::move(out));
}

/// A range that no node has is a mistake, not a negative answer about the log.
Status check_range(const Report& report, const VerifyOptions& options) {
  Index highest;
  bool failed = report.fork.has_value();
  for (const auto& log : report.read) {
    highest = std::max(highest, log.end);
    failed = failed || log.failure;
  }
  const auto wanted = std::max(options.from.value_or(1), options.to.value_or(1));
  if (failed || wanted == 1 || wanted <= highest.value) return Ok{};
  return Error{"not-final", fmt::format("#{} is not final on any node that runs", wanted), "zell status"};
}

}  // namespace

int verify_nodes(const Globals& globals, const VerifyOptions& options) {
  const Index from{options.from.value_or(1)}, to{options.to.value_or(UINT64_MAX)};
  if (from > to) return fail({"usage", "--from is above --to", "zell verify --from 1 --to 5"});
  ClientOptions client_options;
  client_options.check_request_signatures = options.signatures;
  auto connected = connect(globals, {}, false, client_options);
  if (!connected) return fail(connected.error());
  auto report = ask_all(*connected, from);
  if (auto checked = check_range(report, options); !checked) return fail(checked.error());
  if (!report.fork) read_all(connected->client, report, from, to);
  if (globals.json) {
    print_document(report, connected->client, options);
  } else {
    print_text(report, connected->client, options);
  }
  if (report.fork) return violation;
  return report.good() ? done : negative;
}

}  // namespace zell::cli
