#include "node/crypto/keystore.h"

#include <cryptopp/scrypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

#include "node/base/check.h"
#include "node/crypto/hash.h"

namespace zell {
namespace {

using Json = nlohmann::json;

// A key file may come from anywhere, and its cost is its maker's choice: these bound what reading one can take.
constexpr std::uint64_t max_scrypt_memory_bytes = 512ULL << 20;   // 128 * n * r: geth's default takes 256 MiB
constexpr std::uint64_t max_scrypt_lanes_bytes = 8ULL << 20;      // 128 * p * r: beside that memory
constexpr std::uint64_t max_scrypt_work = 16ULL * (1 << 18) * 8;  // n * r * p: 16 times geth's default, about 15 s
constexpr std::uint64_t max_pbkdf2_rounds = 16ULL * (1 << 18);    // 16 times the standard's example, a few seconds
constexpr std::uint64_t max_derived_key_bytes = 1'024;
constexpr std::size_t max_salt_bytes = 1'024;

using Salt = FixedBytes<32, struct SaltTag>;
using Iv = FixedBytes<16, struct IvTag>;

/// Secret bytes, wiped on destruction.
struct DerivedKey {
  std::array<std::uint8_t, 32> bytes{};
  DerivedKey() = default;
  DerivedKey(const DerivedKey&) = default;
  DerivedKey& operator=(const DerivedKey&) = default;
  ~DerivedKey() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  [[nodiscard]] ByteView cipher_key() const { return ByteView(bytes).first(16); }
  [[nodiscard]] ByteView mac_key() const { return ByteView(bytes).last(16); }
};

Error malformed(std::string what) {
  return {"bad-key-file", "the key file " + std::move(what), "it must be a Web3 Secret Storage file of version 3"};
}

Error too_costly(std::string what) {
  return {"key-too-costly", "the key file asks for " + std::move(what) + " than this program spends on one",
          "write it again with n = 262144, r = 8, p = 1"};
}

// ---- What it is made of ----

/// AES-128-CTR: the same call encrypts and decrypts. `out` has room for in.size() bytes.
void aes_128_ctr(ByteView key, const Iv& iv, ByteView in, std::uint8_t* out) {
  ZELL_CHECK(key.size() == 16);
  auto* context = EVP_CIPHER_CTX_new();
  ZELL_CHECK(context != nullptr);
  int written = 0, rest = 0;
  ZELL_CHECK(EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), nullptr, key.data(), iv.bytes.data()) == 1);
  ZELL_CHECK(EVP_EncryptUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) == 1);
  ZELL_CHECK(EVP_EncryptFinal_ex(context, out + written, &rest) == 1);
  ZELL_CHECK(static_cast<std::size_t>(written + rest) == in.size());
  EVP_CIPHER_CTX_free(context);
}

Status check_scrypt_cost(std::uint64_t n, std::uint64_t r, std::uint64_t p) {
  constexpr std::uint64_t limit = 1ULL << 31;  // so that no product of two wraps
  if (n < 2 || !std::has_single_bit(n) || r == 0 || p == 0) return malformed("has impossible scrypt parameters");
  if (n >= limit || r >= limit || p >= limit) return too_costly("more memory or time");
  if (128 * r > max_scrypt_memory_bytes / n || 128 * r > max_scrypt_lanes_bytes / p) return too_costly("more memory");
  if (n * r > max_scrypt_work / p) return too_costly("more time");
  return Ok{};
}

/// OpenSSL is faster, but refuses n >= 2^(16 r), and so the standard's own example (r = 1): Crypto++ takes those.
Result<DerivedKey> derive_by_scrypt(std::string_view passphrase, ByteView salt, ScryptCost cost) {
  const Error no_memory{
      "out-of-memory", "there is not enough memory to open the key file",
      "it takes 128 * n * r bytes: n = " + std::to_string(cost.n) + ", r = " + std::to_string(cost.r)};
  DerivedKey out;
  if (cost.r >= 2 || cost.n < 1 << 16) {
    constexpr auto all_of_it = max_scrypt_memory_bytes + max_scrypt_lanes_bytes + (16ULL << 20);
    const auto done = EVP_PBE_scrypt(passphrase.data(), passphrase.size(), salt.data(), salt.size(), cost.n, cost.r,
                                     cost.p, all_of_it, out.bytes.data(), out.bytes.size());
    if (done != 1) return no_memory;
    return out;
  }
  try {
    const auto secret = as_bytes(passphrase);
    CryptoPP::Scrypt{}.DeriveKey(out.bytes.data(), out.bytes.size(), secret.data(), secret.size(), salt.data(),
                                 salt.size(), cost.n, cost.r, cost.p);
  } catch (const std::bad_alloc&) {
    return no_memory;
  }
  return out;
}

