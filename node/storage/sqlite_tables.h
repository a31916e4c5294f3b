#pragma once
// Tables in node.db, and beside it the requests of large batches. Layout: FORMAT.md.

#include "node/storage/body_file.h"
#include "node/storage/folder.h"
#include "node/storage/row_codec.h"
#include "node/storage/sqlite.h"
#include "node/storage/tables.h"

namespace zell {

extern const char* const sqlite_schema;  ///< the CREATE statements, as they are run and as SQLite keeps them

/// What reads rows: the file's name in messages, and what a row needs besides itself.
struct RowSource {
  const std::string& name;
  const DecodeContext& context;
  BodyFile& bodies;
};

/// Every statement that the tables run, prepared once. `id_scan` is apart from `batches`, so that a row found by it can
/// be decoded while it stands.
struct TableStatements {
  Statement begin, commit;
  Statement put_batch, erase_batch, put_certificate, put_record, put_evidence;
  Statement record, evidence, newest_certificate, batches, batch_sizes, id_scan, certificates;
};

class SqliteTables final : public Tables {
 public:
  /// `db` has this schema (see sqlite_store.cpp). Code "corrupt" if a statement does not fit it, or node.bodies is not
  /// all there.
  [[nodiscard]] static Result<std::unique_ptr<Tables>> make(std::optional<FolderLock> lock, std::unique_ptr<Sqlite> db,
                                                            DecodeContext context,
                                                            std::size_t large_batch_bytes = default_large_batch_bytes);

  [[nodiscard]] const std::string& name() const override { return db_->file(); }
  [[nodiscard]] Status begin() override { return s_.begin.run(); }
  [[nodiscard]] Status put_batch(BatchKey key, const BatchPtr& batch) override;
  [[nodiscard]] Status erase_batch(BatchKey key) override;
  [[nodiscard]] Status put_certificate(const Certificate& certificate) override;
  [[nodiscard]] Status put_state(const DurableState& state) override;
  [[nodiscard]] Status put_entry_proof(const std::vector<MessagePtr>& proof) override;
  [[nodiscard]] Status put_evidence(std::uint64_t position, const EvidencePtr& evidence) override;
  [[nodiscard]] Status put_conflict(const MessagePtr& conflict) override;
  [[nodiscard]] Status put_replay_point(const ReplayPoint& point) override;
  [[nodiscard]] Status commit() override;
  void rollback() override;
  [[nodiscard]] Status maintain(bool only_if_overdue) override;
  void abandon() override { db_->abandon(); }
  [[nodiscard]] StoreIo io() const override { return db_->io(); }

  [[nodiscard]] Status check() override;
  [[nodiscard]] Result<DurableState> state() override;
  [[nodiscard]] Result<std::vector<MessagePtr>> entry_proof() override;
  [[nodiscard]] Result<std::vector<EvidencePtr>> evidence() override;
  [[nodiscard]] Result<MessagePtr> conflict() override;
  [[nodiscard]] Result<ReplayPoint> replay_point() override;
  [[nodiscard]] Result<std::optional<Certificate>> newest_certificate() override;
  [[nodiscard]] CursorPtr<BatchRow> batches(BatchKey from, BatchKey to) override;
  [[nodiscard]] CursorPtr<BatchSize> batch_sizes(BatchKey from, BatchKey to) override;
  [[nodiscard]] CursorPtr<BatchRow> batches_with_id(std::uint64_t prefix, BatchKey to) override;
  [[nodiscard]] CursorPtr<Certificate> certificates(Index from) override;

 private:
  SqliteTables(std::optional<FolderLock> lock, std::unique_ptr<Sqlite> db, DecodeContext context,
               std::size_t large_batch_bytes);
  [[nodiscard]] Status prepare();
  [[nodiscard]] Status find_bodies();
  [[nodiscard]] RowSource source() { return {name(), context_, bodies_}; }
  [[nodiscard]] Status put_record(std::int64_t id, Sealed kind, Bytes value);
  /// Unsealed; empty if there is none.
  [[nodiscard]] Result<Bytes> read_record(std::int64_t id, Sealed kind);

  std::optional<FolderLock> lock_;  // released last
  std::unique_ptr<Sqlite> db_;
  BodyFile bodies_;
  std::uint64_t stored_bodies_end_ = 0;  ///< of the last commit
  const std::size_t large_batch_bytes_;
  DecodeContext context_;
  TableStatements s_;
};

}  // namespace zell
