#include "tests/simulation/observer.h"

#include <algorithm>

#include "tests/simulation/checks.h"

namespace zell::simulation {
namespace {

const std::string crossed = "view changes crossed with a lock held";
const std::string overridden = "locks overridden by a base";
const std::string censored_final = "requests finalised after a challenge called them censored";
const std::string caught_up = "catch-ups across a view change";
const std::string older_fc = "FCs accepted from an older view";
const std::string late_fc = "FCs accepted three views late";
const std::string hidden_crossed = "view changes crossed by a lock that one node alone held";
const std::string rejoined_among_liars = "rejoined learners while others lied";
const std::string restart_locked = "restarts in the middle of a view with a LOCK held";
const std::string evidence_kinds[] = {"evidence: two proposals", "evidence: two votes", "evidence: hidden lock",
                                      "evidence: invalid proposal"};

std::string challenge_for(Reason reason) {
  return "challenges: " + std::string(to_string(reason));
}

[[noreturn]] void violated(NodeId node, const std::string& what) {
  throw Violation("n" + std::to_string(node.value + 1) + " " + what);
}

}  // namespace

const std::vector<std::string>& required_situations() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> out = {
        crossed,
        hidden_crossed,
        overridden,
        censored_final,
        caught_up,
        older_fc,
        late_fc,
        restart_locked,
        rejoined_among_liars,
        "two LCs of one index, of different views",
        "crashes between a durable commit and its send",
        "commits lost in a crash",
        "commits that a crash left whole but unreported",
        "rejoined learners",
        "rotten disks refused",
        "requests refused: busy",
        "bad requests that others check",
        "requests left to the node that took them in",
        "lies: LCs of a second log",
        "lies: FCs of a second log",
        "runs: calm",
        "runs: with disks that power cuts tear",
        "runs: with users who never stop",
        "runs: watched for patience long after healing",
        "runs: with liars that collude",
    };
    out.insert(out.end(), std::begin(evidence_kinds), std::end(evidence_kinds));
    for (int reason = 1; reason <= 6; ++reason) out.push_back(challenge_for(static_cast<Reason>(reason)));
    for (const auto* fault :
         {"messages lost", "messages lost one way", "messages duplicated", "messages cut off in flight", "delay spikes",
          "partitions", "one-way partitions", "clogged links", "connections reset", "crashes",
          "crashes between two effects", "failed commits", "slow disks", "wiped disks", "restored old disks",
          "rotten disks", "power cuts in the middle of a commit", "clocks that jump", "paused processes"}) {
      out.push_back(std::string("faults: ") + fault);
    }
    for (std::size_t i = 0; i < behaviour_count; ++i) {
      out.push_back("lies: " + std::string(to_string(static_cast<Behaviour>(i))));
    }
    return out;
  }();
  return all;
}

void Observer::started(NodeId node, const Recovered& recovered) {
  const auto& state = recovered.state;
  Index final = recovered.fc ? recovered.fc->point.index : Index{};
  if (state.active && state.last_lock && state.last_lock->index > final) ++seen_[restart_locked];
  nodes_[node.value] = {state.view, recovered.fc ? recovered.fc->view : View{}, final,
                        state.standing == Standing::learner};
}

void Observer::rejoined() {
  ++seen_["rejoined learners"];
  if (!plan_.liars.empty()) ++seen_[rejoined_among_liars];
}

void Observer::stepped(NodeId node, const Input& input, const Replica& replica, const Effects& effects, Instant now) {
  auto status = replica.status();
  auto& known = nodes_[node.value];
  check_finality(input, replica, status, known);
  check_events(node, effects, now);
  check_bounds(node, status, effects);
  check_evidence(node, effects);
  known.view = status.view;
  known.learns = status.standing == Standing::learner;
}

void Observer::check_finality(const Input& input, const Replica& replica, const ReplicaStatus& status, Known& known) {
  if (status.finalised.index <= known.finalised) return;
  View view = replica.finality()->view;
  if (view < status.view) ++seen_[older_fc];
  if (view.value + 3 <= status.view.value) ++seen_[late_fc];
  const auto* received = std::get_if<Received>(&input);
  bool by_chunk = received && std::holds_alternative<Chunk>(received->message->get());
  if (by_chunk && view > known.finality_view) ++seen_[caught_up];
  known.finalised = status.finalised.index;
  known.finality_view = view;
}