DerivedKey derive_by_pbkdf2(std::string_view passphrase, ByteView salt, std::uint64_t rounds) {
  DerivedKey out;
  ZELL_CHECK(PKCS5_PBKDF2_HMAC(passphrase.data(), static_cast<int>(passphrase.size()), salt.data(),
                               static_cast<int>(salt.size()), static_cast<int>(rounds), EVP_sha256(),
                               static_cast<int>(out.bytes.size()), out.bytes.data()) == 1);
  return out;
}

/// A version 4 UUID in its usual text.
std::string random_uuid() {
  std::array<std::uint8_t, 16> bytes{};
  random_bytes(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  auto text = to_hex(bytes);
  for (std::size_t at : {20, 16, 12, 8}) text.insert(at, 1, '-');
  return text;
}

// ---- Reading JSON that may hold anything ----

/// Member names are compared without case, as geth and ethers do: ethers writes "Crypto".
const Json* find(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  auto same = [&](char a, char b) { return lower(a) == lower(b); };
  for (const auto& [key, value] : object.items()) {
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(), same)) return &value;
  }
  return nullptr;
}

std::string text_of(const Json& object, std::string_view name) {
  const auto* value = find(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

/// 0 for what is missing or no positive integer: no field of the format may be 0.
std::uint64_t number_of(const Json& object, std::string_view name) {
  const auto* value = find(object, name);
  return value != nullptr && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

const Json& object_of(const Json& object, std::string_view name) {
  static const Json nothing = Json::object();
  const auto* value = find(object, name);
  return value != nullptr && value->is_object() ? *value : nothing;
}

Result<Json> parse(std::string_view text) {
  if (text.size() > max_key_file_bytes) return malformed("is over 64 KiB");
  auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return malformed("is not a JSON object");
  if (number_of(json, "version") != 3) return malformed("is not of version 3");
  return json;
}

Result<DerivedKey> derive(const Json& crypto, std::string_view passphrase) {
  const auto& parameters = object_of(crypto, "kdfparams");
  const auto salt = from_hex(text_of(parameters, "salt"));
  if (!salt || salt->empty() || salt->size() > max_salt_bytes) return malformed("has no usable salt");
  const auto derived_bytes = number_of(parameters, "dklen");
  if (derived_bytes < 32 || derived_bytes > max_derived_key_bytes) return malformed("has a wrong dklen");
  // Only the first 32 bytes are used, and they don't depend on how many are asked for.
  const auto kdf = text_of(crypto, "kdf");
  if (kdf == "scrypt") {
    const auto n = number_of(parameters, "n"), r = number_of(parameters, "r"), p = number_of(parameters, "p");
    if (auto status = check_scrypt_cost(n, r, p); !status) return status.error();
    return derive_by_scrypt(
        passphrase, *salt,
        {static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(p)});
  }
  if (kdf == "pbkdf2") {
    const auto rounds = number_of(parameters, "c");
    if (text_of(parameters, "prf") != "hmac-sha256") return malformed("uses a prf other than hmac-sha256");
    if (rounds == 0) return malformed("has no round count");
    if (rounds > max_pbkdf2_rounds) return too_costly("more rounds");
    return derive_by_pbkdf2(passphrase, *salt, rounds);
  }
  return malformed("uses a key derivation other than scrypt and pbkdf2");
}

Result<KeyFile> describe(const Json& json) {
  KeyFile out;
  const auto& extra = object_of(json, "zell");
  if (const auto* key = find(extra, "publicKey")) {
    const auto read = key->is_string() ? fixed_from_hex<PublicKey>(key->get<std::string>()) : std::nullopt;
    const auto address = read ? address_of(*read) : std::nullopt;
    if (!address) return malformed("has a wrong publicKey");
    out.public_key = *read;
    out.address = *address;
  }
  if (const auto* address = find(json, "address")) {
    const auto read = address->is_string() ? fixed_from_hex<Address>(address->get<std::string>()) : std::nullopt;
    if (!read || (!out.public_key.is_zero() && *read != out.address)) return malformed("has a wrong address");
    out.address = *read;
  }
  if (const auto* dev = find(extra, "dev")) {
    if (!dev->is_boolean()) return malformed("has a dev mark that is neither true nor false");
    out.dev = dev->get<bool>();
  }
  return out;
}

/// The key that was decrypted is the one that the file names.
Status check_is_named(const SecretKey& secret, const KeyFile& described) {
  const auto key = secp256k1_scheme().public_key(secret);
  if (!key) return malformed("holds no valid secret");
  if (!described.public_key.is_zero() && described.public_key != *key) return malformed("names another public key");
  if (!described.address.is_zero() && described.address != address_of(*key)) return malformed("names another address");
  return Ok{};
}

}  // namespace

Result<SecretKey> parse_secret(std::string_view text) {
  constexpr std::string_view spaces = " \t\r\n";
  const auto begin = std::min(text.find_first_not_of(spaces), text.size());
  text = text.substr(begin, text.find_last_not_of(spaces) + 1 - begin);
  auto bytes = from_hex(text);
  if (!bytes || bytes->size() != 32) {
    return Error{"bad-secret", "this is no secret in hexadecimal", "it must be 64 digits, with or without 0x"};
  }
  DerivedKey plain;  // a holder that is wiped
  std::copy(bytes->begin(), bytes->end(), plain.bytes.begin());
  OPENSSL_cleanse(bytes->data(), bytes->size());
  SecretKey secret(plain.bytes);
  if (!secp256k1_scheme().public_key(secret)) {
    return Error{"bad-secret", "this is no secp256k1 secret: it is zero, or not below the group's order",
                 "zell key new makes a good one"};
  }
  return secret;
}

std::string encrypt_key(const SecretKey& secret, std::string_view passphrase, ScryptCost cost, bool dev) {
  ZELL_CHECK(check_scrypt_cost(cost.n, cost.r, cost.p).ok());
  const auto key = secp256k1_scheme().public_key(secret);
  ZELL_CHECK(key.has_value());
  Salt salt;
  Iv iv;
  random_bytes(salt.bytes);
  random_bytes(iv.bytes);
  const auto derived = derive_by_scrypt(passphrase, salt.view(), cost);
  ZELL_CHECK(derived.ok());
  std::array<std::uint8_t, 32> ciphertext{};
  aes_128_ctr(derived->cipher_key(), iv, secret.bytes(), ciphertext.data());
  const auto mac = keccak256({derived->mac_key(), ciphertext});

  Json json;
  json["version"] = 3;
  json["id"] = random_uuid();
  json["address"] = to_hex(address_of(*key)->view());  // no 0x: so geth writes it
  json["crypto"] = {
      {"cipher", "aes-128-ctr"},
      {"cipherparams", {{"iv", to_hex(iv.view())}}},
      {"ciphertext", to_hex(ciphertext)},
      {"kdf", "scrypt"},
      {"kdfparams", {{"dklen", 32}, {"n", cost.n}, {"r", cost.r}, {"p", cost.p}, {"salt", to_hex(salt.view())}}},
      {"mac", to_hex(mac.view())}};
  json["zell"] = {{"dev", dev}, {"publicKey", to_hex0x(key->view())}};
  return json.dump(2) + "\n";
}

Result<KeyFile> describe_key(std::string_view json) {
  auto parsed = parse(json);
  if (!parsed) return parsed.error();
  return describe(*parsed);
}

Result<SecretKey> decrypt_key(std::string_view json, std::string_view passphrase) {
  const auto parsed = parse(json);
  if (!parsed) return parsed.error();
  const auto described = describe(*parsed);
  if (!described) return described.error();
  const auto& crypto = object_of(*parsed, "crypto");
  if (text_of(crypto, "cipher") != "aes-128-ctr") return malformed("uses a cipher other than aes-128-ctr");
  const auto iv = fixed_from_hex<Iv>(text_of(object_of(crypto, "cipherparams"), "iv"));
  const auto ciphertext = fixed_from_hex<FixedBytes<32, struct CiphertextTag>>(text_of(crypto, "ciphertext"));
  const auto mac = fixed_from_hex<Hash>(text_of(crypto, "mac"));
  if (!iv || !ciphertext || !mac) return malformed("has an iv, ciphertext or mac that is missing or of a wrong size");

  const auto derived = derive(crypto, passphrase);
  if (!derived) return derived.error();
  const auto expected = keccak256({derived->mac_key(), ciphertext->view()});
  if (CRYPTO_memcmp(expected.bytes.data(), mac->bytes.data(), mac->bytes.size()) != 0) {
    return Error{"wrong-passphrase", "the passphrase does not open this key file", ""};
  }
  DerivedKey plain;  // a holder that is wiped
  aes_128_ctr(derived->cipher_key(), *iv, ciphertext->view(), plain.bytes.data());
  SecretKey secret(plain.bytes);
  if (auto status = check_is_named(secret, *described); !status) return status.error();
  return secret;
}

}  // namespace zell
