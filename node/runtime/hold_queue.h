#pragma once
// Persist before you send: sends wait here until what they depend on is on disk.

#include <map>
#include <vector>

#include "node/consensus/io.h"

namespace zell {

/// Holds each Send until its Persist, and so all before it, is durable. Loop thread only.
class HoldQueue {
 public:
  /// `send` may go out now (true), or is held until persisted() reaches its `after` (false, and it was moved from).
  /// `own`: it is this node's own word, with its signature.
  [[nodiscard]] bool may_go(Send& send, bool own);
  /// Everything up to `id` is durable: the sends that waited for it, in the order in which they came.
  [[nodiscard]] std::vector<Send> persisted(PersistId id);
  /// The view was left: drops what is held and this node's own word, so that nothing of an old view goes out once a
  /// higher one is durable.
  void drop_own();
  /// The disk failed: what is held will never be durable, so it never goes out; nor does anything that comes later and
  /// depends on a Persist that is not durable yet.
  void persist_failed();
  [[nodiscard]] std::size_t held() const;
  [[nodiscard]] PersistId durable() const { return durable_; }

 private:
  struct Held {
    std::uint64_t order = 0;
    bool own = false;
    Send send;
  };
  std::map<PersistId, std::vector<Held>> held_;  // by what they wait for: no entry is at or below durable_
  std::uint64_t next_order_ = 0;
  PersistId durable_ = 0;
  bool failed_ = false;
};

}  // namespace zell
