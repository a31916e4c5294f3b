#include "node/crypto/keys.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "node/base/coding.h"
#include "node/base/prng.h"
#include "node/crypto/hash.h"

using namespace zell;
using Json = nlohmann::json;

namespace {

const Json& vectors() {
  static const Json json = Json::parse(std::ifstream(ZELL_TEST_VECTORS "/signing.json"));
  return json;
}

template <class Fixed>
Fixed fixed(const Json& text) {
  return fixed_from_hex<Fixed>(text.get<std::string>()).value();
}

SecretKey secret_from(std::string_view hex) {
  return SecretKey(fixed_from_hex<Hash>(hex).value().bytes);
}

/// What one key signed in one case of the vectors.
struct Signed {
  SecretKey secret;
  PublicKey key;
  Hash digest;
  Signature signature;
};

std::vector<Signed> all_signed() {
  std::map<std::string, std::pair<SecretKey, PublicKey>> keys;
  for (const auto& key : vectors()["keys"]) {
    keys[key["name"]] = {secret_from(key["secret"].get<std::string>()), fixed<PublicKey>(key["publicKey"])};
  }
  std::vector<Signed> out;
  for (const auto& one : vectors()["cases"]) {
    for (const auto& [name, signature] : one["signatures"].items()) {
      const auto& [secret, key] = keys.at(name);
      out.push_back({secret, key, fixed<Hash>(one["digest"]), fixed<Signature>(signature)});
    }
  }
  return out;
}

/// The signature's twin, as valid to plain ECDSA: (r, order - s), with the other v.
Signature with_high_s(Signature signature) {
  const auto order = fixed_from_hex<Hash>("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").value();
  int borrow = 0;
  for (int i = 31; i >= 0; --i) {
    const auto at = static_cast<std::size_t>(i);
    const int difference = order.bytes[at] - signature.bytes[32 + at] - borrow;
    borrow = difference < 0;
    signature.bytes[32 + at] = static_cast<std::uint8_t>(difference & 0xff);
  }
  signature.bytes[64] = static_cast<std::uint8_t>(27 + 28 - signature.bytes[64]);
  return signature;
}

Hash random_hash(Prng& random) {
  Hash out;
  for (auto& byte : out.bytes) byte = static_cast<std::uint8_t>(random.next());
  return out;
}

const SignatureScheme& scheme() {
  return secp256k1_scheme();
}

}  // namespace

TEST_CASE("secrets give the public keys and addresses of the vectors") {
  REQUIRE(vectors()["keys"].size() >= 5);
  for (const auto& key : vectors()["keys"]) {
    const auto made = scheme().public_key(secret_from(key["secret"].get<std::string>()));
    REQUIRE(made == fixed<PublicKey>(key["publicKey"]));
    CHECK(to_checksum_hex(*address_of(*made)) == key["address"].get<std::string>());
  }
}

TEST_CASE("signatures are byte for byte those of the vectors") {
  const auto cases = all_signed();
  REQUIRE(cases.size() >= 50);
  for (const auto& one : cases) REQUIRE(scheme().sign(one.secret, one.digest) == one.signature);
}

TEST_CASE("signatures of the vectors verify, and recover to who signed") {
  for (const auto& one : all_signed()) {
    REQUIRE(scheme().verify(one.key, one.digest, compact(one.signature)));
    REQUIRE(scheme().recover(one.digest, one.signature) == one.key);
  }
}

TEST_CASE("a flipped v recovers another key, any other v none") {
  for (const auto& one : all_signed()) {
    auto flipped = one.signature;
    flipped.bytes[64] = static_cast<std::uint8_t>(27 + 28 - flipped.bytes[64]);
    const auto other = scheme().recover(one.digest, flipped);
    REQUIRE(other.has_value());
    REQUIRE(other != one.key);
  }
  auto one = all_signed().front();
  for (int v = 0; v < 256; ++v) {
    one.signature.bytes[64] = static_cast<std::uint8_t>(v);
    REQUIRE(scheme().recover(one.digest, one.signature).has_value() == (v == 27 || v == 28));
  }
}

TEST_CASE("a high s is refused by verification and by recovery") {
  for (const auto& one : all_signed()) {
    const auto high = with_high_s(one.signature);
    REQUIRE(with_high_s(high) == one.signature);
    REQUIRE_FALSE(scheme().verify(one.key, one.digest, compact(high)));
    REQUIRE_FALSE(scheme().recover(one.digest, high).has_value());
  }
}

TEST_CASE("a changed digest, key or signature does not verify") {
  const std::uint64_t seed = 11;
  INFO("seed " << seed);
  Prng random(seed);
  for (const auto& one : all_signed()) {
    auto digest = one.digest;
    digest.bytes[random.below(32)] ^= static_cast<std::uint8_t>(1 << random.below(8));
    REQUIRE_FALSE(scheme().verify(one.key, digest, compact(one.signature)));
    auto key = one.key;
    key.bytes[0] ^= 1;  // the mirrored point
    REQUIRE_FALSE(scheme().verify(key, one.digest, compact(one.signature)));
    auto signature = compact(one.signature);
    signature.bytes[random.below(64)] ^= static_cast<std::uint8_t>(1 << random.below(8));
    REQUIRE_FALSE(scheme().verify(one.key, one.digest, signature));
  }
}

TEST_CASE("numbers outside the group are refused") {
  const auto one = all_signed().front();
  auto refused = [&](auto change) {
    auto signature = one.signature;
    change(signature.bytes);
    CHECK_FALSE(scheme().verify(one.key, one.digest, compact(signature)));
    CHECK_FALSE(scheme().recover(one.digest, signature).has_value());
  };
  refused([](auto& bytes) { std::fill_n(bytes.begin(), 32, 0); });
  refused([](auto& bytes) { std::fill_n(bytes.begin() + 32, 32, 0); });
  refused([](auto& bytes) { std::fill_n(bytes.begin(), 32, 0xff); });
  refused([](auto& bytes) { std::fill_n(bytes.begin() + 32, 32, 0xff); });
  refused([](auto& bytes) { std::fill_n(bytes.begin(), 64, 0); });
}

