#pragma once
// From a peer's frame to a message that the core may see: decoded and checked on the pool, in order, within a budget.

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "node/runtime/work_pool.h"
#include "node/wire/codec.h"
#include "node/wire/verifier.h"

namespace zell {

/// What one peer may have waiting to be checked. Past either, its connection is not read until half of it is done; the
/// one frame that went past may be as long as a frame can be.
inline constexpr std::size_t inbound_bytes_per_peer = 8u << 20;
inline constexpr std::size_t inbound_frames_per_peer = 1'024;

/// Loop thread only.
class Inbound {
 public:
  struct Outlets {
    std::function<void(NodeId from, VerifiedMessage message)> deliver;
    std::function<void(NodeId from, const Error& why)> refuse;
    std::function<void(NodeId from)> pause, resume;
  };
  /// `pool` and `verifier` outlive it. `self` is this node: it checks its share of the signatures in proposals.
  Inbound(WorkPool& pool, const Verifier& verifier, NodeId self, Outlets outlets);

  /// Messages of one peer and lane are delivered in the order of their frames; a lane's never wait for another's.
  void on_frame(NodeId from, Bytes body);
  /// A new connection is read from the start, but what the last one left here still counts.
  void on_peer_up(NodeId node);

 private:
  struct Entry {
    std::size_t bytes = 0;
    std::optional<Result<VerifiedMessage>> result;  ///< the pool's until `ready`
    bool ready = false;
  };
  using EntryPtr = std::shared_ptr<Entry>;
  struct Peer {
    std::array<std::deque<EntryPtr>, 3> lanes;  ///< by Lane
    std::size_t bytes = 0, frames = 0;
    bool paused = false;
  };
  void check(Entry& entry, ByteView body) const;
  void check_here(NodeId from, ByteView body);
  void hand_over(NodeId from, Entry& entry);
  void deliver_ready(NodeId from, Lane lane);

  WorkPool& pool_;
  const Verifier& verifier_;
  const NodeId self_;
  Outlets outlets_;
  DecodeContext context_;
  std::vector<Peer> peers_;
};

/// The lane of an encoded message, by its type; normal if there is no such type.
[[nodiscard]] Lane lane_of_frame(ByteView body);

}  // namespace zell
