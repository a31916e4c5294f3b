#pragma once
// Making a cluster: keys, genesis, configurations and the nodes' vote state, once.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "cluster/cluster_file.h"
#include "cluster/paths.h"
#include "node/base/result.h"

namespace zell {

/// The users whose dev keys every cluster brings, the default first.
inline constexpr std::string_view dev_users[] = {"alice", "bob"};

struct ClusterPlan {
  ClusterFile file;            ///< whole: names, stakes, ports
  std::filesystem::path root;  ///< must not exist; what is above it is made
};

/// Fills in what was not wished for: 4 nodes (or one a stake) of stake 1, and the first free block of ports that is
/// none of `taken_bases`. Codes: "bad-name", "bad-count" (1..31 nodes), "bad-stake", "bad-port", "port-taken".
[[nodiscard]] Result<ClusterPlan> plan_cluster(const std::string& name, std::filesystem::path root,
                                               const ClusterWishes& wishes, std::span<const std::uint16_t> taken_bases);
/// Makes everything in a folder beside it, which is renamed to plan.root at the end: a cluster is there as a whole or
/// not at all. Dev keys are cheap to open, have the empty passphrase and are marked; they come from the seed, or are
/// random. Codes: "exists", "io", and those of the key files and stores.
[[nodiscard]] Status make_cluster(const ClusterPlan& plan, const Environment& environment);

}  // namespace zell
