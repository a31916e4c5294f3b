#pragma once
// Signing and checking behind one interface, so that the simulator can use a cheap scheme. Thread-safe.

#include <memory>
#include <optional>
#include <string>

#include "node/base/result.h"
#include "node/types/ids.h"

namespace zell {

/// 32 secret bytes, wiped on destruction.
class SecretKey {
 public:
  SecretKey() = default;
  explicit SecretKey(const std::array<std::uint8_t, 32>& bytes) : bytes_(bytes) {}
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();
  [[nodiscard]] const std::array<std::uint8_t, 32>& bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, 32> bytes_{};
};

class SignatureScheme {
 public:
  virtual ~SignatureScheme() = default;
  /// nullopt if the bytes are no valid secret (zero, or not below the group order).
  [[nodiscard]] virtual std::optional<PublicKey> public_key(const SecretKey& secret) const = 0;
  /// Deterministic (RFC 6979), low-s, v = 27/28. REQUIRES: public_key(secret) has a value.
  [[nodiscard]] virtual Signature sign(const SecretKey& secret, const Hash& digest) const = 0;
  /// False also for a high s, and for a key that is no point of the curve.
  [[nodiscard]] virtual bool verify(const PublicKey& key, const Hash& digest,
                                    const CompactSignature& signature) const = 0;
  /// nullopt for a high s, a v other than 27/28, or when nothing can be recovered.
  [[nodiscard]] virtual std::optional<PublicKey> recover(const Hash& digest, const Signature& signature) const = 0;
};

/// The real one: libsecp256k1. Keeps a bounded cache of parsed keys.
[[nodiscard]] const SignatureScheme& secp256k1_scheme();

/// Last 20 bytes of Keccak-256 of the uncompressed point; nullopt if the key is no point of the curve.
[[nodiscard]] std::optional<Address> address_of(const PublicKey& key);
/// "0x" and 40 digits, with EIP-55's capitals.
[[nodiscard]] std::string to_checksum_hex(const Address& address);
/// From the operating system's generator.
[[nodiscard]] SecretKey generate_secret_key();
/// Fills from the operating system's generator.
void random_bytes(std::span<std::uint8_t> out);
/// A reproducible development key: SHA-256("zell dev key" || seed || name). Never for anything of value.
[[nodiscard]] SecretKey dev_secret_key(std::uint64_t seed, std::string_view name);

[[nodiscard]] inline CompactSignature compact(const Signature& signature) {
  return CompactSignature::from(signature.view().first(64));
}

}  // namespace zell
