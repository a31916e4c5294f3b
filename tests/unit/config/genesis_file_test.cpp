#include "node/config/genesis_file.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "node/crypto/keys.h"

namespace zell {
namespace {

std::string key_text(int node) {
  auto key = secp256k1_scheme().public_key(dev_secret_key(7, "n" + std::to_string(node)));
  return to_hex0x(key->view());
}

std::string two_nodes() {
  return "schema = 1\nname = \"dev\"\n[[node]]\nname = \"n1\"\nkey = \"" + key_text(1) +
         "\"\nstake = 3\naddress = \"127.0.0.1:7101\"\napi = \"http://127.0.0.1:7201\"\n[[node]]\nname = \"n2\"\nkey = "
         "\"" +
         key_text(2) + "\"\nstake = 1\n";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

Error refused(const std::string& text) {
  auto result = parse_genesis(text, "genesis.toml");
  REQUIRE_FALSE(result.ok());
  return result.error();
}

}  // namespace

TEST_CASE("a genesis file gives members in order, their stakes and endpoints, and default parameters") {
  auto file = parse_genesis(two_nodes(), "genesis.toml");
  REQUIRE(file.ok());
  CHECK(file->genesis.cluster_name == "dev");
  REQUIRE(file->genesis.size() == 2);
  CHECK(file->genesis.members[0].name == "n1");
  CHECK(file->genesis.members[0].stake == 3);
  CHECK(to_hex0x(file->genesis.members[1].key.view()) == key_text(2));
  CHECK(file->endpoints[0] == Endpoints{"127.0.0.1:7101", "http://127.0.0.1:7201"});
  CHECK(file->endpoints[1] == Endpoints{});
  CHECK(file->genesis.parameters == Parameters{});
}

TEST_CASE("formatting and parsing a genesis file gives the same value, numbers above 2^63 too") {
  auto file = *parse_genesis(two_nodes(), "genesis.toml");
  file.genesis.cluster_name = "a \"quoted\" name\\\n";
  file.genesis.chain_id = 17'000;
  file.genesis.domain_name = "EigenLayer";
  file.genesis.domain_version = "v \"1\"";
  file.genesis.reference_timestamp = 4'294'967'295u;
  file.genesis.parameters.view_timeout_ms = 700;
  file.genesis.parameters.batches_in_flight = 3;
  file.genesis.members[1].stake = (std::uint64_t{1} << 63) + 5;
  auto again = parse_genesis(format_genesis(file), "again.toml");
  if (!again.ok()) FAIL(again.error().what);
  CHECK(again->genesis.cluster_name == file.genesis.cluster_name);
  CHECK(again->genesis.canonical_bytes() == file.genesis.canonical_bytes());
  CHECK(again->genesis.members[1].stake == file.genesis.members[1].stake);
  CHECK(again->genesis.parameters == file.genesis.parameters);
  CHECK(again->endpoints == file.endpoints);
}

TEST_CASE("endpoints are labels: they don't change the canonical bytes") {
  auto with = parse_genesis(two_nodes(), "a");
  auto without = parse_genesis(replaced(two_nodes(), "address = \"127.0.0.1:7101\"\n", ""), "b");
  REQUIRE(with.ok());
  REQUIRE(without.ok());
  CHECK(with->genesis.canonical_bytes() == without->genesis.canonical_bytes());
}

TEST_CASE("an unknown key is refused with its line and the nearest known key") {
  auto error = refused(replaced(two_nodes(), "stake = 3", "stkae = 3"));
  CHECK(error.code == "unknown-key");
  CHECK(error.what == "genesis.toml:6: unknown key \"stkae\" in [[node]]");
  CHECK(error.hint.find("did you mean \"stake\"?") == 0);
  error = refused(replaced(two_nodes(), "[[node]]", "[parameters]\nview_timeout = 3\n[[node]]"));
  CHECK(error.code == "unknown-key");
  CHECK(error.what.find("genesis.toml:4:") == 0);
  CHECK(error.hint.find("view_timeout_ms") != std::string::npos);
  error = refused(replaced(two_nodes(), "[[node]]", "[quorum]\n[[node]]"));
  CHECK(error.code == "unknown-key");
}

TEST_CASE("a stake of 0, a negative and an enormous one are refused with their line") {
  auto error = refused(replaced(two_nodes(), "stake = 3", "stake = 0"));
  CHECK(error.code == "out-of-range");
  CHECK(error.what == "genesis.toml:6: stake = 0 is out of range");
  CHECK(error.hint == "a whole number, at least 1");
  CHECK(refused(replaced(two_nodes(), "stake = 3", "stake = -1")).code == "out-of-range");
  CHECK(refused(replaced(two_nodes(), "stake = 3", "stake = \"18446744073709551616\"")).code == "out-of-range");
  CHECK(refused(replaced(two_nodes(), "stake = 3", "stake = 1.5")).code == "wrong-type");
  CHECK(refused(replaced(two_nodes(), "stake = 3", "stake = \"18446744073709551615\"")).code == "bad-genesis");
}

TEST_CASE("two nodes of one name, or of one key, are refused with the line of the second") {
  auto error = refused(replaced(two_nodes(), "\"n2\"", "\"n1\""));
  CHECK(error.code == "duplicate-node");
  CHECK(error.what.find("genesis.toml:10:") == 0);
  error = refused(replaced(two_nodes(), key_text(2), key_text(1)));
  CHECK(error.code == "duplicate-node");
  CHECK(error.what.find("genesis.toml:11:") == 0);
}

TEST_CASE("bad ports, hosts and URLs of endpoints are refused") {
  CHECK(refused(replaced(two_nodes(), "127.0.0.1:7101", "127.0.0.1:71010")).code == "bad-port");
  CHECK(refused(replaced(two_nodes(), "127.0.0.1:7101", "127.0.0.1:0")).code == "bad-port");
  CHECK(refused(replaced(two_nodes(), "127.0.0.1:7101", "127.0.0.1:x")).code == "bad-port");
  CHECK(refused(replaced(two_nodes(), "127.0.0.1:7101", "127.0.0.1")).code == "bad-address");
  CHECK(refused(replaced(two_nodes(), "127.0.0.1:7101", "127.0.0.999:1")).code == "bad-address");
  CHECK(refused(replaced(two_nodes(), "127.0.0.1:7101", "::1:7101")).code == "bad-address");
  CHECK(refused(replaced(two_nodes(), "http://127.0.0.1:7201", "127.0.0.1:7201")).code == "bad-url");
  CHECK(refused(replaced(two_nodes(), "http://127.0.0.1:7201", "http://127.0.0.1:0")).code == "bad-port");
  CHECK(parse_genesis(replaced(two_nodes(), "127.0.0.1:7101", "[::1]:7101"), "ok").ok());
}

TEST_CASE("parameters out of their range, or against each other, are refused") {
  auto with = [](const std::string& parameter) {
    return refused(replaced(two_nodes(), "[[node]]", "[parameters]\n" + parameter + "\n[[node]]"));
  };
  auto error = with("view_timeout_ms = 10");
  CHECK(error.code == "out-of-range");
  CHECK(error.what == "genesis.toml:4: view_timeout_ms = 10 is out of range");
  CHECK(error.hint == "a whole number, 50 to 600000");
  CHECK(with("batches_in_flight = 65").code == "out-of-range");
  CHECK(with("batch_max_bytes = 1").code == "out-of-range");
  error = with("heartbeat_ms = 900");
  CHECK(error.code == "bad-genesis");
  CHECK(error.what.find("genesis.toml:3:") == 0);
}

TEST_CASE("keys that are no points, names of other characters, missing parts and no nodes are refused") {
  CHECK(refused(replaced(two_nodes(), key_text(1), "0x02")).code == "bad-key");
  CHECK(refused(replaced(two_nodes(), key_text(1), "0x05" + std::string(64, '1'))).code == "bad-key");
  CHECK(refused(replaced(two_nodes(), "\"n1\"", "\"N 1\"")).code == "bad-name");
  CHECK(refused(replaced(two_nodes(), "name = \"n1\"\n", "")).code == "missing-key");
  auto error = refused("schema = 1\nname = \"dev\"\n");
  CHECK(error.code == "missing-key");
  CHECK(error.hint == "add [[node]]");
}

TEST_CASE("what is no TOML, of another type or of a newer schema is refused with its line") {
  auto error = refused("schema = 1\nname = \n");
  CHECK(error.code == "bad-toml");
  CHECK(error.what.find("genesis.toml:2:") == 0);
  CHECK(refused("").code == "missing-key");
  CHECK(refused("schema = 2\nwhat_comes_next = 1\n").code == "newer-schema");
  CHECK(refused("schema = 0\n").code == "out-of-range");
  CHECK(refused("schema = \"1\"\n").code == "out-of-range");
  CHECK(refused(replaced(two_nodes(), "name = \"dev\"", "name = 5")).code == "wrong-type");
  CHECK(refused("schema = 1\nname = \"a\"\nnode = 5\n").code == "wrong-type");
  CHECK(refused("schema = 1\nname = \"a\"\nnode = [1]\n").code == "wrong-type");
  CHECK(refused("schema = 1\nname = \"a\"\ndomain = []\n").code == "wrong-type");
  CHECK(refused(std::string(100'000, '[')).code == "bad-toml");
}

TEST_CASE("a key of more than 16 parts is refused, and dots in strings, comments and numbers are not counted") {
  const auto parts = [](std::size_t count) {
    std::string key = "a";
    while (--count > 0) key += " . \"b.c\"";
    return key;
  };
  const std::string dots(100, '.');
  const auto begin = "schema = 1\nname = \"\"\"\n" + dots + "\\\"\"\"\"\n# " + dots + "\n";
  const std::string why = "genesis.toml:5: a key has more than 16 parts";
  CHECK(refused(begin + parts(17) + " = 1\n").what == why);
  CHECK(refused(begin + "[" + parts(17) + "]\n").what == why);
  CHECK(refused(begin + "x = {y = 1.5, " + parts(17) + " = 1}\n").what == why);
  CHECK(refused(begin + R"(x = {y = "\"", z = '''''a''''', )" + parts(17) + " = 1}\n").what == why);
  CHECK(refused(begin + parts(16) + " = 1\n").code == "unknown-key");
  CHECK(refused(begin + "x = [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]\n")
            .code == "unknown-key");
  std::string deep;
  for (int i = 0; i < 400'000; ++i) deep += "a.";
  CHECK(refused(deep + "a = 1\n").code == "bad-toml");
  CHECK(refused("x = '''" + deep).code == "bad-toml");
}

TEST_CASE("more than 256 nodes are refused") {
  std::string text = "schema = 1\nname = \"dev\"\n";
  for (int i = 0; i < 257; ++i) text += "[[node]]\nname = \"n" + std::to_string(i) + "\"\n";
  auto error = refused(text);
  CHECK(error.code == "out-of-range");
  CHECK(error.hint.find("256") != std::string::npos);
}

TEST_CASE("a genesis file that is missing, a folder, a pipe or over 1 MiB is refused") {
  char pattern[] = "/tmp/zell-config-XXXXXX";
  std::filesystem::path folder = mkdtemp(pattern);
  CHECK(load_genesis(folder / "none.toml").error().code == "not-found");
  CHECK(load_genesis(folder).error().code == "not-a-file");
  std::ofstream(folder / "big.toml") << std::string((1 << 20) + 1, '#');
  CHECK(load_genesis(folder / "big.toml").error().code == "too-large");
  std::ofstream(folder / "good.toml") << two_nodes();
  CHECK(load_genesis(folder / "good.toml").ok());
  std::filesystem::remove_all(folder);
}

}  // namespace zell
