#pragma once
// A whole cluster at one moment: each node's process as the supervisor sees it, and what the node says of itself.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cluster/registry.h"
#include "cluster/supervisor_protocol.h"
#include "node/types/genesis.h"

namespace zell {

/// What a member complained of: of a leader, in the view before the one that is told of.
struct ComplaintSeen {
  std::string node;    ///< a name
  std::string reason;  ///< "unresponsive", "stalled", "censored", "equivocation", "invalid-proposal", "manual"
  friend bool operator==(const ComplaintSeen&, const ComplaintSeen&) = default;
};

/// What a node says on /v1/status. It may lie: this is for people; what must hold is verified elsewhere.
struct NodeSays {
  std::uint64_t view = 0;
  bool active = false;
  std::string leader;                          ///< a name
  std::string standing;                        ///< member, learner or rejoined
  std::optional<std::uint64_t> rejoins_above;  ///< a learner votes again in any later view; none: not known yet
  std::uint64_t sequenced = 0, locked = 0, finalised = 0, behind = 0;
  std::uint64_t evidence = 0;
  std::int64_t view_since_unix_ms = 0;      ///< when it left for its view, or was started
  std::vector<ComplaintSeen> view_because;  ///< empty: view 0, or it does not know
  bool challenging = false;                 ///< it challenges the leader of its view
  std::string stopped_code, stopped_why;    ///< empty while it takes part
  std::vector<std::string> connected;       ///< to these nodes
};

struct NodeView {
  ClusterNode node;
  ProcessReport process;
  std::optional<NodeSays> says;                ///< none: it does not answer
  std::string no_answer;                       ///< why not, if it takes connections and gives no status all the same
  std::chrono::milliseconds answered_after{};  ///< meaningful with `says`
  /// "up", "starting" (it runs, and takes no connections yet), "no answer", "paused", "stopping", "stopped", "killed",
  /// "exited (5)", "learner", "out of disk" or "failed" (it stopped taking part).
  [[nodiscard]] std::string state() const;
  /// It runs, answers and takes part with its vote.
  [[nodiscard]] bool votes() const;
};

/// Who leads, since when, and why not its predecessor.
struct Leadership {
  std::size_t leader = 0;  ///< position
  std::uint64_t view = 0;
  std::int64_t since_unix_ms = 0;      ///< the earliest that a node in this view tells
  std::string before;                  ///< the leader of the view before; empty in view 0
  std::vector<ComplaintSeen> because;  ///< what members challenged it for; empty: no node remembers
};

struct ClusterView {
  std::string cluster;
  Genesis genesis;
  std::int64_t supervisor_pid = 0;
  std::vector<NodeView> nodes;  ///< in genesis order

  /// Position of the leader of the highest active view that a voting node is in, if that leader votes itself.
  [[nodiscard]] std::optional<std::size_t> leader() const;
  [[nodiscard]] std::optional<Leadership> leadership() const;
  /// Its name; empty if there is none.
  [[nodiscard]] std::string leader_name() const;
  /// The highest index that any node says is final.
  [[nodiscard]] std::uint64_t highest_final() const;
  /// The highest view that a voting node is in.
  [[nodiscard]] std::uint64_t view() const;
  /// Voting nodes of more than two thirds of the stake are active in the highest view, its leader among them: a request
  /// that comes now can become final.
  [[nodiscard]] bool serving() const;
  /// That node says that it is connected to members of more than two thirds of the stake, itself among them.
  [[nodiscard]] bool connected(std::size_t position) const;
  /// How many more voting nodes may fail, the heaviest first, until too little stake votes. 0 when it is too little
  /// now.
  [[nodiscard]] std::size_t further_faults() const;
  [[nodiscard]] std::size_t voting() const;
  [[nodiscard]] std::uint64_t voting_stake() const;
  /// The least stake that is more than two thirds.
  [[nodiscard]] std::uint64_t needed_stake() const {
    return genesis.total_stake() / 3 * 2 + genesis.total_stake() % 3 * 2 / 3 + 1;
  }
  [[nodiscard]] bool equal_stakes() const;
};

/// Asks the supervisor, then all running nodes at once, each for at most `timeout`. Works without a supervisor, too:
/// all nodes are then stopped. Codes: those of the genesis file and the supervisor.
[[nodiscard]] Result<ClusterView> view_cluster(const FoundCluster& cluster, std::chrono::milliseconds timeout);

}  // namespace zell
