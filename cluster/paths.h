#pragma once
// Where things are: the folders of a user, and of one cluster.

#include <filesystem>
#include <string>
#include <string_view>

#include "node/base/result.h"

namespace zell {

/// What the process's environment says about folders. A value, so that tests bring their own.
struct Environment {
  std::filesystem::path data_home;    ///< $XDG_DATA_HOME, or ~/.local/share
  std::filesystem::path state_home;   ///< $XDG_STATE_HOME, or ~/.local/state
  std::filesystem::path runtime_dir;  ///< $XDG_RUNTIME_DIR; empty when unset
  std::filesystem::path temporary;    ///< $TMPDIR, or /tmp

  [[nodiscard]] static Environment of_process();
  /// A person's keys.
  [[nodiscard]] std::filesystem::path keys() const { return data_home / "zell" / "keys"; }
  [[nodiscard]] std::filesystem::path clusters() const { return state_home / "zell" / "clusters"; }
  /// Clusters that are removed when they stop.
  [[nodiscard]] std::filesystem::path ephemeral_clusters() const;
};

/// Makes `folder` (and what is above it), mode 0700, or checks that it is ours and closed to others. Code "too-open".
[[nodiscard]] Status ensure_private_folder(const std::filesystem::path& folder);

inline constexpr std::size_t max_socket_path_bytes = 107;  ///< sun_path less its terminating zero

/// A path for the Unix socket `file` in a private folder that now exists: $XDG_RUNTIME_DIR/zell, or zell-UID in the
/// temporary folder or in /tmp where that is unset or the path would be too long. Codes: "too-open", "path-too-long".
[[nodiscard]] Result<std::filesystem::path> make_socket_path(const Environment& environment, std::string_view file);

/// Cluster names are [a-z0-9-]{1,32}. Code "bad-name".
[[nodiscard]] Status check_cluster_name(std::string_view name);

/// The files of one cluster. Nothing here touches the disk.
struct ClusterPaths {
  std::filesystem::path root;

  [[nodiscard]] std::filesystem::path genesis() const { return root / "genesis.toml"; }
  [[nodiscard]] std::filesystem::path cluster_file() const { return root / "cluster.toml"; }
  [[nodiscard]] std::filesystem::path keys() const { return root / "keys"; }
  [[nodiscard]] std::filesystem::path supervisor_lock() const { return root / "supervisor.lock"; }
  [[nodiscard]] std::filesystem::path supervisor_log() const { return root / "supervisor.log"; }
  [[nodiscard]] std::filesystem::path node(std::string_view name) const { return root / name; }
  [[nodiscard]] std::filesystem::path node_config(std::string_view name) const { return node(name) / "node.toml"; }
  [[nodiscard]] std::filesystem::path node_data(std::string_view name) const { return node(name) / "data"; }
  [[nodiscard]] std::filesystem::path node_log(std::string_view name) const { return node(name) / "log"; }
  /// Short, and different for each folder: "NAME-1a2b3c4d", the start of a socket's file name.
  [[nodiscard]] std::string socket_stem(std::string_view cluster_name) const;
};

}  // namespace zell
