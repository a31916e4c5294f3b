#pragma once
// A cluster for one command's own use: made, used, and gone with it, however it ends.

#include <chrono>
#include <functional>

#include "cluster/registry.h"
#include "cluster/unique_fd.h"

namespace zell {

class EphemeralCluster {
 public:
  /// `name` and a random ending, on ports of its own choice, once a probe is final on all nodes. `check` is called now
  /// and then meanwhile: an error that it returns ends it. Codes: make_new_cluster(), start_cluster() and
  /// probe_cluster()'s.
  [[nodiscard]] static Result<EphemeralCluster> start(const Environment& environment, const std::string& name,
                                                      ClusterWishes wishes, std::chrono::milliseconds timeout,
                                                      const std::function<Status()>& check);
  EphemeralCluster(EphemeralCluster&&) noexcept = default;
  /// As stop(); what goes wrong is then for the supervisor to sort out, which watches this process.
  ~EphemeralCluster();

  [[nodiscard]] const FoundCluster& cluster() const { return cluster_; }
  /// Returns once its processes and its data are gone. Code "timeout", with where the data is.
  [[nodiscard]] Status stop();

 private:
  EphemeralCluster() = default;

  FoundCluster cluster_;
  std::vector<std::filesystem::path> sockets_;  ///< whose owners leave them when they are killed
  UniqueFd owner_;       ///< the supervisor takes the cluster down when this is closed: by us, or by our death
  UniqueFd supervisor_;  ///< its process
};

}  // namespace zell
