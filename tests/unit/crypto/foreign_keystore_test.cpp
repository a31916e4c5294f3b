// Key files that other programs wrote, and those of ours that other programs opened: tests/vectors/keystore/README.md.

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "node/crypto/keystore.h"

using namespace zell;
using Json = nlohmann::json;

namespace {

std::string text_of(const std::string& file) {
  std::ifstream in(ZELL_TEST_VECTORS "/keystore/" + file);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool is_light(const Json& entry) {
  return entry["cost"].get<std::string>().ends_with("light");
}

}  // namespace

TEST_CASE("key files of ethers, eth-account and geth open, and ours still do") {
  const auto manifest = Json::parse(text_of("manifest.json"));
  std::set<std::string> seen;
  for (const auto& entry : manifest) {
    const auto file = entry["file"].get<std::string>();
    CAPTURE(file);
    const auto text = text_of(file);
    const auto described = describe_key(text);
    REQUIRE(described.ok());
    CHECK(described->dev == entry["dev"].get<bool>());
    const auto passphrase = entry["passphrase"].get<std::string>();
    const auto secret = decrypt_key(text, passphrase);
    if (!secret) FAIL(secret.error().what);
    CHECK(to_hex0x(secret->bytes()) == entry["secret"].get<std::string>());
    CHECK(described->address == address_of(*secp256k1_scheme().public_key(*secret)));
    seen.insert(entry["writer"].get<std::string>() + (is_light(entry) ? " light" : " default"));
    if (!is_light(entry)) continue;
    const auto wrong = decrypt_key(text, passphrase + "x");
    REQUIRE_FALSE(wrong.ok());
    CHECK(wrong.error().code == "wrong-passphrase");
  }
  CHECK(seen == std::set<std::string>{"ethers default", "ethers light", "eth-account default", "eth-account light",
                                      "geth default", "geth light", "zell default", "zell light"});
}

TEST_CASE("a bare secret is read only if a key can be made of it, and complaints don't repeat it") {
  const std::string good = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
  for (const auto& text : {good, "0x" + good, "  " + good + "\r\n"}) {
    const auto secret = parse_secret(text);
    REQUIRE(secret.ok());
    CHECK(to_hex(secret->bytes()) == good);
  }
  const std::string below = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
  CHECK(parse_secret(below).ok());
  const std::string order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
  for (const auto& text : {std::string(64, '0'), order, std::string(64, 'f'), std::string(), std::string("  \n"),
                           good.substr(1), good + "00", good + " " + good, "0x" + good.substr(2), "-" + good}) {
    const auto secret = parse_secret(text);
    REQUIRE_FALSE(secret.ok());
    CHECK(secret.error().code == "bad-secret");
    if (text.size() > 60)
      CHECK((secret.error().what + secret.error().hint).find(text.substr(0, 60)) == std::string::npos);
  }
}
