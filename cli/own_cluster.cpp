#include "cli/own_cluster.h"

#include <cstdlib>

#include "cli/interruption.h"

namespace zell::cli {

bool names_a_cluster(const Globals& globals) {
  const char* variable = std::getenv("ZELL_CLUSTER");
  return !globals.folder.empty() || (!globals.cluster.empty() && (variable == nullptr || globals.cluster != variable));
}

Result<EphemeralCluster> start_own_cluster(const std::string& name, ClusterWishes wishes,
                                           std::chrono::milliseconds timeout) {
  return EphemeralCluster::start(Environment::of_process(), name, std::move(wishes), timeout,
                                 [] { return is_interrupted() ? Status(interruption()) : Status(Ok{}); });
}

}  // namespace zell::cli
