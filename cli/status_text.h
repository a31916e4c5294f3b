#pragma once
// A cluster's status as a person reads it, and what of it its JSON says, too.

#include <string>
#include <vector>

#include "cluster/cluster_view.h"

namespace zell::cli {

/// "degraded: serving, tolerates 0 further faults".
[[nodiscard]] std::string health_line(const ClusterView& view);
/// "healthy", "degraded" or "down".
[[nodiscard]] std::string_view health_word(const ClusterView& view);
/// "leader", "follower", or "–" for a node that does not vote now.
[[nodiscard]] std::string role_of(const ClusterView& view, std::size_t position);
/// Behind the highest that any node says is final, not only behind what it knows itself. REQUIRES: it says something.
[[nodiscard]] std::uint64_t behind(const NodeView& node, std::uint64_t highest);

/// The table, the health, who leads since when and why, and a line for each node that needs one.
[[nodiscard]] std::vector<std::string> status_lines(const ClusterView& view);

/// What nodes without their vote state need, as talk; nothing if there are none.
void hint_learners(const ClusterView& view);

}  // namespace zell::cli
