#pragma once
// Every log that anyone in a run ever proposed or served: which prefix continues which.

#include <optional>
#include <unordered_map>
#include <vector>

#include "node/crypto/log_tree.h"
#include "node/types/request.h"

namespace zell::simulation {

class ChainTree {
 public:
  /// Adds what `requests` make of the log at `parent`, if they do lead to `end`; as soon as `parent` is known.
  void add(const LogPoint& parent, const RequestsPtr& requests, const LogPoint& end);
  /// Null: no log that was ever shown.
  [[nodiscard]] const CompactRange* range_at(const LogPoint& point) const;
  /// Whether the log at `longer` starts with the one at `prefix`; nullopt if either is unknown.
  [[nodiscard]] std::optional<bool> extends(const LogPoint& longer, const LogPoint& prefix) const;
  /// Whether one of them starts with the other; nullopt if that is unknown.
  [[nodiscard]] std::optional<bool> on_one_chain(const LogPoint& a, const LogPoint& b) const {
    return a.index < b.index ? extends(b, a) : extends(a, b);
  }

 private:
  struct Prefix {
    Hash parent;  ///< root of the log without its last request
    CompactRange range;
  };
  struct Orphan {
    LogPoint parent;
    RequestsPtr requests;
    LogPoint end;
  };
  bool adopt(const Orphan& batch);

  std::unordered_map<Hash, Prefix> prefixes_;  // by root
  std::vector<Orphan> orphans_;                // whose parent is not known yet
};

}  // namespace zell::simulation
