#include "node/consensus/replica.h"

#include "node/base/check.h"
#include "node/consensus/replica_impl.h"

namespace zell {

Replica::Replica(const Genesis& genesis, NodeId self, ReplicaOptions options, Recovered recovered, NonceWindows nonces)
    : impl_(std::make_unique<Impl>(genesis, self, std::move(options), std::move(recovered), std::move(nonces))) {}
Replica::~Replica() = default;
Replica::Replica(Replica&&) noexcept = default;

Effects Replica::step(const Input& input, Instant now) {
  return impl_->step(input, now);
}

Replica::Impl::Impl(const Genesis& genesis_in, NodeId self_in, ReplicaOptions options_in, Recovered recovered,
                    NonceWindows nonces)
    : genesis(genesis_in),
      self(self_in),
      parameters(genesis_in.parameters),
      options(std::move(options_in)),
      state(std::move(recovered.state)),
      entry_proof(std::move(recovered.entry_proof)),
      finality(recovered.fc),
      log(std::move(recovered.finalised), std::move(nonces)),
      pool(options),
      queues(genesis_in.parameters.forward_quota),
      votes(genesis_in),
      challenges(genesis_in),
      changes(genesis_in),
      pace(genesis_in.parameters),
      known_fc(recovered.fc),
      heartbeat_counter(options.incarnation),
      asked_last(self),
      conflict(std::move(recovered.conflict)) {
  if (finality) recent_final.emplace(finality->point.index, *finality);
  for (const auto& batch : recovered.unfinalised) log.keep_aside(batch);
  // A tip below what is final is from before a certificate that came without it: the log is the finalised prefix then.
  if (state.tip.index > log.finalised().index) {
    ZELL_CHECK(log.known(state.tip));  // the store has checked it
    ZELL_CHECK(log.switch_to(state.tip));
  }
  base_to_reach = state.active && !log.on_chain(state.base);
  if (state.highest_lc && state.highest_lc->view == state.view) newest_lc = state.highest_lc;
  for (const auto& batch : log.unfinalised()) {
    // A fetched batch has no signature: whoever sent it cut it as it liked, and its view is not known.
    if (batch->header.view != state.view || batch->header.signature.is_zero()) continue;
    (void)watch.saw_header(batch->header);
  }
}

Effects Replica::Impl::step(const Input& input, Instant at) {
  Effects effects;
  out = &effects;
  now = at;
  if (!started) {
    started = true;
    view_since = last_signed_news = now;
    if (conflict) stop_for_conflict();
    had_work = work_pending();
    if (quorum_connected() && state.active) pace.start(now);
    // What this node told itself did not survive the restart.
    if (!state.active) send_view_change(Send::To::all, self);
    if (state.active && leader() == self) resend_votes(self);
  }
  std::visit([this](const auto& value) { on(value); }, input);
  settle();
  flush_delta();
  effects.wake_at = next_deadline();
  out = nullptr;
  return effects;
}

void Replica::Impl::on(const Received& input) {
  receive(input.from, input.message->get());
}

void Replica::Impl::receive(NodeId from, const Message& message) {
  std::visit([this, from](const auto& value) { receive(from, value); }, message);
}

void Replica::Impl::on(const Submit& input) {
  for (const auto& request : input.requests) take(request, true, self);
}

void Replica::Impl::on(const PeerUp& input) {
  bool had_quorum = quorum_connected();
  connected.insert(input.node);
  refused.erase(input.node);
  if (!had_quorum && quorum_connected()) pace.start(now);
  if (conflict) out->sends.push_back({Send::To::one, input.node, conflict, false, 0});
  resynchronise(input.node);
}

void Replica::Impl::on(const PeerDown& input) {
  connected.erase(input.node);
  if (input.refused) refused.insert(input.node);
  if (!quorum_connected()) pace.stop();
  // The request may have been on its way: it is forwarded again when the leader is back, or to the next one.
  if (input.node == leader()) pool.forget_forwarding(now);
}

void Replica::Impl::on(const Persisted& input) {
  ZELL_CHECK(input.id > durable && input.id <= last_persist);
  durable = input.id;
}

void Replica::Impl::on(const PersistFailed& input) {
  stop("storage-failed", input.why);
}

void Replica::Impl::on(const ChallengeNow&) {
  // One that reaches no quorum may be in a view that the others have left: its word would count for nothing.
  if (!may_challenge() || !quorum_connected()) {
    note("cannot challenge now: a learner, behind, between views, or not connected");
    return;
  }
  challenge(Reason::manual);
}

void Replica::Impl::settle() {
  if (!stopped_code.empty()) return;
  act_on_challenges();
  follow_finality();
  reach_base();  // before anything is locked above it
  follow_lock();
  try_new_view();
  if (!stopped_code.empty()) return;
  drain_held();
  revisit_blocked();
  if (work_pending() && !had_work) pace.work_began(now);
  had_work = work_pending();
  run_timers();
  forward_waiting();
}

DurableState& Replica::Impl::change_state() {
  delta_urgent = true;
  return state;
}

void Replica::Impl::send_durable(Send::To to, NodeId node, Message message, bool sign) {
  waiting_sends.push_back({to, node, std::make_shared<const Message>(std::move(message)), sign, 0});
}

/// What this node was about to sign no longer holds.
void Replica::Impl::drop_unsigned() {
  out->drop_held = true;
  std::erase_if(waiting_sends, [](const Send& send) { return send.sign; });
}

void Replica::Impl::send_now(Send::To to, NodeId node, MessagePtr message, bool sign) {
  if (!stopped_code.empty()) return;
  out->sends.push_back({to, node, std::move(message), sign, 0});
}

void Replica::Impl::send_now(Send::To to, NodeId node, Message message, bool sign) {
  send_now(to, node, std::make_shared<const Message>(std::move(message)), sign);
}

void Replica::Impl::flush_delta() {
  if (!stopped_code.empty()) {
    // What stopped it is the last thing that it writes, with all that it knew: it learns nothing again.
    if (delta.conflict) persist_delta();
    delta = {};
    delta_urgent = false;
    waiting_sends.clear();
    return;
  }
  if (delta_urgent || (lazy_fc && now >= fc_alone_at)) persist_delta();
  for (auto& send : waiting_sends) {
    send.after = last_persist > durable ? last_persist : 0;
    out->sends.push_back(std::move(send));
  }
  waiting_sends.clear();
}

void Replica::Impl::persist_delta() {
  // Always with the state: what an FC lets go of on disk must not be what a stored state still points to.
  state.tip = log.tip();
  delta.state = state;
  delta.fc = std::exchange(lazy_fc, std::nullopt);
  out->persists.push_back({++last_persist, std::exchange(delta, {})});
  delta_urgent = false;
}

void Replica::Impl::stop(std::string code, std::string why) {
  if (!stopped_code.empty()) return;
  stopped_code = code;
  stopped_why = why;
  out->events.push_back(Stopped{std::move(code), std::move(why)});
}

void Replica::Impl::note(std::string_view what, std::optional<NodeId> about) {
  out->events.push_back(Noted{what, about});
}

ReplicaStatus Replica::status() const {
  const auto& i = *impl_;
  ReplicaStatus out;
  out.view = i.state.view;
  out.active = i.state.active;
  out.leader = i.leader();
  out.standing = i.state.standing;
  if (out.standing == Standing::learner) out.rejoins_above = i.answered_view();
  out.sequenced = i.log.tip();
  out.finalised = i.log.finalised();
  out.locked = i.log.finalised();
  if (i.newest_lc && i.newest_lc->point.index > out.locked.index && i.log.on_chain(i.newest_lc->point)) {
    out.locked = i.newest_lc->point;
  }
  out.known_final = i.known_fc ? i.known_fc->point.index : Index{};
  out.pool_requests = i.pool.count();
  out.pool_bytes = i.pool.bytes();
  out.pool_submitted = i.pool.submitted_count();
  out.taken_in = i.taken_in;
  out.unfinalised_batches = i.log.unfinalised_count();
  out.side_batches = i.log.side_count();
  out.held_proposals = i.held.size();
  out.wants = i.wants.size();
  out.view_timeout = i.pace.timeout();
  if (i.own_challenge) out.challenging = i.own_challenge->reason;
  out.evidence_count = i.watch.count();
  out.stopped_code = i.stopped_code;
  out.stopped_why = i.stopped_why;
  out.view_since = i.view_since;
  return out;
}

std::vector<BatchPtr> Replica::unfinalised() const {
  return impl_->log.unfinalised();
}
std::optional<Certificate> Replica::finality() const {
  return impl_->finality;
}

NonceWindows Replica::finalised_nonces() const {
  return impl_->log.finalised_nonces();
}

const NonceWindows& Replica::nonces() const {
  return impl_->log.nonces();
}

RequestUpdate Replica::lookup(const RequestId& id) const {
  const auto& i = *impl_;
  if (auto index = i.log.find(id); index.value != 0) {
    bool locked = i.newest_lc && index <= i.newest_lc->point.index && i.log.on_chain(i.newest_lc->point);
    return {id, locked ? RequestState::locked : RequestState::sequenced, index, i.state.view, {}};
  }
  return {id, i.pool.find(id) ? RequestState::initialised : RequestState::unknown, {}, i.state.view, {}};
}

std::vector<SignedChallenge> Replica::challenges() const {
  return impl_->challenges.against({});
}

}  // namespace zell
