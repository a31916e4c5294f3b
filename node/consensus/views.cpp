// Challenges, view changes, and entering a view.

#include <algorithm>

#include "node/base/check.h"
#include "node/consensus/replica_impl.h"

namespace zell {
namespace {

constexpr std::size_t max_censored_bytes = 2 << 20;  // of a Challenge's requests, half of what the codec admits

void keep_what_fits(Requests& censored) {
  std::size_t count = 0, bytes = 0;
  while (count < censored.size() && count < max_requests_in_challenge && bytes < max_censored_bytes) {
    bytes += censored[count++]->canonical.size();
  }
  censored.resize(count);
}

}  // namespace

bool Replica::Impl::may_challenge() const {
  return may_sign() && !behind() && (state.active || changes.quorum_for(state.view));
}

void Replica::Impl::challenge(Reason reason, EvidencePtr evidence, Requests censored) {
  if (!may_challenge() || (leader() == self && reason != Reason::manual)) return;
  // Evidence adds to what was said before; an operator's word replaces what may be withdrawn again.
  bool adds = own_challenge &&
              ((evidence && !own_challenge->evidence) || (reason == Reason::manual && !own_challenge->evidence));
  if (own_challenge && !adds) return;
  keep_what_fits(censored);
  own_challenge = OwnChallenge{reason, std::move(evidence), std::move(censored), now, now};
  pace.complained();
  out->events.push_back(Challenged{state.view, reason});
  send_challenge();
}

void Replica::Impl::send_challenge() {
  own_challenge->sent_at = now;
  Challenge news{{self, state.view, own_challenge->reason, {}}, own_challenge->evidence, own_challenge->censored};
  send_durable(Send::To::all, self, std::move(news), true);
}

void Replica::Impl::receive(NodeId from, const Challenge& news) {
  const auto& statement = news.signed_part;
  if (statement.node == self && statement.view > state.view)
    forgot("now a learner: a challenge of its own is unknown here, so its data is an old copy");
  if (statement.view < state.view) return answer_old_view(from);
  challenges.add(statement);
  if (statement.view != state.view || statement.node == self) return;
  // Evidence against this very view's leader convinces every correct node by itself.
  if (news.evidence && view_of(*news.evidence) == state.view &&
      (std::holds_alternative<TwoProposals>(*news.evidence) ||
       std::holds_alternative<InvalidProposal>(*news.evidence))) {
    report_evidence(news.evidence, leader());
    challenge(statement.reason, news.evidence);
  }
  carry(from, news.censored);
}

void Replica::Impl::receive(NodeId, const ChallengeCertificate& certificate) {
  for (const auto& statement : certificate.challenges) challenges.add(statement);
}

void Replica::Impl::act_on_challenges() {
  auto challenged = challenges.challenged();
  if (challenged && *challenged >= state.view) move_to(challenged->next());
}

void Replica::Impl::leave_for(View view) {
  ZELL_CHECK(view > state.view);
  auto& durable_state = change_state();
  durable_state.view = view;
  durable_state.active = false;
  durable_state.last_lock.reset();
  durable_state.last_final.reset();
  votes.clear();
  queues.clear();
  pool.forget_forwarding(std::nullopt);
  watch.new_view();
  own_challenge.reset();
  pending_lc.reset();
  newest_lc.reset();
  rounds.forget_open();
  last_heartbeat.reset();
  heard_counter = 0;
  proposed_in_view = 0;
  base_to_reach = false;
  drop_unsigned();
  view_since = now;
  forget_wants();
  pace.moved(now);
}

void Replica::Impl::move_to(View view) {
  ChallengeCertificate proof{challenges.against({view.value - 1})};
  leave_for(view);
  auto message = std::make_shared<const Message>(std::move(proof));
  entry_proof = {message};
  delta.entry_proof = entry_proof;
  waiting_sends.push_back({Send::To::others, self, message, false, 0});
  send_view_change(Send::To::all, self);
  out->events.push_back(ViewChanged{view, leader(), false, {}});
}

void Replica::Impl::enter(View view, const LogPoint& base, std::vector<MessagePtr> proof) {
  if (view > state.view) leave_for(view);
  auto& durable_state = change_state();
  durable_state.active = true;
  durable_state.base = base;
  entry_proof = std::move(proof);
  delta.entry_proof = entry_proof;
  base_to_reach = true;
  last_signed_news = now;
  if (quorum_connected()) pace.start(now);
  out->events.push_back(ViewChanged{view, leader(), true, base.index});
  reach_base();
}

void Replica::Impl::reach_base() {
  if (!base_to_reach) return;
  const LogPoint base = state.base.index >= log.finalised().index ? state.base : log.finalised();
  if (!log.known(base) && !cut_at(base)) return want(base, leader(), true);
  // The log ends at the base, or at what is final by now: what follows is proposed anew in this view. Nothing that an
  // earlier leader proposed may stay above it: others than this node may have checked that.
  switch_chain(base);
  if (!stopped_code.empty()) return;
  const auto* news = entry_proof.empty() ? nullptr : std::get_if<NewView>(entry_proof.front().get());
  if (news && news->base_lc && (!state.highest_lc || news->base_lc->rank() > state.highest_lc->rank())) {
    state.highest_lc = news->base_lc;
  }
  base_to_reach = false;
  change_state();
  lock_base();
}

void Replica::Impl::lock_base() {
  if (state.last_lock || !may_lock(state, log, state.base).empty()) return;
  change_state().last_lock = state.base;
  vote(Phase::lock, state.base);
}

void Replica::Impl::send_view_change(Send::To to, NodeId node) {
  if (!may_sign() || !may_report_lock(state).empty()) return;
  change_state();  // the lock that it reports may have come with an FC that no commit holds yet
  change_sent_at = now;
  send_durable(to, node, ViewChange{{self, state.view, reported_lock(state), {}}, state.highest_lc, finality}, true);
}

void Replica::Impl::receive(NodeId from, const ViewChange& change) {
  if (change.fc) on_certificate(*change.fc, from);
  if (change.lc) on_certificate(*change.lc, from);
  const auto& statement = change.signed_part;
  if (statement.node == self && statement.view > state.view)
    return forgot("now a learner: a view change of its own is unknown here, so its data is an old copy");
  if (auto evidence = watch.saw_change(statement)) report_evidence(evidence, statement.node);
  if (statement.view < state.view) return answer_old_view(from);
  changes.add(change);
  if (statement.view == state.view && state.active && from == statement.node) answer_old_view(from);
}

/// Only the base's bodies are needed, and the base is the highest lock: a report that is no higher than one whose
/// bodies are here is complete without its own. (They may be nowhere: a lock that something final has outranked.)
std::vector<const ViewChange*> Replica::Impl::complete_changes() {
  const auto all = changes.for_view(state.view);
  std::optional<Rank> here;
  for (const auto* change : all) {
    const auto& lock = change->signed_part.lock;
    if ((lock.point.index.value == 0 || log.known(lock.point)) && (!here || lock.rank() > *here)) here = lock.rank();
  }
  std::vector<const ViewChange*> complete;
  for (const auto* change : all) {
    const auto& lock = change->signed_part.lock;
    if (here && lock.rank() <= *here) {
      complete.push_back(change);
    } else {
      want(lock.point, change->signed_part.node, true);
    }
  }
  return complete;
}

void Replica::Impl::try_new_view() {
  if (state.active || leader() != self || !may_sign()) return;
  const auto chosen = complete_changes();
  MemberSet complete;
  for (const auto* change : chosen) complete.set(change->signed_part.node.value);
  if (!genesis.is_quorum(complete)) return;
  const auto* highest = *std::max_element(chosen.begin(), chosen.end(), [](const auto* a, const auto* b) {
    return a->signed_part.lock.rank() < b->signed_part.lock.rank();
  });
  NewView news{state.view, highest->signed_part.lock, highest->lc, {}, {}};
  for (const auto* change : chosen) news.changes.push_back(change->signed_part);
  auto message = std::make_shared<const Message>(news);
  enter(state.view, news.base.point, {message});
  waiting_sends.push_back({Send::To::others, self, message, true, 0});
}

void Replica::Impl::receive(NodeId from, const NewView& news) {
  if (news.view < state.view) return answer_old_view(from);
  if (news.view == state.view && state.active) return;
  // It is stored before it is sent: it can't come from elsewhere.
  if (genesis.leader(news.view) == self)
    forgot("now a learner: a NewView of its own is unknown here, so its data is an old copy");
  if (news.base.point.index == log.finalised().index && news.base.point.root != log.finalised().root) {
    return note("a justified base contradicts what is final here: a third of the stake or more is faulty", from);
  }
  if (state.standing == Standing::learner) try_rejoin(news);
  enter(news.view, news.base.point, {std::make_shared<const Message>(news)});
}

std::optional<View> Replica::Impl::answered_view() const {
  MemberSet answered;
  View highest;
  for (const auto& [node, view] : view_answers) {
    answered.set(node.value);
    highest = std::max(highest, view);
  }
  if (!genesis.is_quorum(answered)) return std::nullopt;
  return highest;
}

void Replica::Impl::try_rejoin(const NewView& news) {
  const auto answered = answered_view();
  bool own_change =
      std::any_of(news.changes.begin(), news.changes.end(), [&](const auto& c) { return c.node == self; });
  if (!answered || news.view <= *answered || own_change) return;
  if (news.view > state.view) leave_for(news.view);
  auto& durable_state = change_state();
  durable_state.standing = Standing::rejoined;
  durable_state.rejoin_view = news.view;
  durable_state.highest_lc.reset();
  note("rejoined: votes again from this view on", self);
}

}  // namespace zell
