#pragma once
// A cluster that a command makes for itself, and that goes with it.

#include "cli/commands.h"
#include "cluster/ephemeral_cluster.h"

namespace zell::cli {

/// --cluster or --dir was given; $ZELL_CLUSTER alone does not count: it says which one of those that are there.
[[nodiscard]] bool names_a_cluster(const Globals& globals);

/// EphemeralCluster::start(), which Ctrl-C ends: code "interrupted". take_signals() comes before it.
[[nodiscard]] Result<EphemeralCluster> start_own_cluster(const std::string& name, ClusterWishes wishes,
                                                         std::chrono::milliseconds timeout);

}  // namespace zell::cli
