#pragma once
// genesis.toml: who the members are and where to reach them.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/result.h"
#include "node/config/address.h"
#include "node/types/genesis.h"

namespace zell {

/// Where a member can be reached: labels, not part of the genesis's canonical bytes (a node may move).
struct Endpoints {
  std::string address;  ///< "host:port" for peers; empty if not given
  std::string api;      ///< "http://host:port"; empty if not given
  friend bool operator==(const Endpoints&, const Endpoints&) = default;
};

struct GenesisFile {
  Genesis genesis;
  std::vector<Endpoints> endpoints;  ///< one a member, in the same order
};

/// Reads and checks all of it. Codes: read_config_file's, parse_genesis's.
[[nodiscard]] Result<GenesisFile> load_genesis(const std::filesystem::path& file);
/// `source` names the text in complaints. Codes: "bad-toml", "unknown-key", "missing-key", "wrong-type",
/// "out-of-range", "newer-schema", "bad-name", "bad-key", "bad-address", "bad-port", "bad-url", "duplicate-node",
/// "bad-genesis"; each with "source:line" in `what`.
[[nodiscard]] Result<GenesisFile> parse_genesis(std::string_view text, const std::string& source);
/// The text that parse_genesis reads back as the same value. REQUIRES: it validates, endpoints match the members.
[[nodiscard]] std::string format_genesis(const GenesisFile& file);

}  // namespace zell
