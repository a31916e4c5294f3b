#pragma once
// A bounded memory of what was found good. Internal to wire/.

#include <mutex>
#include <unordered_set>

#include "node/crypto/hash.h"
#include "node/crypto/keys.h"

namespace zell {

/// Remembers at least the newest `capacity` values and at most twice as many: when one generation is full, it becomes
/// the old one, and the one before it is forgotten. Thread-safe. Values are kept as salted hashes, so that nobody
/// outside can choose values that meet in one bucket.
class RecentSet {
 public:
  explicit RecentSet(std::size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) { random_bytes(salt_.bytes); }

  [[nodiscard]] bool contains(ByteView a, ByteView b = {}) const {
    const Hash name = name_of(a, b);
    const std::lock_guard lock(mutex_);
    return newer_.contains(name) || older_.contains(name);
  }
  void insert(ByteView a, ByteView b = {}) {
    const Hash name = name_of(a, b);
    const std::lock_guard lock(mutex_);
    newer_.insert(name);
    if (newer_.size() < capacity_) return;
    older_ = std::move(newer_);
    newer_.clear();
  }

 private:
  [[nodiscard]] Hash name_of(ByteView a, ByteView b) const { return sha256({salt_.view(), a, b}); }

  const std::size_t capacity_;
  Nonce32 salt_;
  mutable std::mutex mutex_;
  std::unordered_set<Hash> newer_, older_;  // never iterated
};

}  // namespace zell
