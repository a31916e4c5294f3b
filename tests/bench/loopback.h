#pragma once
// A cluster of real cores in one thread, on a network without loss on which every message takes the same time, with
// disks that need none. Calm: no timer ever comes due, no view ever changes. What each node does is counted.

#include <deque>
#include <memory>
#include <vector>

#include "node/consensus/replica.h"
#include "node/crypto/keys.h"

namespace zell::bench {

/// How long a message is under way: so short that no timer comes due while a batch is finalised.
inline constexpr Duration hop{100};

/// What one node has done.
struct Work {
  std::uint64_t signatures = 0;          ///< made
  std::uint64_t vote_checks = 0;         ///< signatures of single votes
  std::uint64_t certificate_checks = 0;  ///< signatures inside certificates
  std::uint64_t proposal_checks = 0;
  std::uint64_t request_checks = 0;  ///< users' signatures
  std::uint64_t other_checks = 0;    ///< a heartbeat's; none while there is work
  std::uint64_t messages = 0;        ///< sent, one for each receiver
  std::uint64_t bytes = 0;           ///< of their frames
  std::uint64_t commits = 0;         ///< transactions, if nothing is grouped
};

struct Arrival {
  Instant at;
  Input input;
};

/// n members of stake 1 with development keys.
[[nodiscard]] Genesis make_members(std::size_t count, const SignatureScheme& scheme, const Parameters& parameters);
[[nodiscard]] Recovered fresh_member();

class Loopback {
 public:
  /// Both must outlive it. All are connected when it is made, and what they say on connecting is not counted.
  Loopback(const Genesis& genesis, const SignatureScheme& scheme);
  ~Loopback();

  /// Checked and handed to that node's core.
  void submit(NodeId node, const RequestPtr& request);
  /// Until nothing is under way.
  void run();

  [[nodiscard]] const SigningDomain& domain() const;
  [[nodiscard]] const Work& work_of(NodeId node) const;
  /// Hops from `submit` to finality at that node, of the requests that were final there since the last call.
  [[nodiscard]] std::vector<std::uint64_t> take_hops(NodeId node);
  [[nodiscard]] Index finalised(NodeId node) const;
  /// Every input that this node's core had, from its first on.
  [[nodiscard]] const std::vector<Arrival>& inputs_of(NodeId node) const;

 private:
  struct Node;
  struct Parcel {
    Instant at;
    NodeId from, to;
    MessagePtr message;
  };
  Node& node(NodeId id) { return *nodes_[id.value]; }
  void step(Node& at, Input input);
  void transmit(Node& from, const Send& send);
  void hear(const Parcel& parcel);

  const Genesis& genesis_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::deque<Parcel> wire_;  ///< in the order of arrival, as all take the same time
  Instant now_{1'000'000};
};

}  // namespace zell::bench
