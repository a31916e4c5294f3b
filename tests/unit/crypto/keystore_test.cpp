#include "node/crypto/keystore.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "node/base/prng.h"

using namespace zell;
using Json = nlohmann::json;

namespace {

constexpr ScryptCost cheap{2, 8, 1};  // the cost is not what most of these tests are about
constexpr auto standard_secret = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

SecretKey some_secret() {
  return dev_secret_key(1, "alice");
}

std::string code_of(const std::string& json, std::string_view passphrase = "pass") {
  const auto result = decrypt_key(json, passphrase);
  return result ? "opened" : result.error().code;
}

/// The code after a change to a sound file.
template <class Change>
std::string code_after(Change change) {
  auto json = Json::parse(encrypt_key(some_secret(), "pass", cheap, false));
  change(json);
  return code_of(json.dump());
}

}  // namespace

TEST_CASE("a key comes back out of its file with its passphrase only") {
  for (const std::string passphrase : {"pass", "", "päss wörd \xf0\x9f\x94\x91", "line\nbreak"}) {
    const auto json = encrypt_key(some_secret(), passphrase, cheap, false);
    const auto opened = decrypt_key(json, passphrase);
    REQUIRE(opened.ok());
    CHECK(opened->bytes() == some_secret().bytes());
    CHECK(code_of(json, passphrase + "x") == "wrong-passphrase");
  }
}

TEST_CASE("the two costs in use work") {
  const auto light = encrypt_key(some_secret(), "pass", light_scrypt, true);
  CHECK(code_of(light) == "opened");
  CHECK(Json::parse(light)["crypto"]["kdfparams"]["n"] == 4'096);
  const auto standard = encrypt_key(some_secret(), "pass", ScryptCost{}, false);
  CHECK(code_of(standard) == "opened");
  CHECK(Json::parse(standard)["crypto"]["kdfparams"]["n"] == 262'144);
}

TEST_CASE("a new file has the standard's fields, and fresh salt, iv and id") {
  const auto a = Json::parse(encrypt_key(some_secret(), "pass", cheap, true));
  const auto b = Json::parse(encrypt_key(some_secret(), "pass", cheap, true));
  CHECK(a["version"] == 3);
  CHECK(a["crypto"]["cipher"] == "aes-128-ctr");
  CHECK(a["crypto"]["kdf"] == "scrypt");
  CHECK(a["crypto"]["kdfparams"]["dklen"] == 32);
  const auto id = a["id"].get<std::string>();
  REQUIRE(id.size() == 36);
  CHECK(id[8] == '-');
  CHECK(id[14] == '4');
  CHECK(std::string("89ab").find(id[19]) != std::string::npos);
  CHECK(a["id"] != b["id"]);
  CHECK(a["crypto"]["kdfparams"]["salt"] != b["crypto"]["kdfparams"]["salt"]);
  CHECK(a["crypto"]["cipherparams"]["iv"] != b["crypto"]["cipherparams"]["iv"]);
  CHECK(a["crypto"]["ciphertext"] != b["crypto"]["ciphertext"]);
  CHECK(a.dump().find(to_hex(some_secret().bytes())) == std::string::npos);
}

TEST_CASE("a file tells its key and its dev mark without the passphrase") {
  for (const bool dev : {true, false}) {
    const auto described = describe_key(encrypt_key(some_secret(), "pass", cheap, dev));
    REQUIRE(described.ok());
    CHECK(described->public_key == secp256k1_scheme().public_key(some_secret()));
    CHECK(described->address == address_of(described->public_key));
    CHECK(described->dev == dev);
  }
}

TEST_CASE("the standard's scrypt example opens") {
  const auto opened = decrypt_key(R"({
    "crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
      "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c", "kdf": "scrypt",
      "kdfparams": {"dklen": 32, "n": 262144, "p": 8, "r": 1,
        "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
      "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3})",
                                  "testpassword");
  REQUIRE(opened.ok());
  CHECK(to_hex(opened->bytes()) == standard_secret);
}

TEST_CASE("the standard's pbkdf2 example opens, and says no more than it has") {
  const std::string file = R"({
    "crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
      "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf": "pbkdf2",
      "kdfparams": {"c": 262144, "dklen": 32, "prf": "hmac-sha256",
        "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
      "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3})";
  const auto opened = decrypt_key(file, "testpassword");
  REQUIRE(opened.ok());
  CHECK(to_hex(opened->bytes()) == standard_secret);
  CHECK(code_of(file, "testpasswore") == "wrong-passphrase");
  const auto key = secp256k1_scheme().public_key(*opened);
  REQUIRE(key.has_value());
  CHECK(to_hex(address_of(*key)->view()) == "008aeeda4d805471df9b2a5b0f38a0c3bcba786b");

  const auto described = describe_key(file);
  REQUIRE(described.ok());
  CHECK(described->public_key.is_zero());
  CHECK(described->address.is_zero());
  CHECK_FALSE(described->dev);
}

TEST_CASE("a file that geth's tests carry opens, and holds the key of its address") {
  const auto opened = decrypt_key(R"({
    "address": "45dea0fb0bba44f4fcf290bba71fd57d7117cbb8",
    "crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": "dc4926b48a105133d2f16b96833abf1e"},
      "ciphertext": "b87781948a1befd247bff51ef4063f716cf6c2d3481163e9a8f42e1f9bb74145", "kdf": "scrypt",
      "kdfparams": {"dklen": 32, "n": 2, "p": 1, "r": 8,
        "salt": "004244bbdc51cadda545b1cfa43cff9ed2ae88e08c61f1479dbb45410722f8f0"},
      "mac": "39990c1684557447940d4c69e06b1b82b2aceacb43f284df65c956daf3046b85"},
    "id": "ce541d8d-c79b-40f8-9f8c-20f59616faba", "version": 3})",
                                  "");
  REQUIRE(opened.ok());
  const auto key = secp256k1_scheme().public_key(*opened);
  REQUIRE(key.has_value());
  CHECK(to_hex(address_of(*key)->view()) == "45dea0fb0bba44f4fcf290bba71fd57d7117cbb8");
}

