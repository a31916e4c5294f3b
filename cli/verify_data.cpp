// zell verify --data: data folders of stopped nodes, read as they lie on the disk.

#include <fmt/format.h>

#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/verify.h"
#include "client/log_comparison.h"
#include "node/storage/inspection.h"

namespace zell::cli {
namespace {

namespace fs = std::filesystem;

struct FolderReport {
  fs::path path;
  std::string node;                     ///< whose it is
  std::optional<InspectedFolder> open;  ///< until it was read
  Inspection found;
  std::optional<Error> failure;
};

/// A node's folder is as good as the data folder in it.
fs::path data_folder(const std::string& given) {
  std::error_code ignored;
  fs::path path = given;
  if (!fs::exists(path / "node.db", ignored) && fs::exists(path / "data" / "node.db", ignored)) path /= "data";
  return path;
}

/// Damage is an answer about that folder; anything else ends the command.
bool is_answer(const Error& error) {
  return error.code == "corrupt" || error.code == "bad-certificate" || error.code == "bad-evidence" ||
         error.code == "bad-signature";
}

Result<std::vector<FolderReport>> open_all(const std::vector<std::string>& given, const Genesis& genesis) {
  std::vector<FolderReport> out;
  for (const auto& folder : given) {
    FolderReport report;
    report.path = data_folder(folder);
    auto opened = open_to_inspect(report.path, genesis);
    if (opened) {
      report.node = genesis.members[opened->node.value].name;
      report.open = std::move(*opened);
    } else if (is_answer(opened.error())) {
      report.node = report.path.string();
      report.failure = opened.error();
    } else {
      return opened.error();
    }
    out.push_back(std::move(report));
  }
  return out;
}

void read_folder(FolderReport& report, const Verifier& verifier, bool signatures, LogComparison& comparison) {
  comparison.begin({});
  if (!report.open) return;
  Progress progress("verified " + report.node + ":", report.open->newest ? report.open->newest->point.index.value : 0);
  Progress certificates("certificates of " + report.node + ":", 0);
  InspectionOptions options;
  options.request_signatures = signatures;
  options.visit = [&](const Batch& batch) {
    for (const auto& request : *batch.requests) comparison.add(request->leaf);
    progress.update(batch.header.end.index.value);
  };
  options.step = [&](std::uint64_t count) { certificates.update(count); };
  auto found = inspect(*report.open, verifier, options);
  report.open.reset();
  if (found) {
    report.found = std::move(*found);
  } else {
    report.failure = found.error();
    comparison.withdraw();  // what a damaged folder says of its log is under no certificate
  }
}

struct Verdict {
  std::optional<Error> fork;
  bool good = true;
  std::uint64_t requests = 0;
};

Verdict judge(const std::vector<FolderReport>& reports, const LogComparison& comparison) {
  Verdict out;
  for (const auto& report : reports) {
    out.good = out.good && !report.failure;
    out.requests = std::max(out.requests, report.found.final.index.value);
    if (report.found.conflict) {
      const auto& conflict = std::get<Conflict>(*report.found.conflict);
      out.fork = Error{"fork",
                       fmt::format("{} keeps two finality certificates, at #{} and #{}, that no one log contains",
                                   report.node, conflict.a.point.index.value, conflict.b.point.index.value),
                       "a third of the stake or more has signed both: keep the folder"};
    }
  }
  const auto& difference = comparison.difference();
  if (difference) {
    out.fork =
        Error{"fork",
              fmt::format("{} and {} hold different requests after #{}, at or below #{}, each under certificates",
                          reports[difference->a].node, reports[difference->b].node, difference->same_to.value,
                          difference->different_by.value),
              "a third of the stake or more has signed both: keep both folders, trust neither"};
  }
  out.good = out.good && !out.fork;
  return out;
}

void print_text(const std::vector<FolderReport>& reports, const Verdict& verdict) {
  for (const auto& report : reports) {
    if (report.failure) {
      print(fmt::format("{} {}: {} ({})", cross_mark(), report.node, report.failure->what, report.failure->code));
      if (!report.failure->hint.empty()) talk(report.failure->hint);
      continue;
    }
    const auto& found = report.found;
    std::string more;
    if (found.unfinalised_batches != 0) more += fmt::format(", {} batches above it", found.unfinalised_batches);
    if (found.evidence != 0) more += fmt::format(", {} proofs of faults", found.evidence);
    print(fmt::format("{} {}: {} request{} final, root {}…, {} certificate{}{}", check_mark(), report.node,
                      found.final.index.value, found.final.index.value == 1 ? "" : "s",
                      to_hex0x(found.final.root.view()).substr(0, 10), found.certificates,
                      found.certificates == 1 ? "" : "s", more));
  }
  if (verdict.fork) {
    print(fmt::format("{} FORK: {}. {}", cross_mark(), verdict.fork->what, verdict.fork->hint));
  } else if (verdict.good && reports.size() > 1) {
    print(fmt::format("{} {} requests, {} folders agree", check_mark(), verdict.requests, reports.size()));
  }
}

void print_document(const std::vector<FolderReport>& reports, const Verdict& verdict) {
  Json folders = Json::array();
  for (const auto& report : reports) {
    Json folder{
        {"folder", report.path.string()}, {"name", report.node}, {"verified", !report.failure && !verdict.fork}};
    if (report.failure) {
      folder["error"] = {
          {"code", report.failure->code}, {"reason", report.failure->what}, {"hint", report.failure->hint}};
    } else {
      folder["final"] = report.found.final.index.value;
      folder["root"] = to_hex0x(report.found.final.root.view());
      folder["certificates"] = report.found.certificates;
      folder["unfinalised_batches"] = report.found.unfinalised_batches;
      folder["evidence"] = report.found.evidence;
    }
    folders.push_back(std::move(folder));
  }
  Json out{{"verified", verdict.good}, {"requests", verdict.requests}, {"folders", std::move(folders)}};
  if (verdict.fork) out["fork"] = {{"code", verdict.fork->code}, {"reason", verdict.fork->what}};
  print_json(std::move(out));
}

}  // namespace

int verify_data(const VerifyOptions& options, const Genesis& genesis) {
  auto reports = open_all(options.data, genesis);
  if (!reports) return fail(reports.error());
  const Verifier verifier(genesis, secp256k1_scheme(), nullptr);
  std::vector<Index> ends;
  for (const auto& report : *reports) {
    if (report.open && report.open->newest) ends.push_back(report.open->newest->point.index);
  }
  LogComparison comparison({1}, ends);
  for (auto& report : *reports) read_folder(report, verifier, options.signatures, comparison);
  const auto verdict = judge(*reports, comparison);
  if (output_mode().json) {
    print_document(*reports, verdict);
  } else {
    print_text(*reports, verdict);
  }
  if (verdict.fork) return violation;
  return verdict.good ? done : negative;
}

}  // namespace zell::cli
