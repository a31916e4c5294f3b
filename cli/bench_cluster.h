#pragma once
// The cluster that a bench loads: a running one, or one of its own.

#include "cli/bench_command.h"
#include "cluster/cluster_view.h"
#include "cluster/ephemeral_cluster.h"

namespace zell::cli {

struct BenchCluster {
  std::optional<EphemeralCluster> own;
  FoundCluster cluster;
  ClusterView view;                ///< before the load
  std::vector<std::size_t> asked;  ///< positions of the nodes that are sent to

  [[nodiscard]] Status stop() { return own ? own->stop() : Status(Ok{}); }
};

/// The running cluster that is meant, unless a number of nodes is asked for; else one of our own.
[[nodiscard]] Result<BenchCluster> find_bench_cluster(const Globals& globals, const BenchOptions& options);
/// The nodes that `selector` means, all of which vote.
[[nodiscard]] Result<std::vector<std::size_t>> choose_asked(const ClusterView& view, const std::string& selector);
/// Where an fsync costs nothing and a figure of writing means nothing.
[[nodiscard]] bool is_in_memory(const std::filesystem::path& folder);

}  // namespace zell::cli
