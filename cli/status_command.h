#pragma once

#include <string>

#include "cli/commands.h"
#include "cluster/cluster_view.h"

namespace zell::cli {

/// All nodes, also those that are down, and how much more may fail. Exit code 1 when the cluster does not serve.
[[nodiscard]] int status(const Globals& globals, const std::string& name);

/// "degraded: serving, tolerates 0 further faults".
[[nodiscard]] std::string health_line(const ClusterView& view);

/// What nodes without their vote state need, as talk; nothing if there are none.
void hint_learners(const ClusterView& view);

}  // namespace zell::cli
