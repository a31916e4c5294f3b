#pragma once
// SQLite behind the few calls that the store needs. Errors become Error: "corrupt" for what a file says, "locked" for a
// file that someone else has open, "disk-full" where no space is left for it, "io" for the rest.

#include <filesystem>
#include <memory>

#include "node/base/bytes.h"
#include "node/base/result.h"
#include "node/storage/gathered_writes.h"
#include "node/storage/store.h"

namespace zell {

/// What went wrong with `file` while `doing` something, from SQLite's code.
[[nodiscard]] Error sqlite_error(const std::string& file, int code, std::string_view doing,
                                 std::string_view details = "");

/// One connection. Not thread-safe (opened without SQLite's mutexes). Must outlive its statements.
class Sqlite {
 public:
  /// Opens an existing file and sets it up for a node's writing: exclusive, WAL, synced at each commit. Each setting is
  /// read back: code "io" if one was not taken.
  [[nodiscard]] static Result<std::unique_ptr<Sqlite>> open(const std::filesystem::path& file,
                                                            const StoreOptions& options);
  /// Opens an existing file for reading alone: neither it nor its WAL is written, nor is any file made. What the WAL
  /// holds is seen. REQUIRES: nobody writes the file meanwhile (the caller holds the folder's lock).
  [[nodiscard]] static Result<std::unique_ptr<Sqlite>> open_to_read(const std::filesystem::path& file);
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] sqlite3* handle() const { return db_; }
  [[nodiscard]] bool is_read_only() const;
  /// The VFS for what is written, registered for as long as this lives.
  [[nodiscard]] const std::string& vfs() const { return writes_.name(); }
  /// Runs statements without results.
  [[nodiscard]] Status run(const char* sql);
  /// The first column of the first row, as text; empty without rows.
  [[nodiscard]] Result<std::string> text(const char* sql);
  void rollback();
  /// Pages in the WAL after the last commit.
  [[nodiscard]] int wal_pages() const { return wal_pages_; }
  /// Moves what the WAL holds into the file. `truncate`: and empties the WAL.
  [[nodiscard]] Status checkpoint(bool truncate);
  /// From now on closing writes nothing.
  void abandon();
  [[nodiscard]] StoreIo io() const { return writes_.io(); }
  [[nodiscard]] Error error(int code, std::string_view doing) const;

 private:
  explicit Sqlite(const std::string& vfs) : writes_(vfs) {}
  [[nodiscard]] Status configure(const StoreOptions& options);
  static int on_wal_commit(void* self, sqlite3*, const char*, int pages);

  GatheredWrites writes_;
  std::string file_;
  sqlite3* db_ = nullptr;
  int wal_pages_ = 0;
};

/// A prepared statement, kept for the life of the connection.
class Statement {
 public:
  Statement() = default;
  [[nodiscard]] static Result<Statement> prepare(Sqlite& db, const char* sql);

  /// Positions count from 1. Bytes are not copied: they must outlive the steps.
  Statement& bind(int position, std::int64_t number);
  Statement& bind(int position, ByteView bytes);
  Statement& bind_null(int position);
  /// True: there is a row. After false or an error the statement is reset.
  [[nodiscard]] Result<bool> step();
  /// Steps to the end.
  [[nodiscard]] Status run();
  void reset();

  /// Columns count from 0; valid until the next step or reset.
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] ByteView bytes(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  Sqlite* db_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int bind_error_ = 0;
};

}  // namespace zell
