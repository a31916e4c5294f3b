#pragma once
// Exactly once: per sender, the 1,024 highest nonces accepted. A function of the log prefix (PROTOCOL.md, "A request").

#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node/wire/delta.h"

namespace zell {

/// What a request takes up: one nonce of one sender.
struct NonceSlot {
  std::uint64_t nonce = 0;  ///< first: it tells most slots apart
  PublicKey sender;
  friend auto operator<=>(const NonceSlot&, const NonceSlot&) = default;
};
[[nodiscard]] inline NonceSlot slot_of(const Request& request) {
  return {request.nonce, request.sender};
}

enum class NonceVerdict : std::uint8_t { fresh, duplicate, too_old };
/// "duplicate" or "nonce-too-old". REQUIRES: not fresh.
[[nodiscard]] std::string_view refusal_of(NonceVerdict verdict);

class NonceWindows {
 public:
  /// One insertion, enough to take it back.
  struct Undo {
    PublicKey sender;
    std::uint64_t added = 0;
    std::optional<std::uint64_t> evicted;
  };

  NonceWindows() = default;
  explicit NonceWindows(const std::vector<SenderNonces>& senders);
  /// Ascending by key. Nothing is left here.
  [[nodiscard]] std::vector<SenderNonces> all() &&;

  [[nodiscard]] NonceVerdict check(const PublicKey& sender, std::uint64_t nonce) const;
  /// REQUIRES: check() says fresh.
  Undo insert(const PublicKey& sender, std::uint64_t nonce);
  /// REQUIRES: undone in the reverse order of insertion.
  void undo(const Undo& undo);
  [[nodiscard]] std::size_t senders() const { return windows_.size(); }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  // Each ascending. Iterated by all() alone, which sorts.
  std::unordered_map<PublicKey, std::vector<std::uint64_t>> windows_;
  std::size_t count_ = 0;  ///< of all nonces
};

}  // namespace zell
