#pragma once
// Entries of the log, as they are printed.

#include <string>
#include <string_view>

#include "cli/log_filter.h"
#include "client/client.h"

namespace zell::cli {

struct LogEntry {
  Index index;
  View view;
  RequestPtr request;
  RequestState state = RequestState::finalised;
  std::string said_by;  ///< not proven, only this node's word; empty: proven
};

enum class RowForm : std::uint8_t { table, json, proof };

/// Rows as they come: a stream can't know how wide later ones are.
class LogRows {
 public:
  LogRows(const Names& names, Client& client, RowForm form) : names_(names), client_(client), form_(form) {}
  /// Codes: the client's, when a proof is fetched.
  [[nodiscard]] Status print_row(const LogEntry& entry);

 private:
  void print_table_row(const LogEntry& entry);
  void print_json_row(const LogEntry& entry) const;

  const Names& names_;
  Client& client_;
  RowForm form_;
  bool headed_ = false;
};

}  // namespace zell::cli
