#include "node/crypto/keys.h"

#include <openssl/crypto.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "node/base/check.h"
#include "node/base/coding.h"
#include "node/crypto/hash.h"

namespace zell {
namespace {

/// Half of the group's order: a larger s has a smaller twin that is as valid, so only one of the two is accepted.
constexpr std::array<std::uint8_t, 32> half_order = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                     0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
                                                     0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};

bool has_low_s(const std::uint8_t* compact) {
  return std::memcmp(compact + 32, half_order.data(), 32) <= 0;
}

/// One context for the process, blinded against side channels once; the library only reads it afterwards, so threads
/// may share it.
const secp256k1_context* context() {
  static const secp256k1_context* const shared = [] {
    auto* made = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
    ZELL_CHECK(made != nullptr);
    std::array<std::uint8_t, 32> seed{};
    random_bytes(seed);
    ZELL_CHECK(secp256k1_context_randomize(made, seed.data()) == 1);
    OPENSSL_cleanse(seed.data(), seed.size());
    return made;
  }();
  return shared;
}

std::optional<secp256k1_pubkey> parse(const PublicKey& key) {
  secp256k1_pubkey parsed;
  if (secp256k1_ec_pubkey_parse(context(), &parsed, key.bytes.data(), key.bytes.size()) != 1) return std::nullopt;
  return parsed;
}

PublicKey compress(const secp256k1_pubkey& parsed) {
  PublicKey out;
  std::size_t size = out.bytes.size();
  ZELL_CHECK(secp256k1_ec_pubkey_serialize(context(), out.bytes.data(), &size, &parsed, SECP256K1_EC_COMPRESSED) == 1);
  return out;
}

/// Parsing a compressed key takes a square root, about a tenth of a verification. Each key has one slot, so the cache
/// never grows and needs no eviction order: 16,384 slots of 97 bytes, 1.6 MB. Somebody who picks keys that meet in one
/// slot gains nothing but that parsing.
class ParsedKeys {
 public:
  std::optional<secp256k1_pubkey> find_or_parse(const PublicKey& key) {
    const auto slot_index = std::hash<PublicKey>{}(key) % slot_count;
    auto& slot = slots_[slot_index];
    auto& mutex = mutexes_[slot_index % mutex_count];
    {
      std::lock_guard lock(mutex);
      if (slot.key == key && !key.is_zero()) return slot.parsed;
    }
    auto parsed = parse(key);
    if (parsed) {
      std::lock_guard lock(mutex);
      slot = {key, *parsed};
    }
    return parsed;
  }

 private:
  static constexpr std::size_t slot_count = 16'384;
  static constexpr std::size_t mutex_count = 64;
  struct Slot {
    PublicKey key;  ///< zero: empty
    secp256k1_pubkey parsed{};
  };
  std::vector<Slot> slots_ = std::vector<Slot>(slot_count);
  std::array<std::mutex, mutex_count> mutexes_;
};

class Secp256k1Scheme final : public SignatureScheme {
 public:
  [[nodiscard]] std::optional<PublicKey> public_key(const SecretKey& secret) const override {
    secp256k1_pubkey parsed;
    if (secp256k1_ec_pubkey_create(context(), &parsed, secret.bytes().data()) != 1) return std::nullopt;
    return compress(parsed);
  }

  [[nodiscard]] Signature sign(const SecretKey& secret, const Hash& digest) const override {
    secp256k1_ecdsa_recoverable_signature made;
    ZELL_CHECK(secp256k1_ecdsa_sign_recoverable(context(), &made, digest.bytes.data(), secret.bytes().data(),
                                                secp256k1_nonce_function_rfc6979, nullptr) == 1);
    Signature out;
    int recovery_id = 0;
    ZELL_CHECK(
        secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), out.bytes.data(), &recovery_id, &made) == 1);
    // 2 and 3 need an x coordinate above the group's order: about one signature in 2^127.
    ZELL_CHECK(recovery_id < 2);
    out.bytes[64] = static_cast<std::uint8_t>(27 + recovery_id);
    return out;
  }

  [[nodiscard]] bool verify(const PublicKey& key, const Hash& digest,
                            const CompactSignature& signature) const override {
    if (!has_low_s(signature.bytes.data())) return false;
    secp256k1_ecdsa_signature parsed;
    if (secp256k1_ecdsa_signature_parse_compact(context(), &parsed, signature.bytes.data()) != 1) return false;
    const auto point = keys_.find_or_parse(key);
    return point && secp256k1_ecdsa_verify(context(), &parsed, digest.bytes.data(), &*point) == 1;
  }

  [[nodiscard]] std::optional<PublicKey> recover(const Hash& digest, const Signature& signature) const override {
    const int v = signature.bytes[64];
    if ((v != 27 && v != 28) || !has_low_s(signature.bytes.data())) return std::nullopt;
    secp256k1_ecdsa_recoverable_signature parsed;
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &parsed, signature.bytes.data(), v - 27) != 1) {
      return std::nullopt;
    }
    secp256k1_pubkey point;
    if (secp256k1_ecdsa_recover(context(), &point, &parsed, digest.bytes.data()) != 1) return std::nullopt;
    return compress(point);
  }

 private:
  mutable ParsedKeys keys_;
};

}  // namespace

SecretKey::~SecretKey() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

const SignatureScheme& secp256k1_scheme() {
  static const Secp256k1Scheme scheme;
  return scheme;
}

std::optional<Address> address_of(const PublicKey& key) {
  const auto point = parse(key);
  if (!point) return std::nullopt;
  std::array<std::uint8_t, 65> uncompressed{};
  std::size_t size = uncompressed.size();
  ZELL_CHECK(secp256k1_ec_pubkey_serialize(context(), uncompressed.data(), &size, &*point, SECP256K1_EC_UNCOMPRESSED) ==
             1);
  const auto hash = keccak256(ByteView(uncompressed).subspan(1));
  return Address::from(hash.view().last(Address::size));
}

std::string to_checksum_hex(const Address& address) {
  auto text = to_hex(address.view());
  const auto hash = keccak256(as_bytes(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto nibble = i % 2 == 0 ? hash.bytes[i / 2] >> 4 : hash.bytes[i / 2] & 15;
    if (nibble >= 8 && text[i] >= 'a') text[i] = static_cast<char>(text[i] - 'a' + 'A');
  }
  return "0x" + text;
}

void random_bytes(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const auto got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    ZELL_CHECK(got > 0);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

SecretKey generate_secret_key() {
  while (true) {
    std::array<std::uint8_t, 32> bytes{};
    random_bytes(bytes);
    SecretKey secret(bytes);
    OPENSSL_cleanse(bytes.data(), bytes.size());
    if (secp256k1_scheme().public_key(secret)) return secret;
  }
}

SecretKey dev_secret_key(std::uint64_t seed, std::string_view name) {
  Writer number;
  number.u64(seed);
  return SecretKey(sha256({as_bytes("zell dev key"), number.bytes(), as_bytes(name)}).bytes);
}

}  // namespace zell
