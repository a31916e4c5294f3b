#include "node/storage/log_store.h"
#include "node/storage/recovery.h"
#include "node/storage/sqlite_tables.h"

namespace zell {

namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "node.db";
constexpr const char* unfinished_name = "node.db.new";
constexpr const char* meta_schema = "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;";

DecodeContext context_of(const Genesis& genesis) {
  return {SigningDomain::of(genesis), genesis.parameters, genesis.members.size()};
}

Status remove_file(const fs::path& file) {
  std::error_code failed;
  fs::remove(file, failed);
  if (failed) return Error{"io", "can't remove " + file.string() + ": " + failed.message(), "check its permissions"};
  return Ok{};
}

/// What a database of that name may have left behind. A stray WAL would be replayed into a new file.
Status remove_leftovers(const fs::path& folder) {
  for (const char* name : {file_name, unfinished_name}) {
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
  fs::rename(unfinished, folder / file_name, failed);
  if (failed) return Error{"io", "can't rename " + unfinished.string() + ": " + failed.message(), ""};
  return sync_to_disk(folder);
}

Status check_schema_version(Sqlite& db) {
  auto found = db.text("SELECT CAST(value AS TEXT) FROM meta WHERE name = 'schema' AND typeof(value) = 'integer'");
  if (!found.ok()) return found.error();
  if (*found == std::to_string(schema_version)) return Ok{};
  const bool newer =
      !found->empty() && found->front() != '-' && (found->size() > 1 || *found > std::to_string(schema_version));
  if (!newer) return corrupt_error(db.file(), "its schema version is '" + *found + "'");
  return Error{"newer-schema",
               db.file() + " has schema version " + *found + ", and this zell knows versions up to " +
                   std::to_string(schema_version),
               "run the zell that wrote it (schema version " + *found +
                   ") or a newer one; this one has schema version " + std::to_string(schema_version)};
}

Status check_owner(Sqlite& db, const Genesis& genesis, const DecodeContext& context, NodeId self) {
  auto cluster = db.text("SELECT lower(hex(value)) FROM meta WHERE name = 'cluster'");
  if (!cluster.ok()) return cluster.error();
  const char* hint = "each node has a data folder of its own: check the data folder in this node's configuration";
  if (*cluster != to_hex(context.domain.cluster.view())) {
    return Error{
        "foreign",
        db.file() + " belongs to cluster 0x" + *cluster + ", not to " + to_hex0x(context.domain.cluster.view()), hint};
  }
  auto node = db.text("SELECT CAST(value AS TEXT) FROM meta WHERE name = 'node'");
  if (!node.ok()) return node.error();
  if (*node == std::to_string(self.value)) return Ok{};
  return Error{"foreign",
               db.file() + " belongs to member " + *node + " of the cluster, not to member " +
                   std::to_string(self.value) + " (" + genesis.members[self.value].name + "), counted from 0",
               hint};
}

Status check_schema(Sqlite& db) {
  auto found = db.text(
      "SELECT group_concat(sql || ';', '') FROM (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid)");
  if (!found.ok()) return found.error();
  if (*found != std::string(meta_schema) + sqlite_schema)
    return corrupt_error(db.file(), "its tables are not the ones of a node");
  return Ok{};
}

Result<std::unique_ptr<Store>> open_database(FolderLock lock, const fs::path& folder, const Genesis& genesis,
                                             const DecodeContext& context, NodeId self, const StoreOptions& options) {
  auto db = Sqlite::open(folder / file_name, options);
  if (!db.ok()) return db.error();
  if (auto status = check_schema_version(**db); !status.ok()) return status.error();
  if (auto status = check_schema(**db); !status.ok()) return status.error();
  if (auto status = check_owner(**db, genesis, context, self); !status.ok()) return status.error();
  auto tables = SqliteTables::make(std::move(lock), std::move(*db), context);
  if (!tables.ok()) return tables.error();
  return std::unique_ptr<Store>(std::make_unique<LogStore>(std::move(*tables), genesis.parameters));
}

Result<bool> has_database(const fs::path& folder) {
  std::error_code failed;
  const bool there = fs::exists(folder / file_name, failed);
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
    return Error{"exists", (folder / file_name).string() + " is there already",
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
