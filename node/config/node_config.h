#pragma once
// node.toml: what one node process needs beside genesis. Local choices: they may differ between nodes.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/result.h"
#include "node/config/address.h"
#include "node/config/genesis_file.h"
#include "node/crypto/keys.h"

namespace zell {

struct NodeConfig {
  std::string name;  ///< which member of the genesis file this is
  std::filesystem::path genesis_file;
  std::filesystem::path data_folder;
  std::filesystem::path key_file;
  std::filesystem::path passphrase_file;  ///< empty: the empty passphrase, as dev keys have
  HostPort listen;                        ///< for peers
  HostPort api;                           ///< for clients (HTTP)
  std::filesystem::path control_socket;
  std::filesystem::path log_file;         ///< empty: stderr
  std::string log_level = "info";         ///< debug, info, warn, error
  std::map<std::string, HostPort> peers;  ///< by member name; what is not here comes from the genesis file
  std::uint32_t verify_threads = 0;       ///< 0: as many as there are cores; at most 64
  friend bool operator==(const NodeConfig&, const NodeConfig&) = default;
};

/// Paths in the file are relative to its folder; they come back absolute. Codes: read_config_file's,
/// parse_node_config's.
[[nodiscard]] Result<NodeConfig> load_node_config(const std::filesystem::path& file);
/// Codes: "bad-toml", "unknown-key", "missing-key", "wrong-type", "out-of-range", "newer-schema", "bad-address",
/// "bad-port", "bad-value"; each with "source:line" in `what`.
[[nodiscard]] Result<NodeConfig> parse_node_config(std::string_view text, const std::string& source,
                                                   const std::filesystem::path& folder);
/// The text that parse_node_config reads back as the same value. REQUIRES: paths are absolute, ports are not 0.
[[nodiscard]] std::string format_node_config(const NodeConfig& config);

/// Which member `config` is. Code "unknown-node", with the nearest name.
[[nodiscard]] Result<NodeId> find_self(const NodeConfig& config, const Genesis& genesis);
/// Where each member listens, in genesis order (this node's own entry is nullopt). Codes: "unknown-node" (a peer that
/// is no member), "no-address".
[[nodiscard]] Result<std::vector<std::optional<HostPort>>> peer_addresses(const NodeConfig& config,
                                                                          const GenesisFile& genesis);
/// Opens the key file. Codes: the key store's, "dev-key" (made for development, but this node listens off loopback),
/// "wrong-key" (not this member's).
[[nodiscard]] Result<SecretKey> open_node_key(const NodeConfig& config, const Genesis& genesis);

}  // namespace zell
