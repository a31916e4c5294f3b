#pragma once
// Members whose signatures are made by naming them, so that the checks behind a signature are reached too.

#include "node/wire/verifier.h"
#include "tests/fuzz/fuzz_target.h"

namespace zell::testing {

inline PublicKey stand_in_key(std::size_t member) {
  PublicKey out;
  out.bytes.fill(static_cast<std::uint8_t>(member + 1));
  return out;
}

/// A signature's first byte says whose it is.
class StandInScheme final : public SignatureScheme {
 public:
  [[nodiscard]] std::optional<PublicKey> public_key(const SecretKey&) const override { return std::nullopt; }
  [[nodiscard]] Signature sign(const SecretKey&, const Hash&) const override { return {}; }
  [[nodiscard]] bool verify(const PublicKey&, const Hash&, const CompactSignature& signature) const override {
    return signature.bytes[0] % 2 == 0;
  }
  [[nodiscard]] std::optional<PublicKey> recover(const Hash&, const Signature& signature) const override {
    return stand_in_key(signature.bytes[0] % fuzz_context().member_count);
  }
};

inline const SignatureScheme& stand_in_scheme() {
  static const StandInScheme scheme;
  return scheme;
}

/// The cluster of fuzz_context().
inline const Genesis& stand_in_genesis() {
  static const Genesis genesis = [] {
    Genesis out;
    out.parameters = fuzz_context().parameters;
    for (std::size_t i = 0; i < fuzz_context().member_count; ++i) {
      out.members.push_back({"n" + std::to_string(i + 1), stand_in_key(i), 1});
    }
    return out;
  }();
  return genesis;
}

inline const Verifier& stand_in_verifier() {
  static const Verifier verifier(stand_in_genesis(), stand_in_scheme(), nullptr);
  return verifier;
}

}  // namespace zell::testing
