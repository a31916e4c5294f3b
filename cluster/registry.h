#pragma once
// Which clusters there are, and which one is meant.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster_file.h"
#include "cluster/paths.h"
#include "cluster/supervisor_lock.h"
#include "node/base/result.h"

namespace zell {

struct FoundCluster {
  ClusterFile file;
  ClusterPaths paths;
  LockState lock;
  [[nodiscard]] bool running() const { return lock.state == RunState::running; }
};

/// A cluster's folder whose cluster.toml is missing or can't be understood.
struct DamagedCluster {
  std::string name;
  ClusterPaths paths;
  LockState lock;
  Error error;
};
struct KnownClusters {
  std::vector<FoundCluster> clusters;
  std::vector<DamagedCluster> damaged;
};
/// All of this user's, by name.
[[nodiscard]] KnownClusters list_clusters(const Environment& environment);

/// Codes: "no-cluster", cluster.toml's.
[[nodiscard]] Result<FoundCluster> open_cluster(const std::filesystem::path& root);

/// What the user said about which cluster is meant.
struct ClusterChoice {
  std::string name;              ///< an argument, --cluster or $ZELL_CLUSTER; empty: none
  std::filesystem::path folder;  ///< --dir; empty: none
};
/// The one named; or else the only one that runs; or else, with `also_stopped`, the only one there is.
/// Codes: "no-cluster" (none there; the hint is the nearest name), "not-running" (it is stopped, or its supervisor
/// died), "several-clusters" (what lists them).
[[nodiscard]] Result<FoundCluster> choose_cluster(const Environment& environment, const ClusterChoice& choice,
                                                  bool also_stopped);
/// Ok if it runs; else why not, code "not-running".
[[nodiscard]] Status check_running(const FoundCluster& cluster);
/// Where a cluster of that name is, or would be.
[[nodiscard]] std::filesystem::path root_of(const Environment& environment, std::string_view name, bool ephemeral);

}  // namespace zell
