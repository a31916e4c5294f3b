#pragma once
// Feeds the consensus core and carries out what it wants: the one place where a Send is signed and leaves.

#include <deque>
#include <functional>
#include <memory>

#include "node/consensus/replica.h"
#include "node/crypto/keys.h"
#include "node/runtime/hold_queue.h"
#include "node/storage/storage_thread.h"
#include "node/transport/uv_handles.h"

namespace zell {

using FramePtr = std::shared_ptr<const Bytes>;  ///< an encoded message, shared by all who get it

/// Loop thread only.
class Driver {
 public:
  struct Outlets {
    std::function<void(std::vector<StorageThread::Commit>)> commit;
    std::function<bool(NodeId)> connected;
    std::function<void(NodeId, Lane, FramePtr)> send;
    std::function<void(const ServeLog&)> serve;
    std::function<void(const CheckFinality&)> check;
    std::function<void(const Event&)> event;
    std::function<void(const ReplicaStatus&)> progress;  ///< after a run of steps
    std::function<void(Index)> stored_final;             ///< the finality certificate of this index is on disk
  };
  /// `verifier` outlives it; `secret` is this member's.
  Driver(uv_loop_t& loop, const HandleCountPtr& handles, const Verifier& verifier, NodeId self, const SecretKey& secret,
         const SignatureScheme& scheme, Replica replica, Outlets outlets);

  /// Steps the core with it, and with all that follows from it inside this node. From within an outlet: later.
  void feed(Input input);
  /// The store's answers.
  void committed(PersistId id);
  void commit_failed(const std::string& why);
  /// The core sees nothing from now on. What it had decided and is on its way to the disk still goes out once it is
  /// there.
  void stop();

  [[nodiscard]] const Replica& replica() const { return replica_; }
  [[nodiscard]] static Instant now();

 private:
  void pump();
  void carry_out(Effects effects);
  [[nodiscard]] std::vector<NodeId> connected_receivers(const Send& send) const;
  [[nodiscard]] bool is_to_self(const Send& send) const;
  [[nodiscard]] bool has_receiver(const Send& send) const;
  void sign(Send& send);
  void transmit(Send send);
  void set_timer();

  uv_loop_t& loop_;
  const Verifier& verifier_;
  const NodeId self_;
  const SecretKey secret_;
  const SignatureScheme& scheme_;
  Replica replica_;
  Outlets outlets_;
  HoldQueue hold_;
  std::deque<Input> inputs_;
  std::deque<std::pair<PersistId, Index>> certificates_;  ///< persists that carry one, not durable yet
  std::optional<Instant> wake_at_;
  Timer timer_;
  bool pumping_ = false, stopped_ = false;
};

}  // namespace zell
