#pragma once
// cluster.toml: what a cluster was made with. Written once; starting again reads it and changes nothing.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cluster/ports.h"
#include "node/base/result.h"

namespace zell {

inline constexpr int cluster_file_schema = 1;

struct ClusterNode {
  std::string name;  ///< "n1"
  std::uint64_t stake = 1;
  NodePorts ports;
  friend bool operator==(const ClusterNode&, const ClusterNode&) = default;
  [[nodiscard]] std::string api_url() const { return "http://127.0.0.1:" + std::to_string(ports.api); }
};

struct ClusterFile {
  std::string name;
  std::uint16_t base_port = 0;
  std::optional<std::uint64_t> seed;  ///< of the dev keys; none: they are random
  bool ephemeral = false;             ///< removed when it stops
  std::vector<ClusterNode> nodes;     ///< in genesis order
  friend bool operator==(const ClusterFile&, const ClusterFile&) = default;
};

[[nodiscard]] std::string render_cluster_file(const ClusterFile& file);
/// Unknown keys are errors. `source` names the text in complaints. Codes: "bad-toml", "unknown-key", "missing-key",
/// "wrong-type", "out-of-range", "bad-name", "duplicate-node", "newer-schema".
[[nodiscard]] Result<ClusterFile> parse_cluster_file(std::string_view text, const std::string& source);
/// Also code "no-cluster" when there is no such file, and read_config_file's.
[[nodiscard]] Result<ClusterFile> read_cluster_file(const std::filesystem::path& path);

/// Whole or not at all, mode 0600: to a temporary file beside it, fsynced, renamed. Code "io".
[[nodiscard]] Status write_file(const std::filesystem::path& path, std::string_view text);

/// What somebody asked for on the command line; what was not said is free.
struct ClusterWishes {
  std::optional<std::size_t> nodes;
  std::optional<std::vector<std::uint64_t>> stakes;
  std::optional<std::uint64_t> seed;
  std::optional<std::uint16_t> base_port;
  std::optional<bool> ephemeral;
};
/// How an existing cluster differs from what is asked for ("it has 4 nodes, not 7"), one item each; empty if it does
/// not.
[[nodiscard]] std::vector<std::string> differences(const ClusterFile& file, const ClusterWishes& wishes);
/// "3,1,1,1". 1..31 stakes, each from 1, their sum below 2^64. Code "bad-stake".
[[nodiscard]] Result<std::vector<std::uint64_t>> parse_stakes(std::string_view text);

}  // namespace zell