TEST_CASE("the spellings of other programs are read") {
  // ethers writes "Crypto", others 0x before hexadecimal; cast leaves the address out.
  CHECK(code_after([](Json& json) {
          json["Crypto"] = json["crypto"];
          json.erase("crypto");
          json.erase("address");
          json.erase("zell");
        }) == "opened");
  CHECK(code_after([](Json& json) {
          json["address"] = "0x" + json["address"].get<std::string>();
          json["crypto"]["mac"] = "0x" + json["crypto"]["mac"].get<std::string>();
          json["crypto"]["kdfparams"]["dklen"] = 64;
        }) == "opened");
}

TEST_CASE("every truncation of a key file is refused") {
  const auto json = encrypt_key(some_secret(), "pass", cheap, false);
  const auto end = json.rfind('}');
  for (std::size_t n = 0; n <= end; ++n) {
    REQUIRE(code_of(json.substr(0, n)) == "bad-key-file");
    REQUIRE_FALSE(describe_key(json.substr(0, n)).ok());
  }
}

TEST_CASE("random damage never opens another key and never crashes") {
  const std::uint64_t seed = 77;
  INFO("seed " << seed);
  Prng random(seed);
  const auto json = encrypt_key(some_secret(), "pass", cheap, false);
  for (int round = 0; round < 2'000; ++round) {
    auto damaged = json;
    for (auto changes = 1 + random.below(3); changes > 0; --changes) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    }
    const auto opened = decrypt_key(damaged, "pass");
    if (opened) REQUIRE(opened->bytes() == some_secret().bytes());
  }
}

