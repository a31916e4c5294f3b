#pragma once
// Byte strings: owned, viewed, fixed-width, hexadecimal.

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zell {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// N bytes whose Tag keeps a hash from being passed where a key is meant. Ordered and compared bytewise.
template <std::size_t N, class Tag>
struct FixedBytes {
  static constexpr std::size_t size = N;
  std::array<std::uint8_t, N> bytes{};

  friend auto operator<=>(const FixedBytes&, const FixedBytes&) = default;
  [[nodiscard]] ByteView view() const { return {bytes.data(), N}; }
  [[nodiscard]] bool is_zero() const { return bytes == std::array<std::uint8_t, N>{}; }

  /// REQUIRES: from.size() == N (checked by the caller: outside bytes are checked where they enter).
  [[nodiscard]] static FixedBytes from(ByteView from) {
    FixedBytes out;
    std::memcpy(out.bytes.data(), from.data(), N);
    return out;
  }
};

/// Lower-case hexadecimal, no prefix.
[[nodiscard]] std::string to_hex(ByteView bytes);
/// "0x" and lower-case hexadecimal.
[[nodiscard]] std::string to_hex0x(ByteView bytes);
/// Reads hexadecimal of either case, with or without "0x"; nullopt if it is anything else or of odd length.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

template <class Fixed>
[[nodiscard]] std::optional<Fixed> fixed_from_hex(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes || bytes->size() != Fixed::size) return std::nullopt;
  return Fixed::from(*bytes);
}

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace zell

/// Hash for unordered containers: for keys that are themselves hashes or public keys (uniform bytes).
template <std::size_t N, class Tag>
struct std::hash<zell::FixedBytes<N, Tag>> {
  std::size_t operator()(const zell::FixedBytes<N, Tag>& value) const noexcept {
    std::size_t out = 0;
    std::memcpy(&out, value.bytes.data() + (N > 8 ? N - 8 : 0), N < 8 ? N : 8);
    return out;
  }
};
