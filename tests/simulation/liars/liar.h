#pragma once
// A node that lies: it runs a real core, and what it sends and hears is changed on the way. Its methods by role:
//   liar.cpp      what it does with each message that its core sends or should hear
//   leading.cpp   the lies of a leader: proposals, certificates, heartbeats
//   voting.cpp    the lies of a follower: votes, locks, challenges, view changes
//   noise.cpp     what anyone can say: old, forged, foreign, far ahead, too much

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/liars/gang.h"
#include "tests/simulation/plan.h"

namespace zell::simulation {

class Liar {
 public:
  Liar(const Plan& plan, const LiarPlan& self, std::shared_ptr<Gang> gang);

  /// What it sends to `to` instead of `truth`: nothing, the truth, a lie, or more.
  void tell(const MessagePtr& truth, NodeId to, std::vector<Told>& out);
  /// What its core hears of this message: the message itself, a part, or nothing (null).
  [[nodiscard]] MessagePtr hear(const MessagePtr& message, NodeId from);
  /// What it says of its own accord, after it heard something.
  void speak_up(std::vector<Told>& out);
  /// Lies told, by behaviour.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& told() const { return told_; }

 private:
  using Out = std::vector<Told>;
  [[nodiscard]] bool does(Behaviour behaviour) const { return behaviours_[static_cast<std::size_t>(behaviour)]; }
  [[nodiscard]] bool now_and_then(Behaviour behaviour, std::uint32_t per_million) {
    return does(behaviour) && gang_->random.chance(per_million);
  }
  void lied(Behaviour behaviour) { ++told_[std::string(to_string(behaviour))]; }
  [[nodiscard]] MessagePtr signed_lie(Message message) const {
    return std::make_shared<const Message>(gang_->sign(std::move(message), self_));
  }
  [[nodiscard]] bool leads(View view) const { return genesis_.leader(view) == self_; }
  void to_all(const MessagePtr& message, Out& out) const;
  [[nodiscard]] MessagePtr disguise(const MessagePtr& message);
  [[nodiscard]] Requests without_censored(const Requests& requests) const;

  // ---- leading.cpp
  [[nodiscard]] bool keeps_silent(const Message& truth, NodeId to);
  void tell_proposal(const MessagePtr& truth, NodeId to, Out& out);
  [[nodiscard]] MessagePtr invalid(const Proposal& truth);
  [[nodiscard]] Requests spoil(Requests requests);
  [[nodiscard]] MessagePtr wrong_bodies(const Proposal& truth);
  [[nodiscard]] MessagePtr oversized(const Proposal& truth);
  void tell_certificate(const MessagePtr& truth, NodeId to, Out& out);
  void tell_heartbeat(const MessagePtr& truth, NodeId to, Out& out);
  void tell_new_view(const MessagePtr& truth, NodeId to, Out& out);
  [[nodiscard]] MessagePtr second_new_view(const NewView& truth);
  [[nodiscard]] MessagePtr bad_new_view(NewView lie);

  // ---- voting.cpp
  void tell_vote(const MessagePtr& truth, NodeId to, Out& out);
  void tell_view_change(const MessagePtr& truth, NodeId to, Out& out);
  void vote_early(const Proposal& proposal);
  void challenge_falsely(Out& out);
  [[nodiscard]] EvidencePtr evidence_of_nothing(Reason reason) const;

  // ---- noise.cpp
  void tell_chunk(const MessagePtr& truth, NodeId to, Out& out);
  void make_noise(Out& out);
  [[nodiscard]] MessagePtr forged_certificate();
  [[nodiscard]] MessagePtr foreign_message();
  [[nodiscard]] MessagePtr far_future_message();
  [[nodiscard]] MessagePtr too_many_requests();

  LiarPlan plan_;
  Behaviours behaviours_;
  NodeId self_;
  std::shared_ptr<Gang> gang_;
  const Genesis& genesis_;
  PublicKey censored_;
  View view_;                                             ///< the newest that it heard of
  View challenged_;                                       ///< falsely, last
  std::map<View, NodeId> shown_;                          ///< views in which it showed a certificate to one node
  std::map<std::pair<View, LogPoint>, MessagePtr> lies_;  ///< by the true proposal that they stand for
  std::vector<Told> pending_;                             ///< to be said when it next speaks up
  std::map<std::string, std::uint64_t> told_;
};

}  // namespace zell::simulation
