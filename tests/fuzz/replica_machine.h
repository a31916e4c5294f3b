#pragma once
// One honest node around a real core: its disk, what is held until it is durable, and the rules that it must keep
// whatever the others do. A broken rule throws simulation::Violation.

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "node/consensus/replica.h"
#include "node/storage/store.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/violation.h"

namespace zell::testing {

/// What is on disk contradicts itself, and the node refuses to start from it.
struct Unrecoverable : simulation::Violation {
  using simulation::Violation::Violation;
};

class ReplicaMachine {
 public:
  /// `genesis` and `verifier` must outlive it.
  ReplicaMachine(const Genesis& genesis, const Verifier& verifier, NodeId self, const SecretKey& secret,
                 Standing standing);

  void step(const Input& input);
  void pass(Duration time) { now_ = now_ + time; }
  /// Ticks until the core wants to be woken later than now: it must not want to be woken at once for ever.
  void tick();
  /// Commits the first `count` of what is on its way to the disk.
  void persist(std::size_t count);
  void fail_disk();
  /// The process dies: what is not on disk is lost. `wipe`: the disk too.
  void restart(bool wipe);

  [[nodiscard]] ReplicaStatus status() const { return replica_->status(); }
  [[nodiscard]] NodeId self() const { return self_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
  [[nodiscard]] Nonce32 asked_nonce() const { return options_.query_nonce; }
  /// All that it has signed and sent, in order.
  [[nodiscard]] const std::vector<Message>& signed_messages() const { return signed_; }
  /// What it called final since the last call.
  [[nodiscard]] std::vector<BatchPtr> take_finalised() { return std::exchange(finalised_, {}); }

 private:
  void start();
  void carry_out(Effects effects);
  void release();
  void transmit(const Send& send);
  void on_event(const Event& event);
  void check_finality(const Certificate& older);

  const Genesis& genesis_;
  const Verifier& verifier_;
  NodeId self_;
  const SecretKey& secret_;
  ReplicaOptions options_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<simulation::Checks> checks_;
  Instant now_{1'000'000};
  std::deque<Persist> in_flight_;
  std::deque<Send> held_;
  std::deque<Input> own_inputs_;  ///< what it says to itself
  DurableState durable_state_;
  PersistId durable_ = 0;
  std::optional<Instant> wake_at_;
  bool failed_ = false, stepping_ = false;
  std::vector<Message> signed_;
  std::vector<BatchPtr> finalised_;
};

}  // namespace zell::testing
