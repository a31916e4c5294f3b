#pragma once
// Whether a cluster does its work: a request of zell's own, finalised on every node.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "cluster/registry.h"
#include "node/types/ids.h"

namespace zell {

struct ProbeResult {
  Index index;
  std::size_t nodes = 0;             ///< on so many it is final
  std::chrono::microseconds took{};  ///< from the first try
};

/// Submits a request of the app `zell`, signed by the cluster's first dev key, to one of `nodes` after the other until
/// it is final, then waits until each of them has it final. `check` is called between tries: what it returns ends the
/// probe (a node died while starting). Codes: "timeout" (what says which nodes lack it), "no-such-key", what the nodes
/// refuse with.
[[nodiscard]] Result<ProbeResult> probe_cluster(const FoundCluster& cluster, const std::vector<ClusterNode>& nodes,
                                                std::chrono::milliseconds timeout,
                                                const std::function<Status()>& check);

}  // namespace zell
