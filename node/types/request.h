#pragma once
// A user's signed request, decoded once and shared from then on.

#include <memory>
#include <string_view>
#include <vector>

#include "node/types/ids.h"

namespace zell {

inline constexpr std::uint8_t request_version = 1;
inline constexpr std::size_t max_app_bytes = 32;
inline constexpr std::string_view default_app = "default";
inline constexpr std::string_view reserved_app = "zell";  ///< probes and membership
inline constexpr std::size_t max_payloads = 4'096;        ///< operations in one bundle

/// Immutable after decoding. `canonical` is header || body as in PROTOCOL.md; the other fields are read from it, and
/// id and leaf are hashes over it (wire/request_codec makes them).
struct Request {
  Bytes canonical;
  std::uint32_t header_bytes = 0;  ///< how much of `canonical` is the header
  std::string app;
  std::uint64_t nonce = 0;
  PublicKey sender;
  std::uint32_t payload_count = 0;
  Hash payloads_root;
  CompactSignature signature;
  Hash digest;   ///< EIP-712: what the sender signed
  RequestId id;  ///< keccak(digest || sender)
  Hash leaf;     ///< SHA256(0x00 || header)

  [[nodiscard]] ByteView header() const { return ByteView(canonical).first(header_bytes); }
  [[nodiscard]] ByteView body() const { return ByteView(canonical).subspan(header_bytes); }
};
using RequestPtr = std::shared_ptr<const Request>;
using Requests = std::vector<RequestPtr>;
using RequestsPtr = std::shared_ptr<const Requests>;

enum class RequestState : std::uint8_t {
  unknown = 0,
  initialised = 1,
  sequenced = 2,
  locked = 3,
  finalised = 4,
  refused = 5
};
[[nodiscard]] std::string_view to_string(RequestState state);

}  // namespace zell