TEST_CASE("garbage is refused") {
  const std::string deep(30'000, '['), nested = "{\"version\":3,\"crypto\":" + deep;
  std::string objects;
  for (int i = 0; i < 5'000; ++i) objects += "{\"crypto\":";
  const std::string too_long = "{\"version\":3,\"x\":\"" + std::string(70'000, 'x') + "\"}";
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("null"), std::string("3"), std::string("[]"),
        std::string("\0\xff", 2), std::string("{\"version\":3}"), deep, nested, objects, too_long}) {
    CHECK(code_of(text) == "bad-key-file");
  }
  const auto closed = "{\"version\":3,\"crypto\":" + std::string(30'000, '[') + std::string(30'000, ']') + "}";
  CHECK(code_of(closed) == "bad-key-file");
}

TEST_CASE("fields that are missing or wrong are refused") {
  for (const auto* field : {"cipher", "cipherparams", "ciphertext", "kdf", "kdfparams", "mac"}) {
    INFO(field);
    CHECK(code_after([&](Json& json) { json["crypto"].erase(field); }) == "bad-key-file");
    CHECK(code_after([&](Json& json) { json["crypto"][field] = 7; }) == "bad-key-file");
    CHECK(code_after([&](Json& json) { json["crypto"][field] = "00"; }) == "bad-key-file");
  }
  for (const auto* field : {"dklen", "n", "r", "p", "salt"}) {
    INFO(field);
    CHECK(code_after([&](Json& json) { json["crypto"]["kdfparams"].erase(field); }) == "bad-key-file");
    CHECK(code_after([&](Json& json) { json["crypto"]["kdfparams"][field] = -1; }) == "bad-key-file");
    CHECK(code_after([&](Json& json) { json["crypto"]["kdfparams"][field] = 0; }) == "bad-key-file");
    CHECK(code_after([&](Json& json) { json["crypto"]["kdfparams"][field] = 1.5; }) == "bad-key-file");
    CHECK(code_after([&](Json& json) { json["crypto"]["kdfparams"][field] = "zz"; }) == "bad-key-file");
  }
  CHECK(code_after([](Json& json) { json["version"] = 4; }) == "bad-key-file");
  CHECK(code_after([](Json& json) { json["version"] = "3"; }) == "bad-key-file");
  CHECK(code_after([](Json& json) { json["crypto"]["kdf"] = "argon2id"; }) == "bad-key-file");
  CHECK(code_after([](Json& json) { json["crypto"]["cipher"] = "aes-128-cbc"; }) == "bad-key-file");
  CHECK(code_after([](Json& json) { json["crypto"]["kdfparams"]["dklen"] = 31; }) == "bad-key-file");
  CHECK(code_after([](Json& json) { json["crypto"]["kdfparams"]["n"] = 3; }) == "bad-key-file");
  CHECK(code_after([](Json& json) { json["zell"]["dev"] = "yes"; }) == "bad-key-file");
  CHECK(code_after([](Json& json) { json["zell"]["publicKey"] = "0x02"; }) == "bad-key-file");
  CHECK(code_after([](Json& json) { json["address"] = "0x02"; }) == "bad-key-file");
}

TEST_CASE("a file that names another key than it holds is refused") {
  const auto other = secp256k1_scheme().public_key(dev_secret_key(1, "bob")).value();
  const auto other_address = to_hex(address_of(other)->view());
  CHECK(code_after([&](Json& json) { json["address"] = other_address; }) == "bad-key-file");
  CHECK(code_after([&](Json& json) {
          json["address"] = other_address;
          json["zell"]["publicKey"] = to_hex(other.view());
        }) == "bad-key-file");
  CHECK(code_after([&](Json& json) {
          json["address"] = other_address;
          json.erase("zell");
        }) == "bad-key-file");
}

TEST_CASE("a file cannot make its reader take gigabytes or hours") {
  auto with_cost = [](std::uint64_t n, std::uint64_t r, std::uint64_t p) {
    return code_after([=](Json& json) {
      auto& parameters = json["crypto"]["kdfparams"];
      parameters["n"] = n;
      parameters["r"] = r;
      parameters["p"] = p;
    });
  };
  constexpr std::uint64_t huge = 1ULL << 63;
  CHECK(with_cost(1 << 20, 8, 1) == "key-too-costly");  // 1 GiB
  CHECK(with_cost(1 << 18, 17, 1) == "key-too-costly");
  CHECK(with_cost(1 << 18, 8, 17) == "key-too-costly");
  CHECK(with_cost(2, 1, 1 << 24) == "key-too-costly");
  CHECK(with_cost(2, 1 << 22, 1) == "key-too-costly");
  CHECK(with_cost(huge, 8, 1) == "key-too-costly");
  CHECK(with_cost(2, huge, 1) == "key-too-costly");
  CHECK(with_cost(2, 8, huge) == "key-too-costly");
  CHECK(with_cost(huge, huge, huge) == "key-too-costly");
  CHECK(with_cost(1ULL << 31, 1ULL << 31, 1ULL << 31) == "key-too-costly");
  CHECK(with_cost(1, 8, 1) == "bad-key-file");

  auto with_rounds = [](std::uint64_t rounds) {
    return code_after([=](Json& json) {
      auto& crypto = json["crypto"];
      crypto["kdf"] = "pbkdf2";
      crypto["kdfparams"] = {{"c", rounds}, {"dklen", 32}, {"prf", "hmac-sha256"}, {"salt", "00"}};
    });
  };
  CHECK(with_rounds(1) == "wrong-passphrase");
  CHECK(with_rounds(0) == "bad-key-file");
  CHECK(with_rounds(1ULL << 32) == "key-too-costly");
  CHECK(with_rounds(~0ULL) == "key-too-costly");
}
