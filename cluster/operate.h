#pragma once
// What the commands do to a whole cluster: start it, bring it down, wait for what they caused.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster_view.h"
#include "cluster/registry.h"
#include "cluster/unique_fd.h"

namespace zell {

/// Makes a cluster of that name in `root`, on ports that are free now. Codes: plan_cluster's, "port-taken",
/// make_cluster's.
[[nodiscard]] Result<FoundCluster> make_new_cluster(const Environment& environment, const std::string& name,
                                                    std::filesystem::path root, const ClusterWishes& wishes);

/// Starts the supervisor of a stopped cluster, and through it all nodes. With `owner`, see launch_supervisor().
/// Codes: "port-taken", "running", launch_supervisor's.
[[nodiscard]] Result<SupervisorAnswer> start_cluster(const FoundCluster& cluster, const UniqueFd* owner);

/// Returns once all nodes and the supervisor are gone. Codes: "timeout", ask()'s.
[[nodiscard]] Result<SupervisorAnswer> bring_down(const FoundCluster& cluster, std::chrono::milliseconds timeout);

/// Why a node that has just ended did so, in its own words: the last "error: ..." of its log, without that word; empty
/// if there is none.
[[nodiscard]] std::string last_words(const FoundCluster& cluster, const std::string& node);

/// What to say of a node that ended while it started. Code "spawn-failed".
[[nodiscard]] Error ended_at_start(const FoundCluster& cluster, const ProcessReport& node);
/// ended_at_start() for the first node that has ended by itself, if there is one. Codes: ask_supervisor()'s, too.
[[nodiscard]] Status check_nodes_run(const FoundCluster& cluster);

/// A handle that can be read once the process has ended; invalid if it has.
[[nodiscard]] UniqueFd watch_process(std::int64_t pid);
/// True if it ended within `timeout`.
[[nodiscard]] bool wait_for_end(const UniqueFd& process, std::chrono::milliseconds timeout);

/// Looks at the cluster until `enough` says so. Nodes don't announce such things, so this asks them every 20 ms or so.
/// nullopt when time is up. Codes: view_cluster()'s.
[[nodiscard]] Result<std::optional<ClusterView>> look_until(const FoundCluster& cluster,
                                                            std::chrono::milliseconds timeout,
                                                            const std::function<bool(const ClusterView&)>& enough);

}  // namespace zell
