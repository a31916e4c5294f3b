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
  /// Ascending by key.
  [[nodiscard]] std::vector<SenderNonces> all() const;

  [[nodiscard]] NonceVerdict check(const PublicKey& sender, std::uint64_t nonce) const;
  /// REQUIRES: check() says fresh.
  Undo insert(const PublicKey& sender, std::uint64_t nonce);
  /// REQUIRES: undone in the reverse order of insertion.
  void undo(const Undo& undo);
  [[nodiscard]] std::size_t senders() const { return windows_.size(); }

 private:
  std::unordered_map<PublicKey, std::vector<std::uint64_t>>
      windows_;  // each ascending; iterated by all() alone, which sorts
};

}  // namespace zell
