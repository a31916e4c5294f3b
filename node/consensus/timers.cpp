// What time alone brings about. Everything here is looked at after each input; next_deadline() says when to look again.

#include "node/consensus/replica_impl.h"

namespace zell {

using std::chrono::milliseconds;

bool Replica::Impl::quorum_connected() const {
  MemberSet set;
  set.set(self.value);
  for (auto node : connected) set.set(node.value);
  return genesis.is_quorum(set);
}

void Replica::Impl::run_timers() {
  pace.tick(now);
  if (!state.active && !pace.running() && quorum_connected() && changes.quorum_for(state.view)) pace.start(now);
  if (leading() && now - last_signed_news >= milliseconds(parameters.heartbeat_ms)) heartbeat(Send::To::others, self);
  if (state.active) {
    look_after_forwarded();
    pass_on();
  }
  check_leader();
  resend_what_lasts();
  ask_around();
  ask_for_wanted();
}

void Replica::Impl::heartbeat(Send::To to, NodeId node) {
  if (to == Send::To::others) last_signed_news = now;
  send_durable(to, node, Heartbeat{state.view, log.tip(), ++heartbeat_counter, {}, newest_lc, known_fc}, true);
}

void Replica::Impl::check_leader() {
  if (leader() == self || !pace.running()) return;
  if (own_challenge) {
    bool over =
        (own_challenge->reason == Reason::unresponsive && state.active && pace.heard() > own_challenge->raised_at) ||
        (own_challenge->reason == Reason::stalled && pace.progress() >= own_challenge->raised_at) ||
        (own_challenge->reason == Reason::censored && !any_censored());
    if (over) own_challenge.reset();
    return;
  }
  if (may_challenge()) {
    // A reset connection and a refused new one: the process is gone, there is nothing to wait for.
    if (refused.contains(leader()) || now >= pace.unresponsive_at()) return challenge(Reason::unresponsive);
    if (state.active && work_pending() && now >= pace.stalled_at()) return challenge(Reason::stalled);
  }
  if (state.active && now >= pace.ask_peers_at() && now - news_asked_at >= pace.timeout() / 4) ask_everyone();
}

bool Replica::Impl::any_censored() const {
  for (const auto& request : own_challenge->censored) {
    if (pool.find(request->id) && log.find(request->id).value == 0) return true;
  }
  return false;
}

/// There may be thousands of them, and nothing about them is urgent.
void Replica::Impl::look_after_forwarded() {
  if (now - forwarded_checked_at < milliseconds(20)) return;
  forwarded_checked_at = now;
  resend_forwarded();
  mark_owed();
}

void Replica::Impl::mark_owed() {
  if (leader() == self) return;
  // Under load a correct leader may be slow to check what is forwarded to it: patience grows with each view, as for the
  // rest.
  auto timeout = pace.scaled(parameters.censorship_timeout_ms);
  for (auto* entry : pool.forwarded_before({now.us - timeout.count()})) {
    if (still_fits(*entry)) pool.mark_owed(*entry, proposed_in_view);
  }
}

void Replica::Impl::check_censorship(const Batch& appended) {
  if (leader() == self) return;
  Requests censored;
  bool full_by_count = appended.count() >= parameters.batch_max_requests;
  std::uint64_t fair_wait = static_cast<std::uint64_t>(genesis.size()) * parameters.forward_quota;
  for (auto* entry : pool.owed_entries()) {
    // A batch ends at the first request that does not fit, so that smaller ones behind it are left out as well.
    bool had_room =
        !full_by_count && appended.request_bytes + parameters.request_max_bytes <= parameters.batch_max_bytes;
    if (had_room || proposed_in_view - *entry->owed_since > fair_wait) censored.push_back(entry->request);
  }
  if (!censored.empty()) challenge(Reason::censored, nullptr, std::move(censored));
}

void Replica::Impl::resend_what_lasts() {
  auto gap = milliseconds(parameters.view_timeout_ms) / 2;
  if (own_challenge && now - own_challenge->sent_at >= gap && may_challenge()) {
    send_challenge();
    // A leader may starve this node alone: then only the others have news of it.
    if (state.active) ask_everyone();
  }
  if (state.standing == Standing::learner && now - query_sent_at >= gap) {
    query_sent_at = now;
    send_now(Send::To::others, self, ViewQuery{options.query_nonce});
  }
  if (state.active || now - change_sent_at < gap) return;
  change_sent_at = now;
  send_view_change(Send::To::all, self);
  send_now(Send::To::others, self, Fetch{Fetch::Kind::new_view, state.view, {}, {}});
}

/// A leader may show this node alone old news: while nothing becomes final here, it asks one peer after the other.
void Replica::Impl::ask_around() {
  if (connected.empty() || !pace.running() || !state.active || now < ask_around_at()) return;
  asked_around_at = now;
  if (news_asked_at < now) ask_for_news(next_to_ask());  // else one has just been asked for all
}

Instant Replica::Impl::ask_around_at() const {
  return std::max(pace.progress(), asked_around_at) + pace.timeout();
}

std::optional<Instant> Replica::Impl::next_deadline() const {
  if (!stopped_code.empty()) return std::nullopt;
  std::optional<Instant> earliest;
  auto at = [&](Instant when) {
    if (!earliest || when < *earliest) earliest = when;
  };
  if (leading()) {
    at(last_signed_news + milliseconds(parameters.heartbeat_ms));
    if (!queues.empty() && log.unfinalised_count() < parameters.batches_in_flight) {
      at(oldest_queued + rounds.patience());
    }
  }
  if (pace.running()) {
    at(pace.period_ends_at());
    if (state.active && !connected.empty()) at(ask_around_at());
    if (leader() != self && !own_challenge) {
      at(pace.unresponsive_at());
      if (state.active) at(std::max(pace.ask_peers_at(), news_asked_at + pace.timeout() / 4));
      if (state.active && work_pending()) at(pace.stalled_at());
    }
  }
  if (lazy_fc) at(fc_alone_at);
  auto gap = milliseconds(parameters.view_timeout_ms) / 2;
  if (own_challenge) at(own_challenge->sent_at + gap);
  if (!state.active) at(change_sent_at + gap);
  if (state.standing == Standing::learner) at(query_sent_at + gap);
  if (state.active && pool.count() > 0 && leader() != self) at(passed_on_at + gap);
  if (state.active && pool.pending() > 0) at(now + milliseconds(parameters.censorship_timeout_ms) / 4);
  for (const auto& [target, wanted] : wants) at(ask_at(target, wanted));
  // A deadline that has passed without effect (a node that may not act on it) must not spin the loop.
  if (earliest && *earliest <= now) earliest = now + milliseconds(10);
  return earliest;
}

}  // namespace zell
