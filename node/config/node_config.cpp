#include "node/config/node_config.h"

#include <algorithm>
#include <array>

#include "node/config/nearest.h"
#include "node/config/strict_toml.h"
#include "node/crypto/keystore.h"

namespace zell {
namespace {

constexpr std::uint64_t schema_version = 1;
constexpr std::array<std::string_view, 4> log_levels = {"debug", "info", "warn", "error"};
constexpr std::uint32_t max_verify_threads = 64;

void read_address(const TomlValue& value, const std::string& name, HostPort& out, Mistake& mistake) {
  StrictTable table(value, name, {"host", "port"}, mistake);
  table.require({"host", "port"});
  table.read("host", out.host);
  if (table.has("host") && !valid_host(out.host)) {
    table.report("host", "bad-address", "\"" + out.host + "\" is no address", "for example host = \"127.0.0.1\"");
  }
  Mistake range("");
  StrictTable ports(value, name, {"host", "port"}, range);
  ports.read("port", out.port, 1, 65'535);
  if (range.any()) table.report("port", "bad-port", "must be a number from 1 to 65535", "for example port = 7101");
}

void read_path(StrictTable& table, std::string_view key, const std::filesystem::path& folder,
               std::filesystem::path& out) {
  std::string text;
  table.read(key, text);
  bool usable = !text.empty() && text.find('\0') == std::string::npos;
  if (usable) out = (folder / text).lexically_normal();
  if (table.has(key) && !usable) table.report(key, "bad-value", "must be a path", "leave it out if it is not wanted");
}

void read_log(const TomlValue& value, const std::filesystem::path& folder, NodeConfig& out, Mistake& mistake) {
  StrictTable table(value, "[log]", {"file", "level"}, mistake);
  read_path(table, "file", folder, out.log_file);
  table.read("level", out.log_level);
  if (std::find(log_levels.begin(), log_levels.end(), out.log_level) == log_levels.end()) {
    table.report("level", "bad-value", "\"" + out.log_level + "\" is no level", "one of debug, info, warn, error");
  }
}

void read_peers(const TomlValue& value, NodeConfig& out, Mistake& mistake) {
  std::vector<std::string_view> names;  // any name here: whether it is a member's is peer_addresses' to say
  for (const auto& [name, address] : value.members) names.push_back(name);
  StrictTable table(value, "[peers]", names, mistake);
  for (auto name : names) {
    std::string text;
    table.read(name, text);
    auto address = parse_host_port(text);
    if (address.ok()) {
      out.peers.emplace(name, *address);
    } else {
      table.report(name, address.error().code, "is wrong: " + address.error().what, address.error().hint);
    }
  }
}

std::vector<std::string_view> member_names(const Genesis& genesis) {
  std::vector<std::string_view> out;
  for (const auto& member : genesis.members) out.push_back(member.name);
  return out;
}

Error unknown_node(const std::string& name, const Genesis& genesis) {
  auto names = member_names(genesis);
  auto near = nearest_word(name, names);
  auto hint = near.empty() ? "the genesis file's [[node]] tables have the names"
                           : "did you mean \"" + std::string(near) + "\"?";
  return {"unknown-node", "the genesis file has no member \"" + name + "\"", hint};
}

/// A text editor ends the last line with a newline that is no part of the passphrase.
std::string without_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

Result<NodeConfig> parse_node_config(std::string_view text, const std::string& source,
                                     const std::filesystem::path& folder) {
  auto root = parse_toml(text, source);
  if (!root.ok()) return root.error();
  Mistake mistake(source);
  check_schema(*root, schema_version, mistake);
  StrictTable table(*root, "the top level",
                    {"schema", "name", "genesis", "data", "key", "passphrase_file", "control_socket", "verify_threads",
                     "listen", "api", "log", "peers"},
                    mistake);
  table.require({"name", "genesis", "data", "key", "control_socket", "listen", "api"});
  NodeConfig out;
  table.read("name", out.name);
  read_path(table, "genesis", folder, out.genesis_file);
  read_path(table, "data", folder, out.data_folder);
  read_path(table, "key", folder, out.key_file);
  read_path(table, "passphrase_file", folder, out.passphrase_file);
  read_path(table, "control_socket", folder, out.control_socket);
  table.read("verify_threads", out.verify_threads, 0, max_verify_threads);
  read_address(table.table("listen"), "[listen]", out.listen, mistake);
  read_address(table.table("api"), "[api]", out.api, mistake);
  read_log(table.table("log"), folder, out, mistake);
  read_peers(table.table("peers"), out, mistake);
  if (out.listen == out.api && !mistake.any()) {
    table.report("api", "bad-port", "is the address of [listen] too", "give each a port of its own");
  }
  if (mistake.any()) return mistake.error();
  return out;
}

Result<NodeConfig> load_node_config(const std::filesystem::path& file) {
  auto text = read_config_file(file);
  if (!text.ok()) return text.error();
  std::error_code problem;
  auto absolute = std::filesystem::absolute(file, problem);
  if (problem) return Error{"io", file.string() + ": " + problem.message(), ""};
  return parse_node_config(*text, file.string(), absolute.parent_path());
}

std::string format_node_config(const NodeConfig& config) {
  std::string out;
  auto line = [&out](std::string_view key, const std::string& value) {
    out.append(key).append(" = ").append(value).append("\n");
  };
  auto address = [&](std::string_view name, const HostPort& where) {
    out.append("\n[").append(name).append("]\n");
    line("host", toml_quoted(where.host));
    line("port", std::to_string(where.port));
  };
  line("schema", std::to_string(schema_version));
  line("name", toml_quoted(config.name));
  line("genesis", toml_quoted(config.genesis_file.string()));
  line("data", toml_quoted(config.data_folder.string()));
  line("key", toml_quoted(config.key_file.string()));
  if (!config.passphrase_file.empty()) line("passphrase_file", toml_quoted(config.passphrase_file.string()));
  line("control_socket", toml_quoted(config.control_socket.string()));
  line("verify_threads", std::to_string(config.verify_threads));
  address("listen", config.listen);
  address("api", config.api);
  out += "\n[log]\n";
  if (!config.log_file.empty()) line("file", toml_quoted(config.log_file.string()));
  line("level", toml_quoted(config.log_level));
  if (!config.peers.empty()) out += "\n[peers]\n";
  for (const auto& [name, where] : config.peers) line(toml_quoted(name), toml_quoted(to_string(where)));
  return out;
}

Result<NodeId> find_self(const NodeConfig& config, const Genesis& genesis) {
  for (std::size_t i = 0; i < genesis.members.size(); ++i) {
    if (genesis.members[i].name == config.name) return NodeId{static_cast<std::uint16_t>(i)};
  }
  return unknown_node(config.name, genesis);
}

Result<std::vector<std::optional<HostPort>>> peer_addresses(const NodeConfig& config, const GenesisFile& file) {
  auto names = member_names(file.genesis);
  for (const auto& [name, address] : config.peers) {
    if (std::find(names.begin(), names.end(), name) == names.end()) return unknown_node(name, file.genesis);
  }
  std::vector<std::optional<HostPort>> out(file.genesis.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto& name = file.genesis.members[i].name;
    if (name == config.name) continue;
    if (auto known = config.peers.find(name); known != config.peers.end()) {
      out[i] = known->second;
      continue;
    }
    auto address = parse_host_port(file.endpoints[i].address);
    if (!address.ok()) {
      return Error{"no-address", "node \"" + name + "\" has no address",
                   "add address = \"host:port\" to it in the genesis file, or to [peers] here"};
    }
    out[i] = *address;
  }
  return out;
}

Result<SecretKey> open_node_key(const NodeConfig& config, const Genesis& genesis) {
  auto self = find_self(config, genesis);
  if (!self.ok()) return self.error();
  auto json = load_key_file(config.key_file);
  if (!json.ok()) return json.error();
  auto description = describe_key(*json);
  if (!description.ok()) return description.error();
  bool off_loopback = !is_loopback(config.listen.host) || !is_loopback(config.api.host);
  if (description->dev && off_loopback) {
    return Error{"dev-key", config.key_file.string() + " was made for development, and this node listens off loopback",
                 "make a real key: zell key new"};
  }
  std::string passphrase;
  if (!config.passphrase_file.empty()) {
    auto text =
        load_key_file(config.passphrase_file);  // as secret as the key itself: the same rules about who may read it
    if (!text.ok()) return text.error();
    passphrase = without_newline(std::move(*text));
  }
  auto secret = decrypt_key(*json, passphrase);
  if (!secret.ok()) return secret.error();
  auto key = secp256k1_scheme().public_key(*secret);
  if (!key || *key != genesis.members[self->value].key) {
    return Error{"wrong-key",
                 config.key_file.string() + " is not the key of node \"" + config.name + "\" in the genesis file",
                 "check key and name in the node's configuration"};
  }
  return secret;
}

}  // namespace zell
