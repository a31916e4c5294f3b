#pragma once
// Clusters of bare cores, whose messages and commits a test carries by hand.

#include <deque>

#include "node/consensus/replica.h"
#include "node/crypto/keys.h"
#include "node/wire/request_codec.h"

namespace zell::consensus_test {

/// n members n1.. of these stakes, with development keys.
[[nodiscard]] Genesis make_genesis(const std::vector<std::uint64_t>& stakes);
/// Four equal members, none of whom challenges for ten minutes.
[[nodiscard]] Genesis patient_genesis();
[[nodiscard]] SecretKey member_secret(NodeId node);
[[nodiscard]] PublicKey some_key(std::uint8_t which);
/// A request that nobody signed: enough where signatures are not looked at.
[[nodiscard]] RequestPtr make_request(std::uint8_t sender, std::uint64_t nonce, std::uint8_t payload = 0,
                                      std::size_t payload_bytes = 1);
[[nodiscard]] Requests make_requests(std::uint8_t sender, std::uint64_t first_nonce, std::size_t count);
/// A batch of `view` that follows `parent`.
[[nodiscard]] BatchPtr make_batch(View view, const CompactRange& parent, Requests requests);
/// `range` with the batch's requests behind it.
[[nodiscard]] CompactRange after(CompactRange range, const Batch& batch);
[[nodiscard]] LogPoint point_of(const CompactRange& range);
/// A certificate without signatures that anyone would accept; the core takes what the verifier has checked.
[[nodiscard]] Certificate make_certificate(Phase phase, View view, const LogPoint& point,
                                           const std::vector<std::uint16_t>& signers);
[[nodiscard]] Proposal proposal_of(const Batch& batch);
[[nodiscard]] Recovered fresh_member();
/// A member on whose disk `batch` is final.
[[nodiscard]] Recovered member_with_final(const Batch& batch);

/// One core, driven by hand: nothing becomes durable, arrives or passes unless the test says so.
class Driven {
 public:
  Driven(const Genesis& genesis, NodeId self, Recovered recovered = fresh_member());

  /// Applies an input and keeps its effects: drop_held, persists, sends, events.
  void step(const Input& input);
  /// A message from `from`, taken as checked.
  void hear(NodeId from, Message message);
  void connect(std::size_t members);
  /// Everything that was persisted up to now becomes durable.
  void make_durable();
  void pass(Duration time) { now_ = now_ + time; }

  /// What may leave by now: sends whose Persist is durable. Each is given once.
  [[nodiscard]] std::vector<Send> released();
  /// The votes of this phase among `sends`.
  [[nodiscard]] static std::vector<Vote> votes(const std::vector<Send>& sends, Phase phase);
  [[nodiscard]] ReplicaStatus status() const { return replica_.status(); }
  [[nodiscard]] const Replica& core() const { return replica_; }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  /// Of the last Persist.
  [[nodiscard]] const Delta& persisted() const { return persisted_; }
  [[nodiscard]] const std::vector<CheckFinality>& checks() const { return checks_; }

 private:
  NodeId self_;
  Genesis genesis_;
  Verifier verifier_;
  Instant now_{1'000'000};
  Replica replica_;
  std::deque<Send> held_;
  PersistId last_ = 0, durable_ = 0;
  std::vector<Event> events_;
  Delta persisted_;
  std::vector<CheckFinality> checks_;
};

/// The messages of one kind that may leave once all is durable.
template <class Kind>
[[nodiscard]] std::vector<Kind> sent(Driven& node) {
  node.make_durable();
  std::vector<Kind> out;
  for (const auto& send : node.released()) {
    if (const auto* one = std::get_if<Kind>(send.message.get())) out.push_back(*one);
  }
  return out;
}

template <class Kind>
[[nodiscard]] std::vector<Kind> events(const Driven& node) {
  std::vector<Kind> out;
  for (const auto& event : node.events()) {
    if (const auto* one = std::get_if<Kind>(&event)) out.push_back(*one);
  }
  return out;
}

[[nodiscard]] bool noted(const Driven& node, std::string_view what);

}  // namespace zell::consensus_test
