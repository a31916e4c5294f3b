#pragma once
// What must hold in every scenario, after every step, whatever the scenario shows; and what it went through. It watches
// what honest members sign and call final, and every certificate that anyone makes. A broken rule throws Violation.

#include "tests/scenarios/cluster.h"
#include "tests/simulation/checks.h"

namespace zell::scenarios {

class Watch : public Observer {
 public:
  Watch(const Genesis& genesis, std::set<NodeId> faulty);

  /// From now on nothing is expected of this member, and evidence may name it.
  void distrust(NodeId member) { faulty_.insert(member); }
  void submitted(const RequestPtr& request) { checks_.submitted(request); }
  /// Every finality certificate that was ever made lies on the one history that honest members call final.
  void check_all_finality_certificates() const;

  [[nodiscard]] Index highest_final() const { return {log_.size()}; }
  [[nodiscard]] Index final_of(NodeId member) const { return checks_.final_of(member); }
  [[nodiscard]] bool is_final(const RequestId& id) const { return checks_.is_final(id); }
  [[nodiscard]] bool honest(NodeId member) const { return !faulty_.contains(member); }

  // ---- What it went through
  [[nodiscard]] bool two_locks_at_one_index() const;
  [[nodiscard]] bool finalised_in(View view) const { return final_views_.contains(view); }
  [[nodiscard]] bool crossed_with_a_lock() const { return crossed_; }
  [[nodiscard]] bool some_lock_outranked_base() const { return outranked_; }
  [[nodiscard]] bool found_evidence() const { return evidence_; }

  void sent(const Process& from, const Message& message, bool signs, const std::vector<ProcessId>& to) override;
  void happened(const Process& process, const Event& event) override;
  void refused(const Process& from, const Process& to, const Packet& packet) override;
  void started(const Process& process, const Recovered& recovered) override;

 private:
  void saw_certificate(const Certificate& certificate);
  /// A third of the stake or more: nothing is promised then.
  [[nodiscard]] bool too_many_faulty() const;

  const Genesis& genesis_;
  simulation::Checks checks_;
  std::set<NodeId> faulty_;
  std::vector<Hash> log_;                       ///< leaves of what honest members call final
  std::map<Index, std::set<Hash>> lock_roots_;  ///< of lock certificates
  std::map<Index, Hash> final_roots_;           ///< of finality certificates
  std::set<View> final_views_;
  std::map<NodeId, Rank> highest_locks_;  ///< as durable when last seen
  bool crossed_ = false, outranked_ = false, evidence_ = false;
};

}  // namespace zell::scenarios
