#include "cli/own_cluster.h"

#include "cli/interruption.h"

namespace zell::cli {

bool names_a_cluster(const Globals& globals) {
  return !globals.folder.empty() || globals.cluster_is_typed;
}

Result<EphemeralCluster> start_own_cluster(const std::string& name, ClusterWishes wishes,
                                           std::chrono::milliseconds timeout) {
  return EphemeralCluster::start(Environment::of_process(), name, std::move(wishes), timeout,
                                 [] { return is_interrupted() ? Status(interruption()) : Status(Ok{}); });
}

}  // namespace zell::cli
