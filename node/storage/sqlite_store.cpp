#include "node/storage/log_store.h"
#include "node/storage/meta.h"
#include "node/storage/recovery.h"
#include "node/storage/sqlite_tables.h"

namespace zell {

namespace {

namespace fs = std::filesystem;

constexpr const char* unfinished_name = "node.db.new";

Status remove_file(const fs::path& file) {
  std::error_code failed;
  fs::remove(file, failed);
  if (failed) return Error{"io", "can't remove " + file.string() + ": " + failed.message(), "check its permissions"};
  return Ok{};
}

/// What a database of that name may have left behind. A stray WAL would be replayed into a new file.
Status remove_leftovers(const fs::path& folder) {
  for (const char* name : {database_file, unfinished_name}) {
    for (const char* suffix : {"-wal", "-shm", "-journal"}) {
      if (auto status = remove_file(folder / (std::string(name) + suffix)); !status.ok()) return status;
    }
  }
  return remove_file(folder / unfinished_name);
}

Status write_meta(Sqlite& db, std::string_view name, const Bytes* bytes, std::int64_t number) {
  auto statement = Statement::prepare(db, "INSERT INTO meta (name, value) VALUES (CAST(? AS TEXT), ?)");
  if (!statement.ok()) return statement.error();
  statement->bind(1, as_bytes(name));
  if (bytes) return statement->bind(2, *bytes).run();
  return statement->bind(2, number).run();
}

Status fill(Sqlite& db, const DecodeContext& context, NodeId self, Standing standing) {
  auto status = db.run("BEGIN IMMEDIATE; PRAGMA application_id = 0x7a656c6c;");  // "zell", for file(1)
  if (status.ok()) status = db.run(meta_schema);
  if (status.ok()) status = db.run(sqlite_schema);
  const Bytes cluster(context.domain.cluster.bytes.begin(), context.domain.cluster.bytes.end());
  if (status.ok()) status = write_meta(db, "schema", nullptr, schema_version);
  if (status.ok()) status = write_meta(db, "cluster", &cluster, 0);
  if (status.ok()) status = write_meta(db, "node", nullptr, self.value);
  if (!status.ok()) return status;
  auto put = Statement::prepare(db, "INSERT INTO record (id, value) VALUES (1, ?)");
  if (!put.ok()) return put.error();
  const auto state = seal(Sealed::state, encode_durable_state(initial_state(standing)));
  status = put->bind(1, state).run();
  if (status.ok()) status = db.run("COMMIT");
  return status;
}

/// Written under another name first: node.db is there whole or not at all.
Status make_database(const fs::path& folder, const DecodeContext& context, NodeId self, Standing standing,
                     const StoreOptions& options) {
  const auto unfinished = folder / unfinished_name;
  auto status = remove_leftovers(folder);
  if (status.ok()) status = make_private_file(unfinished);
  if (!status.ok()) return status;
  {
    auto db = Sqlite::open(unfinished, options);
    if (!db.ok()) return db.error();
    status = fill(**db, context, self, standing);
    if (status.ok()) status = (*db)->checkpoint(true);
    if (!status.ok()) return status;
  }
  status = remove_file(unfinished.string() + "-wal");  // emptied above
  if (status.ok()) status = sync_to_disk(unfinished);
  if (!status.ok()) return status;
  std::error_code failed;
  fs::rename(unfinished, folder / database_file, failed);
  if (failed) return Error{"io", "can't rename " + unfinished.string() + ": " + failed.message(), ""};
  return sync_to_disk(folder);
}

Status check_owner(Sqlite& db, const Genesis& genesis, const DecodeContext& context, NodeId self) {
  if (auto status = check_cluster(db, context); !status.ok()) return status;
  auto node = owner_of(db, genesis);
  if (!node.ok()) return node.error();
  if (*node == self) return Ok{};
  return Error{"foreign",
               db.file() + " belongs to member " + std::to_string(node->value) + " of the cluster, not to member " +
                   std::to_string(self.value) + " (" + genesis.members[self.value].name + "), counted from 0",
               foreign_hint};
}

Result<std::unique_ptr<Store>> open_database(FolderLock lock, const fs::path& folder, const Genesis& genesis,
                                             const DecodeContext& context, NodeId self, const StoreOptions& options) {
  auto db = Sqlite::open(folder / database_file, options);
  if (!db.ok()) return db.error();
  if (auto status = check_schema_version(**db); !status.ok()) return status.error();
  if (auto status = check_schema(**db); !status.ok()) return status.error();
  if (auto status = check_owner(**db, genesis, context, self); !status.ok()) return status.error();
  auto tables = SqliteTables::make(std::move(lock), std::move(*db), context, options.large_batch_bytes);
  if (!tables.ok()) return tables.error();
  return std::unique_ptr<Store>(std::make_unique<LogStore>(std::move(*tables), genesis.parameters));
}

Result<bool> has_database(const fs::path& folder) {
  std::error_code failed;
  const bool there = fs::exists(folder / database_file, failed);
  if (failed)
    return Error{"io", "can't look into " + folder.string() + ": " + failed.message(), "check its permissions"};
  return there;
}

}  // namespace

Status create_store(const fs::path& folder, const Genesis& genesis, NodeId self, const StoreOptions& options) {
  ZELL_CHECK(self.value < genesis.members.size());
  if (auto status = make_private_folder(folder); !status.ok()) return status;
  auto lock = FolderLock::take(folder);
  if (!lock.ok()) return lock.error();
  auto there = has_database(folder);
  if (!there.ok()) return there.error();
  if (*there) {
    return Error{"exists", (folder / database_file).string() + " is there already",
                 "vote state is made once and never replaced: use another folder for another cluster"};
  }
  return make_database(folder, context_of(genesis), self, Standing::member, options);
}

Result<std::unique_ptr<Store>> open_store(const fs::path& folder, const Genesis& genesis, NodeId self,
                                          const StoreOptions& options) {
  ZELL_CHECK(self.value < genesis.members.size());
  if (auto status = make_private_folder(folder); !status.ok()) return status.error();
  auto lock = FolderLock::take(folder);
  if (!lock.ok()) return lock.error();
  const auto context = context_of(genesis);
  auto there = has_database(folder);
  if (!there.ok()) return there.error();
  if (!*there) {
    auto made = make_database(folder, context, self, Standing::learner, options);
    if (!made.ok()) return made.error();
  }
  return open_database(std::move(*lock), folder, genesis, context, self, options);
}

}  // namespace zell
