#include "node/storage/sqlite_tables.h"

#include "node/storage/meta.h"
#include "node/storage/recovery.h"

namespace zell {

// The text is compared with what SQLite kept, so it may not change within a schema version.
const char* const sqlite_schema =
    "CREATE TABLE record (id INTEGER PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE batch (key INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, place INTEGER, header BLOB NOT NULL,"
    " ids BLOB NOT NULL, requests BLOB);"
    "CREATE TABLE certificate (at INTEGER PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE evidence (position INTEGER PRIMARY KEY, value BLOB NOT NULL);";

namespace {

constexpr std::int64_t state_record = 1, entry_proof_record = 2, conflict_record = 3, replay_point_record = 4,
                       bodies_end_record = 5;
// Pages of 4 KiB. Small checkpoints, after a commit was reported, cost a few milliseconds each and keep the log of
// writes so short that commits overwrite it: growing the file costs each commit nearly twice its time. Past 16 MiB a
// commit makes one itself, for a caller that never calls maintain().
constexpr int checkpoint_due_pages = 200, checkpoint_overdue_pages = 4'000;

std::string where(BatchKey key) {
  return "the batch that ends at index " + std::to_string(key.last().value);
}

/// Steps through one statement and resets it when done.
template <class Row>
class StatementCursor : public Cursor<Row> {
 public:
  using Decode = Result<std::optional<Row>> (*)(Statement&, const RowSource&);
  StatementCursor(Statement& statement, RowSource source, Decode decode)
      : statement_(statement), source_(source), decode_(decode) {}
  ~StatementCursor() override { statement_.reset(); }
  Result<std::optional<Row>> next() override {
    if (done_) return std::optional<Row>{};
    auto row = statement_.step();
    done_ = !row.ok() || !*row;
    if (!row.ok()) return row.error();
    if (done_) return std::optional<Row>{};
    return decode_(statement_, source_);
  }

 private:
  Statement& statement_;
  RowSource source_;
  Decode decode_;
  bool done_ = false;
};

/// The requests of a batch that node.bodies holds.
Result<Bytes> read_bodies(Statement& row, BatchKey key, const RowSource& source) {
  const auto size = row.number(3), place = row.number(4);
  const auto end = static_cast<std::int64_t>(source.bodies.end());
  const bool possible = !row.is_null(4) && size > 0 && size <= source.context.parameters.batch_max_bytes;
  if (!possible || place < 0 || size > end || place > end - size) {
    return corrupt_error(source.name, where(key) + " is said to lie where nothing is");
  }
  return source.bodies.read(static_cast<std::uint64_t>(place), static_cast<std::size_t>(size));
}

Result<std::optional<BatchRow>> decode_batch(Statement& row, const RowSource& source) {
  const BatchKey key{row.number(0)};
  const bool elsewhere = row.is_null(5);
  Bytes bodies;
  if (elsewhere) {
    auto read = read_bodies(row, key, source);
    if (!read.ok()) return read.error();
    bodies = std::move(*read);
  }
  const auto requests = elsewhere ? ByteView(bodies) : row.bytes(5);
  const bool fits = elsewhere || (row.is_null(4) && requests.size() == static_cast<std::uint64_t>(row.number(3)));
  auto batch = fits ? decode_batch_columns(key, row.bytes(1), row.bytes(2), requests, source.context) : nullptr;
  if (!batch)
    return corrupt_error(source.name, where(key) + (elsewhere ? " is damaged, here or in node.bodies" : " is damaged"));
  return std::optional(BatchRow{key, std::move(batch)});
}

Result<std::optional<BatchSize>> decode_size(Statement& row, const RowSource&) {
  return std::optional(BatchSize{{row.number(0)}, static_cast<std::size_t>(row.number(1))});
}

Result<std::optional<Certificate>> decode_certificate(Statement& row, const RowSource& source) {
  const auto index = static_cast<std::uint64_t>(row.number(0));
  if (auto value = unseal(Sealed::certificate, row.bytes(1))) {
    Reader in(*value);
    auto certificate = read_certificate(in, source.context);
    if (in.at_end() && certificate.point.index.value == index) return std::optional(std::move(certificate));
  }
  return corrupt_error(source.name, "the certificate at index " + std::to_string(index) + " is damaged");
}

/// Looks at ids only; reads the requests of a batch that has the prefix.
class IdCursor : public Cursor<BatchRow> {
 public:
  IdCursor(Statement& scan, std::uint64_t prefix, SqliteTables& tables)
      : scan_(scan), prefix_(prefix), tables_(tables) {}
  ~IdCursor() override { scan_.reset(); }
  Result<std::optional<BatchRow>> next() override {
    while (!done_) {
      auto row = scan_.step();
      done_ = !row.ok() || !*row;
      if (!row.ok()) return row.error();
      if (done_ || !contains_id_prefix(scan_.bytes(1), prefix_)) continue;
      const BatchKey key{scan_.number(0)};
      return tables_.batches(key, key)->next();
    }
    return std::optional<BatchRow>{};
  }

