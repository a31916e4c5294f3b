// zell verify: reads the whole log of every node that runs, believes none, and compares.

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/exit_codes.h"
#include "cli/json.h"

namespace zell::cli {
namespace {

/// What one node's log came to.
struct NodeLog {
  std::string name;
  CertificatePtr certificate;  ///< null: nothing is final there
  std::optional<Error> failure;
  std::size_t agrees_to = 0;  ///< so many requests are the same as in the log of the first node
};

/// The leaves of the first node's log, and where another one's leaves differ from them: 32 bytes a request.
class Comparison {
 public:
  /// Begins the log of another node.
  void begin() { next_ = 0; }
  void add(const LogEntries& entries) {
    for (const auto& request : entries.requests) {
      if (next_ == leaves_.size()) {
        leaves_.push_back(request->leaf);
      } else if (leaves_[next_] != request->leaf && !differs_at_) {
        differs_at_ = next_ + 1;
      }
      ++next_;
    }
  }
  [[nodiscard]] std::optional<std::size_t> differs_at() const { return differs_at_; }
  [[nodiscard]] std::size_t length() const { return leaves_.size(); }

 private:
  std::vector<Hash> leaves_;
  std::size_t next_ = 0;
  std::optional<std::size_t> differs_at_;
};

struct Report {
  std::vector<NodeLog> read;
  std::vector<std::pair<std::string, std::string>> not_read;  ///< name, state
  std::size_t requests = 0;
  std::optional<Error> fork;
  [[nodiscard]] bool good() const {
    for (const auto& log : read) {
      if (log.failure) return false;
    }
    return !fork;
  }
};

Report verify_all(Connected& connected) {
  Report report;
  Comparison comparison;
  for (std::size_t i = 0; i < connected.asked.size(); ++i) {
    NodeLog log{connected.client.nodes()[i].name, nullptr, std::nullopt, 0};
    comparison.begin();
    Progress progress("verified " + log.name + ":", 0);
    auto certificate = connected.client.verify_log(
        i,
        [&](Index done_to, Index) {
          progress.update(done_to.value);
          return true;
        },
        [&](const LogEntries& entries) { comparison.add(entries); });
    if (certificate) {
      log.certificate = *certificate;
    } else if (certificate.error().code == "safety-violation") {
      report.fork = certificate.error();
    } else {
      log.failure = certificate.error();
    }
    report.read.push_back(std::move(log));
    if (report.fork) break;
  }
  if (const auto at = comparison.differs_at()) {
    report.fork =
        Error{"fork", fmt::format("two nodes have different requests at index {}, each under certificates", *at),
              "a third of the stake or more has signed both: trust neither"};
  }
  report.requests = comparison.length();
  for (const auto& process : connected.processes) {
    if (process.state != ProcessState::running) report.not_read.emplace_back(process.name, to_string(process.state));
  }
  return report;
}

/// Of the longest log.
CertificatePtr newest(const Report& report) {
  CertificatePtr out;
  for (const auto& log : report.read) {
    if (log.certificate && (!out || log.certificate->point.index > out->point.index)) out = log.certificate;
  }
  return out;
}

int exit_code(const Report& report) {
  if (report.fork) return violation;
  return report.good() ? done : negative;
}

void print_text(const Report& report, const Client& client) {
  for (const auto& log : report.read) {
    if (log.failure) print(fmt::format("{} {}: {} ({})", cross_mark(), log.name, log.failure->what, log.failure->code));
  }
  if (report.fork) {
    print(fmt::format("{} FORK: {}. {}", cross_mark(), report.fork->what, report.fork->hint));
  } else if (report.good()) {
    const auto certificate = newest(report);
    const auto nodes = report.read.size();
    print(fmt::format("{} {} request{}, log root recomputed, {}{} node{} agree{}", check_mark(), report.requests,
                      report.requests == 1 ? "" : "s",
                      certificate ? fmt::format("certificate of {} of {} signers, ", certificate->signatures.size(),
                                                client.genesis().size())
                                  : std::string(),
                      nodes, nodes == 1 ? "" : "s", nodes == 1 ? "s" : ""));
  }
  for (const auto& [name, state] : report.not_read)
    talk(ink_err(Ink::dim, fmt::format("not read: {} ({})", name, state)));
}

void print_document(const Report& report, const Client& client) {
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

int verify(const Globals& globals, bool signatures) {
  ClientOptions options;
  options.check_request_signatures = signatures;
  auto connected = connect(globals, {}, false, options);
  if (!connected) return fail(connected.error());
  const auto report = verify_all(*connected);
  if (globals.json) {
    print_document(report, connected->client);
  } else {
    print_text(report, connected->client);
  }
  return exit_code(report);
}

}  // namespace

void add_verify_command(Command root, const Globals& globals) {
  auto signatures = std::make_shared<bool>(false);
  auto command = root.add("verify", "Recompute every node's log, check its certificates, and compare");
  command.flag("--signatures", *signatures, "Also check each request's signature again (slower)")
      .examples({"zell verify", "zell verify --signatures --json"})
      .run([&globals, signatures] { return verify(globals, *signatures); });
}

}  // namespace zell::cli
