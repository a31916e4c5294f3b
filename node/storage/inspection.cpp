#include "node/storage/inspection.h"

#include "node/storage/meta.h"
#include "node/storage/recovery.h"
#include "node/storage/sqlite_tables.h"
#include "node/wire/request_codec.h"

namespace zell {

namespace {

Error forged(const Tables& tables, const std::string& code, const std::string& what) {
  return {code, tables.name() + ": " + what,
          "seals and roots are right, so this is no damage of the disk: find out who wrote it"};
}

Status check_certificates(Tables& tables, const Verifier& verifier, const InspectionOptions& options, Inspection& out) {
  auto certificates = tables.certificates({0});
  while (true) {
    auto one = certificates->next();
    if (!one.ok()) return one.error();
    if (!*one) return Ok{};
    if (auto checked = verifier.check_certificate(**one); !checked.ok()) {
      return forged(
          tables, "bad-certificate",
          "the certificate at index " + std::to_string((*one)->point.index.value) + ": " + checked.error().what);
    }
    ++out.certificates;
    if (options.step) options.step(out.certificates);
  }
}

Status check_evidence(Tables& tables, const Verifier& verifier, Inspection& out) {
  auto evidence = tables.evidence();
  if (!evidence.ok()) return evidence.error();
  for (const auto& one : *evidence) {
    ++out.evidence;
    if (auto accused = verifier.check_evidence(*one); !accused.ok()) {
      return forged(tables, "bad-evidence",
                    "evidence " + std::to_string(out.evidence) + " proves nothing: " + accused.error().what);
    }
  }
  return Ok{};
}

Status check_conflict(Tables& tables, const Verifier& verifier, const MessagePtr& conflict, Inspection& out) {
  if (!conflict) return Ok{};
  if (auto checked = verifier.check(*conflict); !checked.ok()) {
    return forged(tables, "bad-certificate", "the conflict that it keeps is none: " + checked.error().what);
  }
  out.conflict = conflict;
  return Ok{};
}

/// Whether the roots of blocks are those of the leaves.
class BlockCheck {
 public:
  explicit BlockCheck(const std::vector<Hash>& roots) : roots_(roots) {}
  void append(const Hash& leaf) {
    if (next_ == roots_.size() || wrong_) return;
    block_.append(leaf);
    if (block_.size() < ReplayPoint::block_leaves) return;
    wrong_ = block_.root() != roots_[next_++];
    block_ = {};
  }
  [[nodiscard]] bool fits() const { return next_ == roots_.size() && !wrong_; }

 private:
  const std::vector<Hash>& roots_;
  std::size_t next_ = 0;
  CompactRange block_;
  bool wrong_ = false;
};

}  // namespace

Result<InspectedFolder> open_to_inspect(const std::filesystem::path& folder, const Genesis& genesis) {
  std::error_code failed;
  const auto file = folder / database_file;
  const bool there = std::filesystem::exists(file, failed);
  if (failed)
    return Error{"io", "can't look into " + folder.string() + ": " + failed.message(), "check its permissions"};
  if (!there) {
    return Error{"not-found", "there is no " + file.string(),
                 "give a node's data folder: CLUSTER-FOLDER/NODE/data; zell cluster ls --json tells the cluster's"};
  }
  auto lock = FolderLock::share(folder);
  if (!lock.ok()) return lock.error();
  auto db = Sqlite::open_to_read(file);
  if (!db.ok()) return db.error();
  const auto context = context_of(genesis);
  for (const auto& check : {check_schema_version, check_schema}) {
    if (auto status = check(**db); !status.ok()) return status.error();
  }
  if (auto status = check_cluster(**db, context); !status.ok()) return status.error();
  auto node = owner_of(**db, genesis);
  if (!node.ok()) return node.error();
  auto tables = SqliteTables::make(std::move(*lock), std::move(*db), context);
  if (!tables.ok()) return tables.error();
  auto newest = (*tables)->newest_certificate();
  if (!newest.ok()) return newest.error();
  return InspectedFolder{*node, std::move(*tables), std::move(*newest)};
}

Result<Inspection> inspect(InspectedFolder& folder, const Verifier& verifier, const InspectionOptions& options) {
  std::optional<Error> wrong;
  auto point = folder.tables->replay_point();
  if (!point.ok()) return point.error();
  BlockCheck blocks(point->blocks);
  const auto visit = [&](const Batch& batch) {
    for (const auto& request : *batch.requests) blocks.append(request->leaf);
    for (const auto& request : *batch.requests) {
      if (!options.request_signatures || wrong) break;
      if (auto checked = verifier.check(request); !checked.ok()) {
        wrong = forged(*folder.tables, "bad-signature",
                       "a request in the batch that ends at index " + std::to_string(batch.header.end.index.value) +
                           ": " + checked.error().what);
      }
    }
    if (options.visit) options.visit(batch);
  };
  auto recovery = recover_tables(*folder.tables, verifier.genesis().parameters, visit);
  if (!recovery.ok()) return recovery.error();
  if (wrong) return *wrong;
  const auto& found = recovery->recovered;
  Inspection out;
  out.final = {{found.finalised.size()}, found.finalised.root()};
  out.newest = found.fc;
  if (!blocks.fits() || point->index > out.final.index) {
    return corrupt_error(folder.tables->name(), "the replay point is not this log's");
  }
  out.unfinalised_batches = found.unfinalised.size();
  if (auto status = check_certificates(*folder.tables, verifier, options, out); !status.ok()) return status.error();
  if (auto status = check_evidence(*folder.tables, verifier, out); !status.ok()) return status.error();
  if (auto status = check_conflict(*folder.tables, verifier, found.conflict, out); !status.ok()) return status.error();
  return out;
}

}  // namespace zell
