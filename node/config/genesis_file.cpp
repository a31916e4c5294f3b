#include "node/config/genesis_file.h"

#include <algorithm>
#include <limits>

#include "node/config/strict_toml.h"
#include "node/crypto/keys.h"

namespace zell {
namespace {

constexpr std::uint64_t schema_version = 1;
constexpr auto no_upper_bound = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t max_u32 = std::numeric_limits<std::uint32_t>::max();

/// Name, field and range of each parameter (the ranges of types/genesis.h; those that relate two are validate()'s).
struct ParameterKey {
  std::string_view key;
  std::uint32_t Parameters::* field;
  std::uint64_t low, high;
};
constexpr ParameterKey parameter_keys[] = {
    {"view_timeout_ms", &Parameters::view_timeout_ms, 50, 600'000},
    {"view_timeout_cap_ms", &Parameters::view_timeout_cap_ms, 50, 3'600'000},
    {"heartbeat_ms", &Parameters::heartbeat_ms, 1, 300'000},
    {"censorship_timeout_ms", &Parameters::censorship_timeout_ms, 1, 600'000},
    {"batches_in_flight", &Parameters::batches_in_flight, 1, 64},
    {"batch_max_requests", &Parameters::batch_max_requests, 1, 65'536},
    {"batch_max_bytes", &Parameters::batch_max_bytes, 4 << 10, 4 << 20},
    {"request_max_bytes", &Parameters::request_max_bytes, 1 << 10, 1 << 20},
    {"forward_quota", &Parameters::forward_quota, 1, 1 << 20},
};

void read_domain(const TomlValue& value, Genesis& genesis, Mistake& mistake) {
  StrictTable table(value, "[domain]", {"name", "version", "reference_timestamp"}, mistake);
  table.read("name", genesis.domain_name);
  table.read("version", genesis.domain_version);
  table.read("reference_timestamp", genesis.reference_timestamp, 0, max_u32);
}

void read_parameters(const TomlValue& value, Parameters& parameters, Mistake& mistake) {
  std::vector<std::string_view> allowed;
  for (const auto& parameter : parameter_keys) allowed.push_back(parameter.key);
  StrictTable table(value, "[parameters]", allowed, mistake);
  for (const auto& parameter : parameter_keys) {
    table.read(parameter.key, parameters.*parameter.field, parameter.low, parameter.high);
  }
}

void read_key(StrictTable& table, Member& member) {
  std::string text;
  table.read("key", text);
  auto key = fixed_from_hex<PublicKey>(text);
  if (key && address_of(*key)) {
    member.key = *key;
  } else if (table.has("key")) {
    table.report("key", "bad-key", "is no compressed secp256k1 public key",
                 "0x and 66 hexadecimal digits that start with 02 or 03");
  }
}

void check_label(StrictTable& table, std::string_view key, const Result<HostPort>& parsed) {
  if (!parsed.ok()) table.report(key, parsed.error().code, "is wrong: " + parsed.error().what, parsed.error().hint);
}

void read_node(const TomlValue& value, GenesisFile& out, Mistake& mistake) {
  StrictTable table(value, "[[node]]", {"name", "key", "stake", "address", "api"}, mistake);
  table.require({"name", "key"});
  Member member;
  member.stake = 1;
  Endpoints endpoints;
  table.read("name", member.name);
  read_key(table, member);
  table.read("stake", member.stake, 1, no_upper_bound);
  table.read("address", endpoints.address);
  table.read("api", endpoints.api);
  if (!endpoints.address.empty()) check_label(table, "address", parse_host_port(endpoints.address));
  if (!endpoints.api.empty()) check_label(table, "api", parse_api_url(endpoints.api));

  auto name_char = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  bool good_name = !member.name.empty() && member.name.size() <= 32 &&
                   std::all_of(member.name.begin(), member.name.end(), name_char);
  if (!good_name)
    table.report("name", "bad-name", "\"" + member.name + "\" is no node name", "1 to 32 of a-z, 0-9 and -");
  for (const auto& other : out.genesis.members) {
    if (other.name == member.name) {
      table.report("name", "duplicate-node", "\"" + member.name + "\" is there twice",
                   "give each node a name of its own");
    }
    if (other.key == member.key) {
      table.report("key", "duplicate-node", "is also the key of node \"" + other.name + "\"",
                   "make a key for each node: zell key new");
    }
  }
  out.genesis.members.push_back(std::move(member));
  out.endpoints.push_back(std::move(endpoints));
}

void read_nodes(StrictTable& root, GenesisFile& out, Mistake& mistake) {
  const auto& nodes = root.tables("node");
  if (nodes.empty()) root.report("node", "missing-key", "is missing: a cluster has at least one", "add [[node]]");
  if (nodes.size() > max_members) {
    root.report("node", "out-of-range", "is there " + std::to_string(nodes.size()) + " times",
                "a cluster has at most " + std::to_string(max_members) + " nodes");
  }
  for (const auto& node : nodes) {
    if (mistake.any()) return;  // also bounds the duplicate search at max_members
    read_node(node, out, mistake);
  }
}

/// TOML's integers end at 2^63 - 1; the few numbers above are written as strings of digits.
std::string number_text(std::uint64_t number) {
  auto digits = std::to_string(number);
  return number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ? "\"" + digits + "\"" : digits;
}

}  // namespace

Result<GenesisFile> parse_genesis(std::string_view text, const std::string& source) {
  auto root = parse_toml(text, source);
  if (!root.ok()) return root.error();
  Mistake mistake(source);
  check_schema(*root, schema_version, mistake);
  StrictTable table(*root, "the top level", {"schema", "name", "chain_id", "domain", "parameters", "node"}, mistake);
  table.require({"name"});
  GenesisFile out;
  table.read("name", out.genesis.cluster_name);
  table.read("chain_id", out.genesis.chain_id, 0, no_upper_bound);
  read_domain(table.table("domain"), out.genesis, mistake);
  read_parameters(table.table("parameters"), out.genesis.parameters, mistake);
  read_nodes(table, out, mistake);
  if (mistake.any()) return mistake.error();
  // What no single line is to blame for: the sum of the stakes, parameters that contradict each other.
  auto valid = out.genesis.validate();
  if (!valid.ok()) {
    auto where = table.has("parameters") ? table.line_of("parameters") : table.line_of("node");
    mistake.report(where, "bad-genesis", valid.error().what, valid.error().hint);
    return mistake.error();
  }
  return out;
}

Result<GenesisFile> load_genesis(const std::filesystem::path& file) {
  auto text = read_config_file(file);
  if (!text.ok()) return text.error();
  return parse_genesis(*text, file.string());
}

std::string format_genesis(const GenesisFile& file) {
  ZELL_CHECK(file.endpoints.size() == file.genesis.members.size());
  const auto& genesis = file.genesis;
  std::string out =
      "# The cluster's identity. Every node and client needs the same copy; changing it makes another cluster.\n";
  auto line = [&out](std::string_view key, const std::string& value) {
    out.append(key).append(" = ").append(value).append("\n");
  };
  line("schema", std::to_string(schema_version));
  line("name", toml_quoted(genesis.cluster_name));
  line("chain_id", number_text(genesis.chain_id));
  out += "\n[domain]\n";
  line("name", toml_quoted(genesis.domain_name));
  line("version", toml_quoted(genesis.domain_version));
  line("reference_timestamp", std::to_string(genesis.reference_timestamp));
  out += "\n[parameters]\n";
  for (const auto& parameter : parameter_keys) {
    line(parameter.key, std::to_string(genesis.parameters.*parameter.field));
  }
  for (std::size_t i = 0; i < genesis.members.size(); ++i) {
    const auto& member = genesis.members[i];
    const auto& endpoints = file.endpoints[i];
    out += "\n[[node]]\n";
    line("name", toml_quoted(member.name));
    line("key", toml_quoted(to_hex0x(member.key.view())));
    line("stake", number_text(member.stake));
    if (!endpoints.address.empty()) line("address", toml_quoted(endpoints.address));
    if (!endpoints.api.empty()) line("api", toml_quoted(endpoints.api));
  }
  return out;
}

}  // namespace zell