TEST_CASE("invalid secrets have no public key") {
  CHECK_FALSE(scheme().public_key(SecretKey()).has_value());
  const auto order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
  CHECK_FALSE(scheme().public_key(secret_from(order)).has_value());
  CHECK_FALSE(scheme().public_key(secret_from(std::string(64, 'f'))).has_value());
  CHECK(scheme().public_key(secret_from("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140")));
}

TEST_CASE("keys that are no point of the curve verify nothing and have no address") {
  const auto one = all_signed().front();
  std::vector<PublicKey> keys(4);
  keys[1] = one.key;
  keys[1].bytes[0] = 4;
  keys[2].bytes.fill(0xff);
  keys[2].bytes[0] = 2;
  keys[3].bytes[0] = 2;
  keys[3].bytes[32] = 5;  // x = 5: x^3 + 7 is no square
  for (const auto& key : keys) {
    for (int again = 0; again < 2; ++again) CHECK_FALSE(scheme().verify(key, one.digest, compact(one.signature)));
    CHECK_FALSE(address_of(key).has_value());
  }
}

TEST_CASE("the known public key and address of the secret 1") {
  const auto key = scheme().public_key(secret_from(std::string(63, '0') + "1"));
  REQUIRE(key.has_value());
  CHECK(to_hex(key->view()) == "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
  CHECK(to_checksum_hex(*address_of(*key)) == "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
}

TEST_CASE("addresses are written with EIP-55's capitals") {
  for (const std::string text :
       {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77"}) {
    CHECK(to_checksum_hex(*fixed_from_hex<Address>(text)) == text);
  }
}

TEST_CASE("what a new key signs, it verifies and recovers to") {
  const std::uint64_t seed = 5;
  INFO("seed " << seed << " for the digests");
  Prng random(seed);
  std::set<PublicKey> keys;
  for (int round = 0; round < 40; ++round) {
    const auto secret = generate_secret_key();
    const auto key = scheme().public_key(secret);
    REQUIRE(key.has_value());
    keys.insert(*key);
    const auto digest = random_hash(random);
    const auto signature = scheme().sign(secret, digest);
    REQUIRE(scheme().sign(secret, digest) == signature);
    REQUIRE(scheme().verify(*key, digest, compact(signature)));
    REQUIRE(scheme().recover(digest, signature) == key);
  }
  CHECK(keys.size() == 40);
}

TEST_CASE("development keys follow from their seed and name alone") {
  const auto digest = sha256({as_bytes("zell dev key"), Bytes{0, 0, 0, 0, 0, 0, 0, 7}, as_bytes("n1")});
  CHECK(dev_secret_key(7, "n1").bytes() == digest.bytes);
  CHECK(dev_secret_key(7, "n2").bytes() != digest.bytes);
  CHECK(dev_secret_key(8, "n1").bytes() != digest.bytes);
}

TEST_CASE("random bytes fill everything that they are given") {
  Bytes bytes(100'000, 0);
  random_bytes(bytes);
  // A stretch of 64 zeros in random bytes has a chance of 2^-495.
  CHECK(std::search_n(bytes.begin(), bytes.end(), 64, 0) == bytes.end());
  random_bytes({});
}

TEST_CASE("threads verify at once, with more keys than are kept parsed") {
  constexpr int threads = 4;
  std::vector<int> wrong(threads, 0);
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([t, &wrong] {
      for (int i = 0; i < 300; ++i) {
        // Half of the keys are shared between the threads.
        const auto secret = dev_secret_key(static_cast<std::uint64_t>(i % 2 == 0 ? 0 : t), std::to_string(i));
        const auto digest = sha256(secret.bytes());
        const auto key = *scheme().public_key(secret);
        const auto signature = compact(scheme().sign(secret, digest));
        if (!scheme().verify(key, digest, signature) || !scheme().verify(key, digest, signature)) ++wrong[t];
        auto other = digest;
        other.bytes[0] ^= 1;
        if (scheme().verify(key, other, signature)) ++wrong[t];
      }
    });
  }
  for (auto& thread : running) thread.join();
  CHECK(wrong == std::vector<int>(threads, 0));
}

TEST_CASE("keys that meet in one slot of the cache are not taken for each other") {
  // The slot is chosen by the key's last bytes modulo 16,384: among 600 keys some ten pairs meet.
  struct Entry {
    PublicKey key;
    CompactSignature signature;
  };
  const auto digest = sha256(as_bytes("one digest for all"));
  std::map<std::size_t, std::vector<Entry>> slots;
  for (int i = 0; i < 600; ++i) {
    const auto secret = dev_secret_key(99, std::to_string(i));
    const auto key = *scheme().public_key(secret);
    slots[std::hash<PublicKey>{}(key) % 16'384].push_back({key, compact(scheme().sign(secret, digest))});
  }
  int met = 0;
  for (const auto& [slot, entries] : slots) {
    if (entries.size() < 2) continue;
    ++met;
    for (int again = 0; again < 3; ++again) {
      REQUIRE(scheme().verify(entries[0].key, digest, entries[0].signature));
      REQUIRE(scheme().verify(entries[1].key, digest, entries[1].signature));
      REQUIRE_FALSE(scheme().verify(entries[0].key, digest, entries[1].signature));
      REQUIRE_FALSE(scheme().verify(entries[1].key, digest, entries[0].signature));
    }
  }
  CHECK(met > 0);
}
