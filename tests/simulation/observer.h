#pragma once
// Watches a run from outside the cores: counts what it went through, and checks what a node does beyond its signatures.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/consensus/replica.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/witness.h"

namespace zell::simulation {

class Observer {
 public:
  Observer(const Plan& plan, const Genesis& genesis, const Verifier& verifier, Seen& seen)
      : plan_(plan), genesis_(genesis), verifier_(verifier), seen_(seen), nodes_(genesis.size()) {}

  /// A node starts from this.
  void started(NodeId node, const Recovered& recovered);
  /// A node took one step at `now`. Throws Violation.
  void stepped(NodeId node, const Input& input, const Replica& replica, const Effects& effects, Instant now);
  /// A leader sends a NewView while the nodes hold these locks on their disks.
  void new_view(const NewView& news, Index highest_final, const std::vector<std::optional<Certificate>>& locks);
  /// An honest node sends a challenge.
  void challenged(const Challenge& challenge);
  void finalised(const Batch& batch);
  void healed(Instant at) { healed_ = at; }
  /// How long the queues ever were.
  void count_most();
  /// A learner of an honest node votes again.
  void rejoined();

 private:
  struct Known {
    View view, finality_view;
    Index finalised;
    bool learns = false;
  };
  void check_finality(const Input& input, const Replica& replica, const ReplicaStatus& status, Known& known);
  void check_events(NodeId node, const Effects& effects, Instant now);
  void check_patience(NodeId node, View view, const std::string& what, Instant now);
  void check_bounds(NodeId node, const ReplicaStatus& status, const Effects& effects);
  void check_evidence(NodeId node, const Effects& effects);

  const Plan& plan_;
  const Genesis& genesis_;
  const Verifier& verifier_;
  Seen& seen_;
  std::vector<Known> nodes_;
  std::set<RequestId> said_censored_;
  ReplicaStatus most_;              ///< of each number the highest
  std::optional<View> complained_;  ///< the highest view that an honest node challenged
  std::optional<Instant> healed_;
};

/// What a suite of runs must have gone through, or it proves less than it seems to.
[[nodiscard]] const std::vector<std::string>& required_situations();

/// Small enough that a run fills it.
inline constexpr std::size_t pool_limit = 8;

}  // namespace zell::simulation
