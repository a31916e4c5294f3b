#include "tests/simulation/scheme.h"

#include "node/crypto/hash.h"

namespace zell::simulation {
namespace {

class CheapScheme final : public SignatureScheme {
 public:
  std::optional<PublicKey> public_key(const SecretKey& secret) const override {
    PublicKey key;
    key.bytes[0] = 2;
    auto hash = sha256(ByteView(secret.bytes()));
    std::memcpy(key.bytes.data() + 1, hash.bytes.data(), 32);
    return key;
  }
  Signature sign(const SecretKey& secret, const Hash& digest) const override {
    return make(*public_key(secret), digest);
  }
  bool verify(const PublicKey& key, const Hash& digest, const CompactSignature& signature) const override {
    return compact(make(key, digest)) == signature;
  }
  std::optional<PublicKey> recover(const Hash& digest, const Signature& signature) const override {
    auto key = PublicKey::from(signature.view().first(PublicKey::size));
    if (make(key, digest) != signature) return std::nullopt;
    return key;
  }

 private:
  // 33 bytes of key, 31 of hash, v.
  static Signature make(const PublicKey& key, const Hash& digest) {
    auto tag = sha256({key.view(), digest.view()});
    Signature out;
    std::memcpy(out.bytes.data(), key.bytes.data(), 33);
    std::memcpy(out.bytes.data() + 33, tag.bytes.data(), 31);
    out.bytes[64] = 27;
    return out;
  }
};

}  // namespace

const SignatureScheme& cheap_scheme() {
  static const CheapScheme scheme;
  return scheme;
}

}  // namespace zell::simulation