void Observer::check_events(NodeId node, const Effects& effects, Instant now) {
  for (const auto& event : effects.events) {
    if (const auto* challenge = std::get_if<Challenged>(&event)) {
      ++seen_[challenge_for(challenge->reason)];
      complained_ = std::max(complained_.value_or(challenge->view), challenge->view);
      auto what = "challenges an honest leader for " + std::string(to_string(challenge->reason));
      check_patience(node, challenge->view, what, now);
    } else if (const auto* update = std::get_if<RequestUpdate>(&event)) {
      if (update->state == RequestState::refused) ++seen_["requests refused: " + std::string(update->reason)];
    } else if (const auto* change = std::get_if<ViewChanged>(&event)) {
      View left{change->view.value - 1};
      // What honest nodes once said of a leader goes on counting.
      bool liars_did_it = !change->active && (!complained_ || left > *complained_);
      if (plan_.calm || liars_did_it) check_patience(node, left, "leaves the view of an honest leader", now);
    }
  }
}

/// A leader that is correct, and timely to all throughout its view, is never challenged by a correct node, nor
/// replaced.
void Observer::check_patience(NodeId node, View view, const std::string& what, Instant now) {
  if (plan_.calm) violated(node, what + " though nothing is wrong");
  if (!healed_ || !plan_.is_timely()) return;
  auto settled = 3 * std::chrono::milliseconds(genesis_.parameters.view_timeout_cap_ms);
  auto leader = genesis_.leader(view);
  if (now - *healed_ < settled || !plan_.accountable(leader) || nodes_[leader.value].learns) return;
  violated(node, what + ", that of view " + std::to_string(view.value) + ", long after all healed");
}

void Observer::check_bounds(NodeId node, const ReplicaStatus& status, const Effects& effects) {
  if (!status.stopped_code.empty()) return;
  const auto& limits = genesis_.parameters;
  if (status.pool_requests > pool_limit) violated(node, "holds more requests than its pool may");
  if (status.unfinalised_batches > 2 * limits.batches_in_flight) violated(node, "holds too long an unfinalised log");
  if (status.held_proposals > 2 * limits.batches_in_flight) violated(node, "holds too many early proposals");
  if (status.wants > 2 * max_members) violated(node, "wants too much at once");
  // What a certificate, a base, a ViewChange or a want leads to; each a log of at most this length.
  auto branches = genesis_.size() + 4 + status.wants;
  if (status.side_batches > branches * 4 * limits.batches_in_flight) violated(node, "keeps too many branches");
  std::size_t fetches = 0;
  for (const auto& send : effects.sends) {
    const auto* fetch = std::get_if<Fetch>(send.message.get());
    fetches += fetch && fetch->kind == Fetch::Kind::log;
    const auto* proposal = std::get_if<Proposal>(send.message.get());
    if (proposal && (proposal->requests->empty() || proposal->requests->size() > limits.batch_max_requests)) {
      violated(node, "proposes a batch of a size that is not allowed");
    }
  }
  // Each target once, and once more for what came meanwhile.
  if (fetches > 2 * (status.wants + genesis_.size())) violated(node, "asks for too much at once");
  most_.held_proposals = std::max(most_.held_proposals, status.held_proposals);
  most_.side_batches = std::max(most_.side_batches, status.side_batches);
  most_.wants = std::max(most_.wants, status.wants);
  most_.unfinalised_batches = std::max(most_.unfinalised_batches, status.unfinalised_batches);
}

void Observer::count_most() {
  seen_["most: early proposals held"] = most_.held_proposals;
  seen_["most: batches on other branches"] = most_.side_batches;
  seen_["most: targets wanted"] = most_.wants;
  seen_["most: unfinalised batches"] = most_.unfinalised_batches;
}

void Observer::check_evidence(NodeId node, const Effects& effects) {
  for (const auto& persist : effects.persists) {
    for (const auto& evidence : persist.delta.evidence) {
      ++seen_[evidence_kinds[evidence->index()]];
      if (!plan_.check_signatures) continue;
      auto guilty = verifier_.check_evidence(*evidence);
      if (!guilty.ok()) violated(node, "keeps evidence that proves nothing: " + guilty.error().what);
      if (plan_.accountable(*guilty))
        violated(node, "keeps evidence against an honest node: " + evidence_kinds[evidence->index()]);
    }
  }
}

void Observer::new_view(const NewView& news, Index highest_final,
                        const std::vector<std::optional<Certificate>>& locks) {
  if (news.base.point.index > highest_final) ++seen_[crossed];
  auto holders =
      std::count_if(locks.begin(), locks.end(), [&](const auto& lock) { return lock && lock->lock() == news.base; });
  if (holders == 1) ++seen_[hidden_crossed];
  for (const auto& lock : locks) {
    if (lock && lock->rank() > news.base.rank() && lock->point != news.base.point) ++seen_[overridden];
  }
}

void Observer::challenged(const Challenge& challenge) {
  for (const auto& request : challenge.censored) said_censored_.insert(request->id);
}

void Observer::finalised(const Batch& batch) {
  if (said_censored_.empty()) return;
  for (const auto& request : *batch.requests) {
    if (said_censored_.erase(request->id) > 0) ++seen_[censored_final];
  }
}

}  // namespace zell::simulation
