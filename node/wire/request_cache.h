#pragma once
// What was found valid is decoded, hashed and checked once, though it comes twice: forwarded, and then proposed.

#include <memory>

#include "node/types/request.h"

namespace zell {

/// Remembers requests that were found valid by their very bytes. Implementations are bounded and thread-safe.
class RequestCache {
 public:
  virtual ~RequestCache() = default;
  /// The remembered request with these bytes, or null. `signature` is the one in them.
  [[nodiscard]] virtual RequestPtr find(const CompactSignature& signature, ByteView canonical) const = 0;
  /// REQUIRES: its form and its signature were found good.
  virtual void remember(const RequestPtr& request) = 0;

  [[nodiscard]] bool contains(const Request& request) const {
    return find(request.signature, request.canonical) != nullptr;
  }
};

/// Keeps at least the newest `max_count` requests, or as many as have `max_bytes` together, and at most twice as many.
[[nodiscard]] std::unique_ptr<RequestCache> make_request_cache(std::size_t max_count, std::size_t max_bytes = 8 << 20);

}  // namespace zell
