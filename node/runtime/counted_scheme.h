#pragma once
// Counts signatures made and checked, for the metrics.

#include <atomic>

#include "node/crypto/keys.h"

namespace zell {

/// Any thread. `scheme` outlives it.
class CountedScheme final : public SignatureScheme {
 public:
  explicit CountedScheme(const SignatureScheme& scheme) : scheme_(scheme) {}

  [[nodiscard]] std::optional<PublicKey> public_key(const SecretKey& secret) const override {
    return scheme_.public_key(secret);
  }
  [[nodiscard]] Signature sign(const SecretKey& secret, const Hash& digest) const override {
    count(made_);
    return scheme_.sign(secret, digest);
  }
  [[nodiscard]] bool verify(const PublicKey& key, const Hash& digest,
                            const CompactSignature& signature) const override {
    count(verified_);
    return scheme_.verify(key, digest, signature);
  }
  [[nodiscard]] std::optional<PublicKey> recover(const Hash& digest, const Signature& signature) const override {
    count(recovered_);
    return scheme_.recover(digest, signature);
  }

  [[nodiscard]] std::uint64_t made() const { return made_.load(std::memory_order_relaxed); }
  /// Users' signatures are verified, members' recovered.
  [[nodiscard]] std::uint64_t verified() const { return verified_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t recovered() const { return recovered_.load(std::memory_order_relaxed); }

 private:
  using Counter = std::atomic<std::uint64_t>;
  static void count(Counter& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

  const SignatureScheme& scheme_;
  mutable Counter made_ = 0, verified_ = 0, recovered_ = 0;
};

}  // namespace zell
