#include "node/config/node_config.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "node/config/nearest.h"
#include "node/crypto/keystore.h"

namespace zell {
namespace {

namespace fs = std::filesystem;

const std::string good_text = R"(schema = 1
name = "n1"
genesis = "../genesis.toml"
data = "data"
key = "keys/n1.json"
control_socket = "/run/zell/n1.sock"
[listen]
host = "127.0.0.1"
port = 7101
[api]
host = "127.0.0.1"
port = 7201
[log]
file = "n1.log"
level = "debug"
[peers]
n2 = "127.0.0.1:7999"
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

Error refused(const std::string& text) {
  auto result = parse_node_config(text, "node.toml", "/etc/zell");
  REQUIRE_FALSE(result.ok());
  return result.error();
}

GenesisFile genesis_of(int count) {
  GenesisFile out;
  out.genesis.cluster_name = "dev";
  for (int i = 1; i <= count; ++i) {
    auto name = "n" + std::to_string(i);
    out.genesis.members.push_back({name, *secp256k1_scheme().public_key(dev_secret_key(7, name)), 1});
    out.endpoints.push_back({"127.0.0.1:710" + std::to_string(i), ""});
  }
  return out;
}

struct TemporaryFolder {
  TemporaryFolder() {
    char pattern[] = "/tmp/zell-config-XXXXXX";
    path = mkdtemp(pattern);
  }
  ~TemporaryFolder() { fs::remove_all(path); }
  fs::path path;
};

}  // namespace

TEST_CASE("a node file's paths are relative to its own folder") {
  auto config = parse_node_config(good_text, "node.toml", "/etc/zell");
  if (!config.ok()) FAIL(config.error().what);
  CHECK(config->name == "n1");
  CHECK(config->genesis_file == "/etc/genesis.toml");
  CHECK(config->data_folder == "/etc/zell/data");
  CHECK(config->key_file == "/etc/zell/keys/n1.json");
  CHECK(config->passphrase_file.empty());
  CHECK(config->control_socket == "/run/zell/n1.sock");
  CHECK(config->listen == HostPort{"127.0.0.1", 7101});
  CHECK(config->api == HostPort{"127.0.0.1", 7201});
  CHECK(config->log_file == "/etc/zell/n1.log");
  CHECK(config->log_level == "debug");
  CHECK(config->verify_threads == 0);
  CHECK(config->peers.at("n2") == HostPort{"127.0.0.1", 7999});
}

TEST_CASE("formatting and parsing a node file gives the same value") {
  auto config = *parse_node_config(good_text, "node.toml", "/etc/zell");
  config.passphrase_file = "/a folder/with \"quotes\"";
  config.verify_threads = 3;
  config.api.host = "::1";
  config.peers["n3"] = HostPort{"::1", 9};
  auto again = parse_node_config(format_node_config(config), "again.toml", "/elsewhere");
  if (!again.ok()) FAIL(again.error().what);
  CHECK(*again == config);
}

TEST_CASE("a node file with an unknown key, a bad port or a missing part is refused with its line") {
  auto error = refused(replaced(good_text, "data =", "datta ="));
  CHECK(error.code == "unknown-key");
  CHECK(error.what == "node.toml:4: unknown key \"datta\" in the top level");
  CHECK(error.hint.find("did you mean \"data\"?") == 0);
  error = refused(replaced(good_text, "port = 7101", "port = 71010"));
  CHECK(error.code == "bad-port");
  CHECK(error.what.find("node.toml:9:") == 0);
  CHECK(refused(replaced(good_text, "port = 7101", "port = 0")).code == "bad-port");
  CHECK(refused(replaced(good_text, "port = 7101", "port = \"x\"")).code == "bad-port");
  CHECK(refused(replaced(good_text, "port = 7101\n", "")).code == "missing-key");
  CHECK(refused(replaced(good_text, "port = 7201", "port = 7101")).code == "bad-port");
  CHECK(refused(replaced(good_text, "\"127.0.0.1\"", "\"nowhere at all\"")).code == "bad-address");
  CHECK(refused(replaced(good_text, "\"debug\"", "\"loud\"")).code == "bad-value");
  CHECK(refused(replaced(good_text, "\"data\"", "\"\"")).code == "bad-value");
  CHECK(refused(replaced(good_text, "\"127.0.0.1:7999\"", "\"127.0.0.1\"")).code == "bad-address");
  CHECK(refused(replaced(good_text, "name = \"n1\"\n", "")).code == "missing-key");
  CHECK(refused(replaced(good_text, "schema = 1", "schema = 2")).code == "newer-schema");
  CHECK(refused(replaced(good_text, "name =", "verify_threads = 65\nname =")).code == "out-of-range");
}

TEST_CASE("a node finds itself and its peers in the genesis file, its own file's addresses first") {
  auto config = *parse_node_config(good_text, "node.toml", "/etc/zell");
  auto genesis = genesis_of(3);
  CHECK(find_self(config, genesis.genesis)->value == 0);
  auto peers = peer_addresses(config, genesis);
  REQUIRE(peers.ok());
  REQUIRE(peers->size() == 3);
  CHECK_FALSE((*peers)[0].has_value());
  CHECK((*peers)[1] == HostPort{"127.0.0.1", 7999});
  CHECK((*peers)[2] == HostPort{"127.0.0.1", 7103});

  genesis.endpoints[2].address.clear();
  CHECK(peer_addresses(config, genesis).error().code == "no-address");
  config.peers["m2"] = HostPort{"127.0.0.1", 1};
  auto error = peer_addresses(config, genesis).error();
  CHECK(error.code == "unknown-node");
  config.name = "n11";
  error = find_self(config, genesis.genesis).error();
  CHECK(error.code == "unknown-node");
  CHECK(error.hint == "did you mean \"n1\"?");
}

TEST_CASE("a node's key is opened only if it is its member's, and a dev key only on loopback") {
  TemporaryFolder folder;
  auto genesis = genesis_of(2).genesis;
  auto secret = dev_secret_key(7, "n1");
  REQUIRE(save_key(folder.path / "keys", "dev", encrypt_key(secret, "", light_scrypt, true)).ok());
  REQUIRE(save_key(folder.path / "keys", "real", encrypt_key(secret, "secret", light_scrypt, false)).ok());
  auto config = *parse_node_config(good_text, "node.toml", folder.path);

  config.key_file = folder.path / "keys" / "dev.json";
  auto opened = open_node_key(config, genesis);
  if (!opened.ok()) FAIL(opened.error().what);
  CHECK(opened->bytes() == secret.bytes());
  config.listen.host = "0.0.0.0";
  CHECK(open_node_key(config, genesis).error().code == "dev-key");
  config.listen.host = "127.0.0.1";
  config.api.host = "192.0.2.1";
  CHECK(open_node_key(config, genesis).error().code == "dev-key");
  config.api.host = "::1";
  config.name = "n2";
  CHECK(open_node_key(config, genesis).error().code == "wrong-key");
  config.name = "n1";

  config.key_file = folder.path / "keys" / "real.json";
  CHECK_FALSE(open_node_key(config, genesis).ok());  // no passphrase
  config.passphrase_file = folder.path / "keys" / "passphrase";
  std::ofstream(config.passphrase_file) << "secret\n";
  CHECK(open_node_key(config, genesis).error().code == "too-open");
  fs::permissions(config.passphrase_file, fs::perms::owner_read);
  config.listen.host = "0.0.0.0";
  CHECK(open_node_key(config, genesis).ok());
}

TEST_CASE("the nearest word is what was meant, or nothing") {
  constexpr std::string_view known[] = {"submit", "status", "challenge"};
  CHECK(nearest_word("sttaus", known) == "status");
  CHECK(nearest_word("chalenge", known) == "challenge");
  CHECK(nearest_word("xyzzy", known).empty());
  CHECK(nearest_word("", known).empty());
  CHECK(nearest_word(std::string(1'000'000, 'a'), known).empty());
}

TEST_CASE("loopback is 127/8, ::1 and localhost, and nothing else") {
  CHECK(is_loopback("127.0.0.1"));
  CHECK(is_loopback("127.9.9.9"));
  CHECK(is_loopback("::1"));
  CHECK(is_loopback("localhost"));
  CHECK_FALSE(is_loopback("0.0.0.0"));
  CHECK_FALSE(is_loopback("::"));
  CHECK_FALSE(is_loopback("127.example.org"));
}

}  // namespace zell
