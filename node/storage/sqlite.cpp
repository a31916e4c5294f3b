#include "node/storage/sqlite.h"

#include <sqlite3.h>

#include "node/base/check.h"

namespace zell {

namespace {

const char* code_for(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // a table or column that should be there is not
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_FORMAT:
    case SQLITE_TOOBIG:
      return "corrupt";
    case SQLITE_FULL:
      return "disk-full";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "locked";
    default:
      return sqlite_code == SQLITE_IOERR_SHORT_READ ? "corrupt" : "io";
  }
}

const char* hint_for(std::string_view code) {
  if (code == "corrupt") {
    return "move the node's data folder away and start the node again: it fetches the log from its peers and rejoins "
           "as a "
           "learner. Never restore an old copy of the folder.";
  }
  if (code == "disk-full")
    return "make space, or raise the limit, then start the node again; nothing that it said is lost";
  if (code == "locked") return "close whatever else has the file open, e.g. an sqlite3 shell";
  return "check that the disk has space, works, and that this user may write there";
}

}  // namespace

Error sqlite_error(const std::string& file, int code, std::string_view doing, std::string_view details) {
  const std::string word = code_for(code);
  std::string what = file + ": " + sqlite3_errstr(code);
  if (!details.empty()) what += " (" + std::string(details) + ")";
  what += " [" + std::to_string(code) + "] while " + std::string(doing);
  return {word, std::move(what), hint_for(word)};
}

Error Sqlite::error(int code, std::string_view doing) const {
  const bool has_details = db_ && sqlite3_errcode(db_) == (code & 0xff);
  return sqlite_error(file_, code, doing, has_details ? sqlite3_errmsg(db_) : "");
}

bool Sqlite::is_read_only() const {
  return sqlite3_db_readonly(db_, "main") != 0;
}

Result<std::unique_ptr<Sqlite>> Sqlite::open(const std::filesystem::path& file, const StoreOptions& options) {
  std::unique_ptr<Sqlite> out(new Sqlite(options.vfs));
  out->file_ = file.string();
  const int code =
      sqlite3_open_v2(file.c_str(), &out->db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                      out->writes_.name().c_str());
  if (code != SQLITE_OK) return out->error(code, "opening it");
  sqlite3_wal_hook(out->db_, &Sqlite::on_wal_commit, out.get());
  if (auto status = out->configure(options); !status.ok()) return status.error();
  return out;
}

namespace {

/// SQLite's name of a file that it may take for unchanging: "file:" and the path, percent-encoded.
std::string immutable_uri(const std::filesystem::path& file) {
  static constexpr char digits[] = "0123456789ABCDEF";
  static constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string out = "file:";
  for (const char c : std::filesystem::absolute(file).string()) {
    if (plain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out + "?immutable=1";
}

}  // namespace

Result<std::unique_ptr<Sqlite>> Sqlite::open_to_read(const std::filesystem::path& file) {
  std::unique_ptr<Sqlite> out(new Sqlite(""));
  out->file_ = file.string();
  std::error_code failed;
  const auto wal_bytes = std::filesystem::file_size(file.string() + "-wal", failed);
  // With a WAL, which only a crash leaves: its index is kept on the heap, and no lock is asked of the file, which one
  // that is open for reading could not have. Without one SQLite would make it, but for a file that can't change.
  const bool has_wal = !failed && wal_bytes > 0;
  const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI;
  const int code = has_wal ? sqlite3_open_v2(file.c_str(), &out->db_, flags & ~SQLITE_OPEN_URI, "unix-none")
                           : sqlite3_open_v2(immutable_uri(file).c_str(), &out->db_, flags, nullptr);
  if (code != SQLITE_OK) return out->error(code, "opening it");
  out->abandon();
  sqlite3_db_config(out->db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(out->db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  auto status = out->run(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;"
      "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA cache_size = -8192;");
  if (!status.ok()) return status.error();
  return out;
}

Sqlite::~Sqlite() {
  // Not later, when the last statement goes: the VFS goes with this object.
  ZELL_CHECK(sqlite3_close(db_) == SQLITE_OK);
}

Status Sqlite::configure(const StoreOptions& options) {
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // Exclusive before the first use of the WAL: its index is then on the heap, and there is no -shm file.
  auto status =
      run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 33554432;"
          "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA cache_size = -8192;");
  if (status.ok()) status = run(options.synchronous_full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
  if (!status.ok()) return status;
  if (is_read_only()) {
    return Error{"io", file_ + " can only be read: this user may not write it, or its header is damaged",
                 "check its permissions; if they are right, move the node's data folder away and start the node again: "
                 "it fetches the log from its peers and rejoins as a learner"};
  }
  struct Setting {
    const char* pragma;
    std::string want;
  };
  const Setting settings[] = {{"PRAGMA journal_mode", "wal"},
                              {"PRAGMA synchronous", options.synchronous_full ? "2" : "0"},
                              {"PRAGMA locking_mode", "exclusive"},
                              {"PRAGMA page_size", "4096"}};
  for (const auto& setting : settings) {
    auto is = text(setting.pragma);
    if (!is.ok()) return is.error();
    if (*is == setting.want) continue;
    return Error{
        "io", file_ + ": " + setting.pragma + " is " + *is + " instead of " + setting.want,
        "what a vote rests on might not survive a power cut: put the data folder on a local file system, and leave "
        "node.db to the node"};
  }
  return Ok{};
}

int Sqlite::on_wal_commit(void* self, sqlite3*, const char*, int pages) {
  static_cast<Sqlite*>(self)->wal_pages_ = pages;
  return SQLITE_OK;
}

Status Sqlite::run(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code, sql);
  return Ok{};
}

Result<std::string> Sqlite::text(const char* sql) {
  auto statement = Statement::prepare(*this, sql);
  if (!statement.ok()) return statement.error();
  auto row = statement->step();
  if (!row.ok()) return row.error();
  return std::string(*row ? as_text(statement->bytes(0)) : "");
}

void Sqlite::rollback() {
  // A failed transaction may have been rolled back already. If this fails too, the transaction stays open until the
  // connection closes: nothing of it is committed either way.
  if (!sqlite3_get_autocommit(db_)) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Status Sqlite::checkpoint(bool truncate) {
  const int code = sqlite3_wal_checkpoint_v2(
      db_, nullptr, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code, "moving the WAL into the file");
  wal_pages_ = 0;
  return Ok{};
}

void Sqlite::abandon() {
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

// ---- Statement

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Result<Statement> Statement::prepare(Sqlite& db, const char* sql) {
  Statement out;
  out.db_ = &db;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return db.error(code, sql);
  out.statement_.reset(statement);
  return out;
}

Statement& Statement::bind(int position, std::int64_t number) {
  const int code = sqlite3_bind_int64(statement_.get(), position, number);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::bind_null(int position) {
  const int code = sqlite3_bind_null(statement_.get(), position);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::bind(int position, ByteView bytes) {
  // A null pointer would bind NULL instead of the empty blob.
  const int code =
      sqlite3_bind_blob64(statement_.get(), position, bytes.empty() ? "" : static_cast<const void*>(bytes.data()),
                          bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Result<bool> Statement::step() {
  const int code = bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = db_->error(code, sqlite3_sql(statement_.get()));
  reset();
  return error;
}

Status Statement::run() {
  while (true) {
    auto row = step();
    if (!row.ok()) return row.error();
    if (!*row) return Ok{};
  }
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // repeats the error of the last step, which was reported then
  sqlite3_clear_bindings(statement_.get());
  bind_error_ = SQLITE_OK;
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

ByteView Statement::bytes(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

}  // namespace zell
