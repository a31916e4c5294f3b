#pragma once
// The consensus core of one node.

#include <memory>

#include "node/consensus/io.h"
#include "node/consensus/nonces.h"

namespace zell {

/// Pure: no clock, no threads, no I/O, no randomness. The same inputs at the same times give the same effects.
/// Not thread-safe; owned by the loop thread.
class Replica {
 public:
  /// `genesis` must outlive it. `nonces`: after all finalised requests. The first step (a Tick) starts the timers.
  Replica(const Genesis& genesis, NodeId self, ReplicaOptions options, Recovered recovered, NonceWindows nonces);
  ~Replica();
  Replica(Replica&&) noexcept;

  /// Applies one input. The runtime carries out the effects: Persists in order, each Send once its Persist is durable,
  /// and hands Persisted back as an input.
  [[nodiscard]] Effects step(const Input& input, Instant now);

  [[nodiscard]] ReplicaStatus status() const;
  /// Sequenced but not yet final, in order.
  [[nodiscard]] std::vector<BatchPtr> unfinalised() const;
  /// Newest finality certificate whose log is here, if any.
  [[nodiscard]] std::optional<Certificate> finality() const;
  /// The nonces of status().finalised: a copy of all.
  [[nodiscard]] NonceWindows finalised_nonces() const;
  /// Those of the whole log as it is here.
  [[nodiscard]] const NonceWindows& nonces() const;
  /// State of a request that is not final: initialised, sequenced, locked, or unknown (it may be final: ask the store).
  [[nodiscard]] RequestUpdate lookup(const RequestId& id) const;
  /// The newest challenge of each member that is known here, in member order: who complained of which view, and why.
  [[nodiscard]] std::vector<SignedChallenge> challenges() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zell