 private:
  Statement& scan_;
  std::uint64_t prefix_;
  SqliteTables& tables_;
  bool done_ = false;
};

}  // namespace

Result<std::unique_ptr<Tables>> SqliteTables::make(std::optional<FolderLock> lock, std::unique_ptr<Sqlite> db,
                                                   DecodeContext context, std::size_t large_batch_bytes) {
  std::unique_ptr<SqliteTables> out(
      new SqliteTables(std::move(lock), std::move(db), std::move(context), large_batch_bytes));
  if (auto status = out->prepare(); !status.ok()) return status.error();
  if (auto status = out->find_bodies(); !status.ok()) return status.error();
  return std::unique_ptr<Tables>(std::move(out));
}

SqliteTables::SqliteTables(std::optional<FolderLock> lock, std::unique_ptr<Sqlite> db, DecodeContext context,
                           std::size_t large_batch_bytes)
    : lock_(std::move(lock)),
      db_(std::move(db)),
      bodies_(std::filesystem::path(db_->file()).replace_filename(bodies_file), db_->vfs(), db_->is_read_only()),
      large_batch_bytes_(large_batch_bytes),
      context_(std::move(context)) {}

Status SqliteTables::find_bodies() {
  auto bytes = read_record(bodies_end_record, Sealed::bodies_end);
  if (!bytes.ok()) return bytes.error();
  if (bytes->empty()) return Ok{};
  const auto end = decode_bodies_end(*bytes);
  if (!end) return corrupt_error(name(), "where node.bodies ends can't be read");
  stored_bodies_end_ = *end;
  return bodies_.start_at(*end);
}

Status SqliteTables::prepare() {
  const std::pair<Statement*, const char*> all[] = {
      {&s_.begin, "BEGIN IMMEDIATE"},
      {&s_.commit, "COMMIT"},
      {&s_.put_batch, "REPLACE INTO batch (key, header, ids, bytes, place, requests) VALUES (?, ?, ?, ?, ?, ?)"},
      {&s_.erase_batch, "DELETE FROM batch WHERE key = ?"},
      {&s_.put_certificate, "REPLACE INTO certificate (at, value) VALUES (?, ?)"},
      {&s_.put_record, "REPLACE INTO record (id, value) VALUES (?, ?)"},
      {&s_.put_evidence, "REPLACE INTO evidence (position, value) VALUES (?, ?)"},
      {&s_.record, "SELECT value FROM record WHERE id = ?"},
      {&s_.evidence, "SELECT value FROM evidence ORDER BY position"},
      {&s_.newest_certificate, "SELECT at, value FROM certificate ORDER BY at DESC LIMIT 1"},
      {&s_.batches,
       "SELECT key, header, ids, bytes, place, requests FROM batch WHERE key BETWEEN ? AND ? ORDER BY key"},
      {&s_.batch_sizes, "SELECT key, bytes FROM batch WHERE key BETWEEN ? AND ? ORDER BY key"},
      {&s_.id_scan, "SELECT key, ids FROM batch WHERE key <= ? ORDER BY key DESC"},
      {&s_.certificates, "SELECT at, value FROM certificate WHERE at >= ? ORDER BY at"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = Statement::prepare(*db_, sql);
    if (!prepared.ok()) return prepared.error();
    *statement = std::move(*prepared);
  }
  return Ok{};
}

// ---- Writing

Status SqliteTables::put_batch(BatchKey key, const BatchPtr& batch) {
  const auto columns = encode_batch_columns(key, *batch);
  auto& put = s_.put_batch.bind(1, key.value).bind(2, columns.header).bind(3, columns.ids);
  put.bind(4, static_cast<std::int64_t>(columns.requests.size()));
  if (columns.requests.size() < large_batch_bytes_) return put.bind_null(5).bind(6, columns.requests).run();
  put.bind(5, static_cast<std::int64_t>(bodies_.end())).bind_null(6);
  if (auto status = bodies_.append(columns.requests); !status.ok()) {
    put.reset();
    return status;
  }
  return put.run();
}

/// What a row points to is on disk before the row.
Status SqliteTables::commit() {
  const auto end = bodies_.end();
  if (end != stored_bodies_end_) {
    auto status = bodies_.sync();
    if (status.ok()) status = put_record(bodies_end_record, Sealed::bodies_end, encode_bodies_end(end));
    if (!status.ok()) return status;
  }
  auto status = s_.commit.run();
  if (status.ok()) stored_bodies_end_ = end;
  return status;
}

void SqliteTables::rollback() {
  db_->rollback();
  bodies_.cut_back(stored_bodies_end_);
}

Status SqliteTables::erase_batch(BatchKey key) {
  return s_.erase_batch.bind(1, key.value).run();
}

Status SqliteTables::put_certificate(const Certificate& certificate) {
  Writer out;
  write_certificate(out, certificate);
  const auto value = seal(Sealed::certificate, out.take());
  return s_.put_certificate.bind(1, static_cast<std::int64_t>(certificate.point.index.value)).bind(2, value).run();
}

Status SqliteTables::put_record(std::int64_t id, Sealed kind, Bytes value) {
  const auto sealed = seal(kind, std::move(value));
  return s_.put_record.bind(1, id).bind(2, sealed).run();
}

Status SqliteTables::put_state(const DurableState& state) {
  return put_record(state_record, Sealed::state, encode_durable_state(state));
}

Status SqliteTables::put_entry_proof(const std::vector<MessagePtr>& proof) {
  return put_record(entry_proof_record, Sealed::entry_proof, encode_entry_proof(proof, context_.domain.epoch));
}

Status SqliteTables::put_evidence(std::uint64_t position, const EvidencePtr& evidence) {
  Writer out;
  write_evidence(out, *evidence);
  const auto value = seal(Sealed::evidence, out.take());
  return s_.put_evidence.bind(1, static_cast<std::int64_t>(position)).bind(2, value).run();
}

Status SqliteTables::put_conflict(const MessagePtr& conflict) {
  return put_record(conflict_record, Sealed::conflict, encode_message(*conflict, context_.domain.epoch));
}

Status SqliteTables::put_replay_point(const ReplayPoint& point) {
  return put_record(replay_point_record, Sealed::replay_point, encode_replay_point(point));
}

Status SqliteTables::maintain(bool only_if_overdue) {
  if (db_->wal_pages() < (only_if_overdue ? checkpoint_overdue_pages : checkpoint_due_pages)) return Ok{};
  return db_->checkpoint(false);
}

// ---- Reading

Status SqliteTables::check() {
  // Finds what reading rows does not: pages used twice, and a damaged list of free pages, which a later commit would
  // take live pages from.
  auto found = db_->text("PRAGMA quick_check(1)");
  if (!found.ok()) return found.error();
  if (*found != "ok") return corrupt_error(name(), *found);
  return Ok{};
}

Result<Bytes> SqliteTables::read_record(std::int64_t id, Sealed kind) {
  auto row = s_.record.bind(1, id).step();
  if (!row.ok()) return row.error();
  if (!*row) return Bytes{};
  const auto value = unseal(kind, s_.record.bytes(0));
  Bytes out;
  if (value) out.assign(value->begin(), value->end());
  s_.record.reset();
  if (!value) return corrupt_error(name(), "record " + std::to_string(id) + " is damaged");
  return out;
}

Result<DurableState> SqliteTables::state() {
  auto bytes = read_record(state_record, Sealed::state);
  if (!bytes.ok()) return bytes.error();
  if (bytes->empty()) return corrupt_error(name(), "the vote state is missing");
  auto state = decode_durable_state(*bytes, context_);
  if (!state.ok()) return corrupt_error(name(), "the vote state can't be read: " + state.error().what);
  return state;
}

Result<std::vector<MessagePtr>> SqliteTables::entry_proof() {
  auto bytes = read_record(entry_proof_record, Sealed::entry_proof);
  if (!bytes.ok()) return bytes.error();
  if (bytes->empty()) return std::vector<MessagePtr>{};
  auto proof = decode_entry_proof(*bytes, context_);
  if (!proof) return corrupt_error(name(), "the proof of the current view can't be read");
  return std::move(*proof);
}

Result<ReplayPoint> SqliteTables::replay_point() {
  auto bytes = read_record(replay_point_record, Sealed::replay_point);
  if (!bytes.ok()) return bytes.error();
  if (bytes->empty()) return ReplayPoint{};
  auto point = decode_replay_point(*bytes);
  if (!point) return corrupt_error(name(), "the replay point can't be read");
  return std::move(*point);
}

Result<MessagePtr> SqliteTables::conflict() {
  auto bytes = read_record(conflict_record, Sealed::conflict);
  if (!bytes.ok()) return bytes.error();
  if (bytes->empty()) return MessagePtr{};
  auto message = decode_message(*bytes, context_);
  if (!message.ok() || !std::holds_alternative<Conflict>(*message)) {
    return corrupt_error(name(), "the conflict of certificates that was found can't be read");
  }
  return std::make_shared<const Message>(std::move(*message));
}

Result<std::vector<EvidencePtr>> SqliteTables::evidence() {
  std::vector<EvidencePtr> out;
  while (true) {
    auto row = s_.evidence.step();
    if (!row.ok()) return row.error();
    if (!*row) return out;
    EvidencePtr evidence;
    if (auto value = unseal(Sealed::evidence, s_.evidence.bytes(0))) {
      Reader in(*value);
      evidence = read_evidence(in, context_);
      if (!in.at_end()) evidence = nullptr;
    }
    if (!evidence || out.size() >= max_stored_evidence) {
      s_.evidence.reset();
      return corrupt_error(name(), "evidence " + std::to_string(out.size() + 1) + " is damaged");
    }
    out.push_back(std::move(evidence));
  }
}

Result<std::optional<Certificate>> SqliteTables::newest_certificate() {
  return StatementCursor<Certificate>(s_.newest_certificate, source(), decode_certificate).next();
}

CursorPtr<BatchRow> SqliteTables::batches(BatchKey from, BatchKey to) {
  s_.batches.bind(1, from.value).bind(2, to.value);
  return std::make_unique<StatementCursor<BatchRow>>(s_.batches, source(), decode_batch);
}

CursorPtr<BatchSize> SqliteTables::batch_sizes(BatchKey from, BatchKey to) {
  s_.batch_sizes.bind(1, from.value).bind(2, to.value);
  return std::make_unique<StatementCursor<BatchSize>>(s_.batch_sizes, source(), decode_size);
}

CursorPtr<BatchRow> SqliteTables::batches_with_id(std::uint64_t prefix, BatchKey to) {
  s_.id_scan.bind(1, to.value);
  return std::make_unique<IdCursor>(s_.id_scan, prefix, *this);
}

CursorPtr<Certificate> SqliteTables::certificates(Index from) {
  s_.certificates.bind(1, static_cast<std::int64_t>(from.value));
  return std::make_unique<StatementCursor<Certificate>>(s_.certificates, source(), decode_certificate);
}

}  // namespace zell
