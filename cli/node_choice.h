#pragma once
// Which nodes a command is for: a cluster as it is now, and a selector resolved in it, once.

#include <functional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cluster/cluster_view.h"

namespace zell::cli {

struct ChosenNodes {
  FoundCluster cluster;
  ClusterView view;                    ///< when they were chosen
  std::vector<std::size_t> positions;  ///< in genesis order
  [[nodiscard]] std::vector<std::string> names() const;
};

/// Prints what a selector that is no plain list of names came to. Codes: choose_cluster's, view_cluster's,
/// resolve_selector's.
[[nodiscard]] Result<ChosenNodes> choose_nodes(const Globals& globals, const std::string& selector,
                                               const std::function<bool(const NodeView&)>& eligible);

}  // namespace zell::cli
