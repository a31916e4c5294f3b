// The normal case: proposals, votes, certificates, finality.

#include "node/base/check.h"
#include "node/consensus/replica_impl.h"

namespace zell {
namespace {

constexpr std::size_t max_recent_final = 256;

}  // namespace

void Replica::Impl::receive(NodeId from, const Proposal& proposal) {
  if (proposal.lc) on_certificate(*proposal.lc, from);
  if (proposal.fc) on_certificate(*proposal.fc, from);
  const auto& header = proposal.header;
  if (header.view < state.view) return answer_old_view(from);
  if (genesis.leader(header.view) == self) {  // our own, relayed
    if (header.view > state.view || header.end.index > log.tip().index)
      forgot("now a learner: a proposal of its own is unknown here, so its data is an old copy");
    return;
  }
  if (header.view == state.view && state.active) {
    if (auto evidence = watch.saw_header(header)) {
      report_evidence(evidence, leader());
      return challenge(Reason::equivocation, evidence);
    }
    if (header.end.index <= log.tip().index) {
      // Sent again: the leader misses our votes.
      if (from == leader() && log.on_chain(header.end)) resend_votes(from);
      return;
    }
    pace.heard_leader(now);
  }
  // Early ones are held: 2 W of them, the lowest ones kept. A proposal of a view further ahead than the next comes
  // again.
  if (header.view.value > state.view.value + 1) return;
  // A copy that someone else changed on the way must not keep out the leader's own.
  if (from == genesis.leader(header.view)) {
    held.insert_or_assign({header.view, header.first}, proposal);
  } else {
    held.try_emplace({header.view, header.first}, proposal);
  }
  if (held.size() > 2 * parameters.batches_in_flight) held.erase(std::prev(held.end()));
}

void Replica::Impl::drain_held() {
  std::erase_if(held, [&](const auto& item) {
    return item.first.first < state.view ||
           (item.first.first == state.view && state.active && item.second.header.end.index <= log.tip().index);
  });
  if (!state.active || !base_reached()) return;
  while (log.unfinalised_count() < parameters.batches_in_flight) {
    auto next = held.find({state.view, log.tip().index.next()});
    if (next == held.end()) return;
    auto proposal = std::move(next->second);
    held.erase(next);
    follow(proposal);
  }
}

void Replica::Impl::follow(const Proposal& proposal) {
  auto batch = std::make_shared<Batch>(Batch{proposal.header, proposal.requests, 0});
  for (const auto& request : *batch->requests)
    batch->request_bytes += static_cast<std::uint32_t>(request->canonical.size());
  auto verdict = log.check(*batch);
  if (verdict.fit == OrderedLog::Fit::wrong_parent || verdict.fit == OrderedLog::Fit::wrong_root) {
    return note("bodies do not yield the signed root", leader());  // anyone on the way could have changed them
  }
  if (!proposal.first_bad && verdict.fit == OrderedLog::Fit::ok) {
    append(batch);
    return lock_tip();
  }
  InvalidProposal proof{proposal.header, log.tip_range(), proposal.requests, 0, nullptr, {}, {}};
  if (proposal.first_bad) {
    proof.position = *proposal.first_bad;
  } else {
    proof.position = verdict.position;
    const auto& bad = *(*proposal.requests)[verdict.position];
    for (std::uint32_t i = 0; i < verdict.position; ++i) {
      const auto& earlier = (*proposal.requests)[i];
      if (earlier->sender != bad.sender || earlier->nonce != bad.nonce) continue;
      proof.earlier = earlier;
      proof.earlier_index = {proposal.header.first.value + i};
    }
    // A nonce taken further back: every correct node sees it for itself in its own log, and challenges.
    if (!proof.earlier) return challenge(Reason::invalid_proposal);
  }
  auto evidence = std::make_shared<const Evidence>(std::move(proof));
  report_evidence(evidence, leader());
  challenge(Reason::invalid_proposal, evidence);
}

void Replica::Impl::append(const BatchPtr& batch) {
  log.append(batch);
  delta.dropped.erase(batch->header.end);
  delta.batches.push_back(batch);
  change_state();
  proposed_in_view += batch->count();
  appended_at = now;
  requests_appended(*batch);
  check_censorship(*batch);
}

void Replica::Impl::lock_tip() {
  LogPoint tip = log.tip();
  if (!may_lock(state, log, tip).empty()) return;
  change_state().last_lock = tip;
  vote(Phase::lock, tip);
}

void Replica::Impl::vote(Phase phase, const LogPoint& point) {
  send_durable(Send::To::one, leader(), Vote{phase, state.view, point, self, {}}, true);
}

void Replica::Impl::resend_votes(NodeId to) {
  if (!may_sign()) return;
  if (state.last_lock) send_durable(Send::To::one, to, Vote{Phase::lock, state.view, *state.last_lock, self, {}}, true);
  if (state.last_final)
    send_durable(Send::To::one, to, Vote{Phase::final, state.view, *state.last_final, self, {}}, true);
}

void Replica::Impl::receive(NodeId from, const Vote& vote) {
  if (vote.phase == Phase::final) watch.saw_final(vote);
  if (vote.view < state.view) return answer_old_view(from);
  if (vote.view != state.view || !leading()) return;
  if (const auto* other = votes.conflicting(vote)) {
    return report_evidence(std::make_shared<Evidence>(TwoVotes{*other, vote, {}, {}}), vote.signer);
  }
  // Only points that this leader proposed (or its base) are counted: that bounds the tallies.
  if (!log.range_at(vote.point)) return;
  auto certificate = votes.add(vote);
  if (!certificate) return;
  votes.forget_through(certificate->phase, {certificate->point.index.value - 1});
  send_now(Send::To::others, self, CertificateMessage{*certificate});
  on_certificate(*certificate, self);
}

void Replica::Impl::receive(NodeId from, const CertificateMessage& message) {
  on_certificate(message.certificate, from);
}

void Replica::Impl::on_certificate(const Certificate& certificate, NodeId from) {
  if (forgot_own_vote(certificate))
    forgot("now a learner: a vote of its own is unknown here, so its data is an old copy");
  if (certificate.phase == Phase::lock) {
    on_lock_certificate(certificate, from);
  } else {
    on_finality_certificate(certificate, from);
  }
}

bool Replica::Impl::forgot_own_vote(const Certificate& certificate) const {
  if (state.standing == Standing::learner || !certificate.has_signer(self)) return false;
  if (certificate.view != state.view) return certificate.view > state.view;
  const auto& last = certificate.phase == Phase::lock ? state.last_lock : state.last_final;
  return !last || certificate.point.index > last->index;
}

void Replica::Impl::on_lock_certificate(const Certificate& certificate, NodeId from) {
  if (certificate.view < state.view) return;
  if (certificate.view > state.view || !state.active) {
    enter(certificate.view, certificate.point, {std::make_shared<const Message>(CertificateMessage{certificate})});
  }
  if (certificate.point.index <= log.finalised().index) return;
  if (newest_lc && newest_lc->point.index >= certificate.point.index) return;
  if (log.range_at(certificate.point)) return hold_lock(certificate);
  if (pending_lc && pending_lc->point.index >= certificate.point.index) return;
  pending_lc = certificate;
  want(certificate.point, from);
}

void Replica::Impl::hold_lock(const Certificate& certificate) {
  Index before = newest_lc ? newest_lc->point.index : state.base.index;
  newest_lc = certificate;
  if (!state.highest_lc || certificate.rank() > state.highest_lc->rank()) change_state().highest_lc = certificate;
  if (state.standing == Standing::rejoined && certificate.view >= state.rejoin_view) {
    change_state().standing = Standing::member;
  }
  if (may_final(state, log, certificate).empty()) {
    change_state().last_final = certificate.point;
    vote(Phase::final, certificate.point);
  }
  if (pool.count() == 0) return;
  for (const auto& batch : log.unfinalised()) {
    if (batch->header.end.index <= before || batch->header.end.index > certificate.point.index) continue;
    auto index = batch->header.first;
    for (const auto& request : *batch->requests) {
      const auto* entry = pool.find(request->id);
      if (entry && entry->submitted) update(request->id, RequestState::locked, index);
      index = index.next();
    }
  }
}

void Replica::Impl::on_finality_certificate(const Certificate& certificate, NodeId from) {
  if (auto found = at_odds(certificate)) return receive(self, *found);
  bool news = !known_fc || certificate.point.index > known_fc->point.index;
  if (certificate.view > state.view || (certificate.view == state.view && !state.active)) {
    enter(certificate.view, certificate.point, {std::make_shared<const Message>(CertificateMessage{certificate})});
  }
  if (!news) return check_older_finality(certificate);
  recent_final[certificate.point.index] = certificate;
  if (recent_final.size() > max_recent_final) recent_final.erase(recent_final.begin());
  for (const auto& signer : certificate.signatures) {
    watch.saw_final({Phase::final, certificate.view, certificate.point, signer.node, signer.signature});
    const auto* change = changes.of(signer.node);
    if (!change) continue;
    if (auto evidence = watch.saw_change(change->signed_part)) report_evidence(evidence, signer.node);
  }
  known_fc = certificate;
  pace.progressed(now);
  if (log.range_at(certificate.point)) return finalise(certificate);
  want(certificate.point, from);
}

std::optional<Conflict> Replica::Impl::at_odds(const Certificate& certificate) const {
  auto recent = recent_final.find(certificate.point.index);
  if (recent == recent_final.end() || recent->second.point.root == certificate.point.root) return std::nullopt;
  return Conflict{recent->second, certificate, certificate.point.root, {}};
}

/// The log below what is final is in the store, so whoever reads it compares. Any peer can show old certificates, true
/// ones too: one at a time.
void Replica::Impl::check_older_finality(const Certificate& certificate) {
  if (certificate.point.index >= log.finalised().index || recent_final.contains(certificate.point.index)) return;
  if (now - finality_checked_at < std::chrono::milliseconds(20)) return;
  finality_checked_at = now;
  out->checks.push_back({certificate});
}

void Replica::Impl::receive(NodeId, const Conflict& found) {
  if (!stopped_code.empty()) return;
  // Who signed both FINALs in one view is guilty by name.
  for (const auto& one : found.a.signatures) {
    if (found.a.view != found.b.view) break;
    for (const auto& other : found.b.signatures) {
      if (one.node != other.node) continue;
      Vote a{Phase::final, found.a.view, found.a.point, one.node, one.signature};
      Vote b{Phase::final, found.b.view, found.b.point, other.node, other.signature};
      report_evidence(std::make_shared<Evidence>(TwoVotes{a, b, found.consistency, found.b_root_at_a}), one.node);
    }
  }
  conflict = delta.conflict = std::make_shared<const Message>(found);
  out->sends.push_back({Send::To::others, self, conflict, false, 0});
  stop_for_conflict();
}

void Replica::Impl::stop_for_conflict() {
  const auto& found = std::get<Conflict>(*conflict);
  stop("safety-violation", "two finality certificates conflict, of views " + std::to_string(found.a.view.value) +
                               " and " + std::to_string(found.b.view.value) + ", at index " +
                               std::to_string(found.a.point.index.value) +
                               ": a third of the stake or more is faulty. Both are kept");
}

void Replica::Impl::finalise(const Certificate& certificate) {
  for (const auto& batch : log.finalise(certificate.point)) {
    requests_finalised(*batch);
    out->events.push_back(Finalised{batch});
  }
  rounds.finalised(certificate.point.index, now);
  if (!lazy_fc) fc_alone_at = now + fc_patience;
  finality = lazy_fc = certificate;
  // With its bodies here an FC counts as an LC. It may be told at once: its signers have stored what it covers.
  if (!state.highest_lc || certificate.rank() > state.highest_lc->rank()) state.highest_lc = certificate;
  if (certificate.view == state.view && (!newest_lc || newest_lc->point.index < certificate.point.index)) {
    newest_lc = certificate;
  }
  if (state.standing == Standing::rejoined && certificate.view >= state.rejoin_view) state.standing = Standing::member;
  watch.forget_through(log.finalised().index);
  votes.forget_through(Phase::lock, log.finalised().index);
  votes.forget_through(Phase::final, log.finalised().index);
  tidy_side();
}

/// Brings `point` onto the chain if its bodies are here.
bool Replica::Impl::reach(const LogPoint& point) {
  if (log.range_at(point) || cut_at(point)) return true;
  if (!log.known(point)) return false;
  switch_chain(point);
  return stopped_code.empty();
}

void Replica::Impl::follow_finality() {
  if (known_fc && known_fc->point.index > log.finalised().index && reach(known_fc->point)) {
    finalise(Certificate(*known_fc));
  }
}

void Replica::Impl::follow_lock() {
  if (!pending_lc || !stopped_code.empty()) return;
  ZELL_CHECK(state.active && pending_lc->view == state.view);
  if (pending_lc->point.index <= log.finalised().index) {
    pending_lc.reset();
    return;
  }
  if (!base_reached()) return;
  // An LC of this view that is longer than our last LOCK takes its place, even on another branch.
  bool longer = !state.last_lock || pending_lc->point.index > state.last_lock->index;
  bool shorter_here = log.range_at(pending_lc->point) != nullptr;
  if ((shorter_here || longer) && reach(pending_lc->point)) {
    auto certificate = *std::exchange(pending_lc, std::nullopt);
    if (!newest_lc || certificate.point.index > newest_lc->point.index) hold_lock(certificate);
  }
}

/// What is certified it takes. But above the base of the view that it leads all is its own: it must not propose for one
/// place twice. (What contradicts the base itself is no word of its own.)
void Replica::Impl::contradicted_by(const LogPoint& certified) {
  if (!state.active || leader() != self || certified.index <= state.base.index) return;
  forgot("now a learner: a certificate contradicts what it proposed, so its data is an old copy");
}

/// Whether `point` is inside a batch here that someone else cut: then it is cut there as well.
bool Replica::Impl::cut_at(const LogPoint& point) {
  const auto parts = log.split_at(point);
  for (const auto& part : parts) {
    delta.dropped.erase(part->header.end);
    delta.batches.push_back(part);
  }
  if (parts.empty()) return false;
  change_state();
  contradicted_by(point);
  return true;
}

void Replica::Impl::switch_chain(const LogPoint& target) {
  auto before = log.unfinalised();
  if (!log.switch_to(target)) {
    return stop("safety-violation", "a certified log breaks the nonce rule: a third of the stake or more is faulty");
  }
  change_state();
  // What it voted for in this view stays an end: the next vote must extend it.
  for (const auto& point : {state.base, state.last_lock.value_or(state.base), state.last_final.value_or(state.base)}) {
    (void)cut_at(point);
  }
  if (state.last_lock && !log.on_chain(*state.last_lock)) contradicted_by(target);
  std::vector<BatchPtr> cut;
  for (const auto& batch : before) {
    if (!log.range_at(batch->header.end)) cut.push_back(batch);
  }
  for (const auto& batch : log.unfinalised()) {
    delta.dropped.erase(batch->header.end);
    requests_appended(*batch);
  }
  requests_cut(cut);
  // What a cut batch kept from being proposed is fresh again, or it is something on this branch that does.
  revisit_blocked();
  for (auto* entry : pool.blocked_entries()) entry->blocked_at = log.tip().index;
  tidy_side();
}

void Replica::Impl::tidy_side() {
  std::vector<LogPoint> wanted{state.base};
  if (state.highest_lc) wanted.push_back(state.highest_lc->point);
  if (pending_lc) wanted.push_back(pending_lc->point);
  if (known_fc) wanted.push_back(known_fc->point);
  for (const auto& [target, wish] : wants) wanted.push_back(target);
  for (const auto* change : changes.for_view(state.view)) wanted.push_back(change->signed_part.lock.point);
  const auto forgotten = log.forget_side_except(wanted);
  if (forgotten.empty()) return;
  std::erase_if(delta.batches, [&](const BatchPtr& batch) { return forgotten.contains(batch->header.end); });
  delta.dropped.insert(forgotten.begin(), forgotten.end());
}

/// What this node signs it stores first. Something of its own that it does not remember comes from a life after this
/// one: its data folder is an old copy.
void Replica::Impl::forgot(std::string_view what) {
  if (state.standing == Standing::learner) return;
  change_state().standing = Standing::learner;
  own_challenge.reset();
  view_answers.clear();
  drop_unsigned();
  note(what, self);
}

void Replica::Impl::report_evidence(EvidencePtr evidence, NodeId guilty) {
  if (guilty == self || !watch.is_new(*evidence, guilty)) return;
  note("evidence of misbehaviour", guilty);
  delta.evidence.push_back(std::move(evidence));
  change_state();
}

void Replica::Impl::receive(NodeId from, const Heartbeat& heartbeat) {
  if (heartbeat.lc) on_certificate(*heartbeat.lc, from);
  if (heartbeat.fc) on_certificate(*heartbeat.fc, from);
  if (heartbeat.view < state.view) return answer_old_view(from);
  if (heartbeat.view > state.view || !state.active) {
    if (allow_answer(from, news_sent, std::chrono::milliseconds(50))) {
      send_now(Send::To::one, from, Fetch{Fetch::Kind::new_view, heartbeat.view, {}, {}});
    }
    return;
  }
  if (leader() == self || heartbeat.counter <= heard_counter) return;
  heard_counter = heartbeat.counter;
  last_heartbeat = heartbeat;
  pace.heard_leader(now);
  if (heartbeat.tip.index > log.tip().index && now >= awaited_until(heartbeat.tip)) ask_leader();
  bool votes_missed = (state.last_lock && (!heartbeat.lc || heartbeat.lc->point.index < state.last_lock->index)) ||
                      (state.last_final && (!heartbeat.fc || heartbeat.fc->point.index < state.last_final->index));
  if (votes_missed) resend_votes(leader());
  // What is final here is not voted on again: a leader that missed its certificate must get that.
  bool fc_missed = known_fc && (!heartbeat.fc || heartbeat.fc->point.index < known_fc->point.index);
  if (fc_missed) send_now(Send::To::one, leader(), CertificateMessage{*known_fc});
}

}  // namespace zell
