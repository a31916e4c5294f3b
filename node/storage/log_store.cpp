#include "node/storage/log_store.h"

#include "node/crypto/hash.h"
#include "node/storage/recovery.h"

namespace zell {

namespace {

Hash evidence_id(const Evidence& evidence) {
  Writer out;
  write_evidence(out, evidence);
  return sha256(out.bytes());
}

}  // namespace

std::uint64_t id_prefix(const RequestId& id) {
  return Reader(id.view()).u64();
}

DurableState initial_state(Standing standing) {
  DurableState state;
  state.standing = standing;
  state.active = standing != Standing::learner;
  state.base = state.tip = {{0}, empty_root()};
  return state;
}

LogStore::LogStore(std::unique_ptr<Tables> tables, const Parameters& parameters)
    : tables_(std::move(tables)), parameters_(parameters) {}

Result<Recovered> LogStore::recover(const ReplayVisitor& visitor, const ReplayStart& start) {
  auto recovery = recover_tables(*tables_, parameters_, visitor, start);
  if (!recovery.ok()) return recovery.error();
  auto evidence = tables_->evidence();
  if (!evidence.ok()) return evidence.error();
  evidence_.clear();
  for (const auto& one : *evidence) evidence_.insert(evidence_id(*one));
  branches_ = std::move(recovery->branches);
  final_ = branches_.finalised().index;
  recovered_ = true;
  return std::move(recovery->recovered);
}

// ---- Writing

bool LogStore::Plan::empty() const {
  return !state && !entry_proof && batches.empty() && certificates.empty() && evidence.empty() && !conflict;
}

Status LogStore::commit(std::span<const Delta> deltas) {
  ZELL_CHECK(recovered_);
  if (poison_) return *poison_;
  const auto changes = plan(deltas);
  if (changes.empty()) return Ok{};
  if (auto status = write(changes); !status.ok()) {
    tables_->rollback();
    return poison(status.error());
  }
  final_ = branches_.finalised().index;
  // These deltas are durable: if the upkeep fails, the store is poisoned, and it is the next commit that is refused.
  (void)upkeep(true);
  return Ok{};
}

LogStore::Plan LogStore::plan(std::span<const Delta> deltas) {
  Plan out;
  for (const auto& delta : deltas) {
    if (delta.state) out.state = &*delta.state;
    if (delta.entry_proof) out.entry_proof = &*delta.entry_proof;
    for (const auto& batch : delta.batches) branches_.add(batch, out.batches);
    for (const auto& end : delta.dropped) branches_.drop(end, out.batches);
    if (delta.fc && branches_.finalise(delta.fc->point, out.batches)) out.certificates.push_back(&*delta.fc);
    for (const auto& evidence : delta.evidence) plan_evidence(evidence, out);
    if (delta.conflict) out.conflict = delta.conflict;
  }
  return out;
}

void LogStore::plan_evidence(const EvidencePtr& evidence, Plan& plan) {
  // When full, the oldest stay: they name the guilty as well as any, and a liar can't push them out.
  if (evidence_.size() >= max_stored_evidence) return;
  if (!evidence_.insert(evidence_id(*evidence)).second) return;
  plan.evidence.emplace_back(evidence_.size(), evidence);
}

Status LogStore::write(const Plan& plan) {
  Status status = tables_->begin();
  for (const auto& [key, batch] : plan.batches) {
    if (status.ok()) status = batch ? tables_->put_batch(key, batch) : tables_->erase_batch(key);
  }
  for (const auto* certificate : plan.certificates) {
    if (status.ok()) status = tables_->put_certificate(*certificate);
  }
  for (const auto& [position, evidence] : plan.evidence) {
    if (status.ok()) status = tables_->put_evidence(position, evidence);
  }
  if (status.ok() && plan.entry_proof) status = tables_->put_entry_proof(*plan.entry_proof);
  if (status.ok() && plan.conflict) status = tables_->put_conflict(plan.conflict);
  if (status.ok() && plan.state) status = tables_->put_state(*plan.state);
  if (status.ok()) status = tables_->commit();
  return status;
}

Error LogStore::poison(const Error& cause) {
  tables_->abandon();
  poison_ = Error{cause.code == "disk-full" ? "disk-full" : "io", cause.what,
                  "the node signs nothing from here on: see to the disk (full? failing?), then restart the node"};
  return *poison_;
}

Result<bool> LogStore::keep_replay_point(const ReplayPoint& point) {
  ZELL_CHECK(recovered_);
  if (poison_) return *poison_;
  if (point.index > final_) return false;
  Status status = tables_->begin();
  if (status.ok()) status = tables_->put_replay_point(point);
  if (status.ok()) status = tables_->commit();
  if (!status.ok()) {
    tables_->rollback();
    return poison(status.error());
  }
  (void)upkeep(true);  // as in commit()
  return true;
}

Status LogStore::maintain() {
  return upkeep(false);
}

Status LogStore::upkeep(bool only_if_overdue) {
  if (poison_) return *poison_;
  auto status = tables_->maintain(only_if_overdue);
  if (!status.ok()) return poison(status.error());
  return status;
}

// ---- Reading

Result<LogRange> LogStore::read_finalised(Index from, std::size_t max_bytes) {
  ZELL_CHECK(recovered_);
  LogRange out;
  if (from.value == 0 || from > final_) return out;
  auto rows = tables_->batches(first_key(from), last_key(final_));
  std::size_t bytes = 0;
  while (true) {
    auto row = rows->next();
    if (!row.ok()) return row.error();
    if (!*row) break;
    bytes += (*row)->batch->request_bytes;
    if (!out.batches.empty() && bytes > max_bytes) break;
    out.batches.push_back(std::move((*row)->batch));
    if (bytes >= max_bytes) break;  // the next one would not fit: don't read it
  }
  if (out.batches.empty()) return out;
  auto certificate = tables_->certificates(out.batches.back()->header.end.index)->next();
  if (!certificate.ok()) return certificate.error();
  out.fc = std::move(*certificate);
  return out;
}

Result<std::optional<Certificate>> LogStore::certified_end(Index from, std::size_t max_bytes) {
  auto certificates = tables_->certificates(from.next());
  auto sizes = tables_->batch_sizes(first_key(from.next()), last_key(final_));
  std::optional<Certificate> end;
  std::size_t bytes = 0;
  while (true) {
    auto certificate = certificates->next();
    if (!certificate.ok()) return certificate.error();
    if (!*certificate) return end;
    for (Index last; last < (*certificate)->point.index;) {
      auto row = sizes->next();
      if (!row.ok()) return row.error();
      if (!*row) return corrupt_error(tables_->name(), "batches are missing under a certificate");
      bytes += (*row)->request_bytes;
      last = (*row)->key.last();
    }
    if (end && bytes > max_bytes) return end;
    end = std::move(*certificate);
    if (bytes >= max_bytes) return end;
  }
}

Result<LogRange> LogStore::read_certified(Index from, std::size_t max_bytes) {
  ZELL_CHECK(recovered_);
  LogRange out;
  if (from >= final_) return out;
  auto end = certified_end(from, max_bytes);
  if (!end.ok()) return end.error();
  if (!*end) return out;
  out.fc = std::move(*end);
  auto rows = tables_->batches(first_key(from.next()), last_key(out.fc->point.index));
  while (true) {
    auto row = rows->next();
    if (!row.ok()) return row.error();
    if (!*row) break;
    out.batches.push_back(std::move((*row)->batch));
  }
  rows.reset();
  if (out.batches.empty()) return corrupt_error(tables_->name(), "batches are missing under a certificate");
  if (out.batches.front()->header.first <= from) {
    // Who asks may have cut the log elsewhere: what it has already is left out.
    auto root = root_at(from);
    if (!root.ok()) return root.error();
    out.batches.front() = batch_after(*out.batches.front(), {from, *root});
  }
  return out;
}

Result<Hash> LogStore::root_at(Index index) {
  auto range = branches_.log().mark_below(index);
  auto leaves = read_leaves({range.size() + 1}, index);
  if (!leaves.ok()) return leaves.error();
  for (const auto& leaf : *leaves) range.append(leaf);
  return range.root();
}

Result<std::optional<Index>> LogStore::find_request(const RequestId& id) {
  ZELL_CHECK(recovered_);
  if (final_.value == 0) return std::optional<Index>{};
  auto rows = tables_->batches_with_id(id_prefix(id), last_key(final_));
  while (true) {
    auto row = rows->next();
    if (!row.ok()) return row.error();
    if (!*row) return std::optional<Index>{};
    auto index = (*row)->batch->header.first;
    for (const auto& request : *(*row)->batch->requests) {
      if (request->id == id) return std::optional{index};
      index = index.next();
    }
  }
}

Result<std::vector<Hash>> LogStore::read_leaves(Index first, Index last) {
  ZELL_CHECK(recovered_);
  std::vector<Hash> out;
  if (first.value == 0 || first > last || last > final_) {
    if (first.value == last.value + 1 && last <= final_) return out;
    return Error{"bad-range",
                 "there are no final requests " + std::to_string(first.value) + ".." + std::to_string(last.value),
                 "the log is final up to " + std::to_string(final_.value)};
  }
  out.reserve(last.value - first.value + 1);
  auto rows = tables_->batches(first_key(first), last_key(final_));
  for (auto index = first; index <= last;) {
    auto row = rows->next();
    if (!row.ok()) return row.error();
    if (!*row)
      return corrupt_error(tables_->name(), "requests are missing after index " + std::to_string(index.value - 1));
    const auto& batch = *(*row)->batch;
    for (auto i = index.value - batch.header.first.value; i < batch.count() && index <= last;
         ++i, index = index.next()) {
      out.push_back((*batch.requests)[i]->leaf);
    }
  }
  return out;
}

Result<std::vector<EvidencePtr>> LogStore::read_evidence() {
  return tables_->evidence();
}

}  // namespace zell
