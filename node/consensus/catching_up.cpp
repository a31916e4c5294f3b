// Fetching what is missing, serving others, resynchronising after a lost connection, and the learner's questions.

#include "node/base/check.h"
#include "node/consensus/replica_impl.h"

namespace zell {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_ask_delay{20};  // what is certified is usually on its way already
constexpr milliseconds ask_again_after{300};
constexpr std::size_t max_wants = 2 * max_members;

}  // namespace

bool Replica::Impl::allow_answer(NodeId to, std::map<NodeId, Instant>& last, Duration gap) {
  auto found = last.find(to);
  if (found != last.end() && now - found->second < gap) return false;
  last[to] = now;
  return true;
}

void Replica::Impl::want(const LogPoint& target, NodeId source, bool at_once) {
  if (target.index <= log.finalised().index || wants.size() >= max_wants) return;
  auto [at, fresh] = wants.try_emplace(target, Wanted{source, now, 0});
  if (fresh && at_once) ask(target);
}

Instant Replica::Impl::ask_at(const LogPoint& target, const Wanted& wanted) const {
  if (wanted.attempts > 0) return wanted.asked_at + ask_again_after;
  // A leader that lets proposals drip gains no more than T0 by it.
  const auto at = wanted.asked_at + first_ask_delay;
  return std::clamp(awaited_until(target), at, wanted.asked_at + milliseconds(parameters.view_timeout_ms));
}

/// Checking a large proposal takes many times as long as the certificate of it or the next heartbeat, which overtake
/// it: under load a node that asked at once would be sent everything twice.
Instant Replica::Impl::awaited_until(const LogPoint& target) const {
  if (!state.active || !connected.contains(leader()) || proposed_in_view == 0) return {};
  if (target.index <= log.tip().index || log.unfinalised_count() >= parameters.batches_in_flight) return {};
  const auto next = held.lower_bound({state.view, log.tip().index.next()});
  const bool overtaken = next != held.end() && next->first != std::pair{state.view, log.tip().index.next()};
  return overtaken ? Instant{} : appended_at + milliseconds(parameters.view_timeout_ms) / 4;
}

bool Replica::Impl::is_covered(const LogPoint& target) const {
  return known_fc && target.index < known_fc->point.index && wants.contains(known_fc->point);
}

/// For all that is due up to the newest FC one question suffices: the one for that.
void Replica::Impl::ask_for_wanted() {
  forget_wants();
  std::vector<LogPoint> due;
  for (const auto& [target, wanted] : wants) {
    if (now >= ask_at(target, wanted)) due.push_back(target);
  }
  bool covered = false;
  for (const auto& target : due) {
    if (is_covered(target)) {
      covered = true;
      wants.erase(target);
    } else {
      ask(target);
    }
  }
  if (covered && wants.at(known_fc->point).attempts == 0) ask(known_fc->point);
}

void Replica::Impl::ask(const LogPoint& target) {
  auto& wanted = wants.at(target);
  if (wanted.attempts > 0 || wanted.source == self || !connected.contains(wanted.source)) {
    auto next = connected.upper_bound(wanted.source);
    if (next == connected.end()) next = connected.begin();
    if (next != connected.end()) wanted.source = *next;
  }
  wanted.asked_at = now;
  ++wanted.attempts;
  if (!connected.contains(wanted.source)) return;
  send_now(Send::To::one, wanted.source, Fetch{Fetch::Kind::log, state.view, log.finalised().index, target});
}

/// What came in a chunk, and what came in proposals after all.
void Replica::Impl::forget_wants() {
  std::erase_if(wants, [&](const auto& item) { return log.known(item.first); });
}

/// Not each time: whoever is far behind asks again and again, and is served what was stored long ago.
void Replica::Impl::hurry_fc() {
  if (now - fc_hurried_at < fc_patience) return;
  fc_hurried_at = fc_alone_at = now;
}

void Replica::Impl::receive(NodeId from, const Fetch& fetch) {
  switch (fetch.kind) {
    case Fetch::Kind::log: {
      if (!allow_answer(from, chunk_sent, milliseconds(2))) return;
      if (fetch.from < log.finalised().index) {
        hurry_fc();  // what is served ends at a stored one
        out->serves.push_back({from, fetch.from});
        return;
      }
      auto way = log.path(fetch.from, fetch.target);
      if (!way || way->empty()) return;
      send_now(Send::To::one, from, Chunk{{way->front()->header.first.value - 1}, *way, std::nullopt});
      return;
    }
    case Fetch::Kind::leader_news:
      if (fetch.view < state.view) return answer_old_view(from);
      if (fetch.view != state.view || !state.active || !allow_answer(from, news_sent, milliseconds(10))) return;
      if (newest_lc) send_now(Send::To::one, from, CertificateMessage{*newest_lc});
      if (known_fc) send_now(Send::To::one, from, CertificateMessage{*known_fc});
      if (leading()) heartbeat(Send::To::one, from);
      if (last_heartbeat) send_now(Send::To::one, from, *last_heartbeat);
      return send_proposals_after(from, fetch.from);
    case Fetch::Kind::new_view:
      if (fetch.view <= state.view) answer_old_view(from);
      return;
  }
}

void Replica::Impl::send_proposals_after(NodeId to, Index from) {
  for (const auto& batch : log.unfinalised()) {
    const auto& header = batch->header;
    bool own = leading() && header.signature.is_zero();
    if (header.end.index <= from || header.view != state.view || (header.signature.is_zero() && !own)) continue;
    send_durable(Send::To::one, to, Proposal{header, batch->requests, {}, {}, {}}, own);
  }
}

void Replica::Impl::receive(NodeId from, const Chunk& chunk) {
  // A node that stopped finalises nothing more, so what it kept aside would stay.
  if (!stopped_code.empty() || wants.empty() || chunk.batches.empty()) return;
  CompactRange range;
  std::vector<BatchPtr> fitting;
  for (const auto& batch : chunk.batches) {
    const auto& header = batch->header;
    if (fitting.empty()) {
      if (header.parent() != log.finalised()) {
        if (header.parent().index == log.finalised().index && finality) answer_other_log(from);
        continue;  // below what is final by now, or not this log
      }
      range = *log.range_at(log.finalised());
    } else if (header.parent() != fitting.back()->header.end) {
      return note("a chunk's batches do not follow each other", from);
    }
    for (const auto& request : *batch->requests) range.append(request->leaf);
    if (LogPoint{{range.size()}, range.root()} != header.end)
      return note("a chunk's requests do not yield its root", from);
    // Neither the view nor the leader's signature of a fetched batch is proven: it never passes for a proposal.
    auto plain = std::make_shared<Batch>(*batch);
    plain->header.signature = {};
    if (plain->header.view >= state.view) plain->header.view = View{};
    fitting.push_back(std::move(plain));
  }
  if (fitting.empty()) return;
  LogPoint end = fitting.back()->header.end;
  const bool certified = chunk.fc.has_value();  // its point is the end of the last batch
  if (!certified && !wants.contains(end)) return note("a chunk ends at nothing that was asked for", from);
  for (const auto& batch : fitting) {
    if (log.range_at(batch->header.end)) continue;
    log.keep_aside(batch);
    delta.dropped.erase(batch->header.end);
    delta.batches.push_back(batch);
    change_state();
  }
  if (certified) {
    on_certificate(*chunk.fc, from);
    if (!stopped_code.empty()) return;
    if (end.index > log.finalised().index) {
      if (!log.range_at(end) && !cut_at(end)) switch_chain(end);
      if (stopped_code.empty()) finalise(*chunk.fc);
    }
  }
  forget_wants();
  for (auto& [target, wanted] : wants) {
    wanted.source = from;  // it answers: go on with it
    wanted.attempts = 0;
    ask(target);
    break;
  }
}

/// It serves another log than the one that is final here. If it believes in it, it can prove the conflict.
void Replica::Impl::answer_other_log(NodeId to) {
  if (allow_answer(to, proof_sent, milliseconds(50))) send_now(Send::To::one, to, CertificateMessage{*finality});
}

void Replica::Impl::ask_for_news(NodeId of) {
  send_now(Send::To::one, of, Fetch{Fetch::Kind::leader_news, state.view, log.tip().index, {}});
}

void Replica::Impl::ask_leader() {
  if (now - news_asked_at < milliseconds(50)) return;
  news_asked_at = now;
  ask_for_news(leader());
}

/// What is signed is small, and comes from all. Proposals are not: were they sent by all, a cluster that is too slow
/// already would have n times as many to carry and check.
void Replica::Impl::ask_everyone() {
  if (now - news_asked_at < milliseconds(50)) return;
  news_asked_at = now;
  if (connected.empty()) return;
  const auto whole = next_to_ask();
  for (auto node : connected) {
    if (node == whole) {
      ask_for_news(node);
    } else {
      send_now(Send::To::one, node, Fetch{Fetch::Kind::leader_news, state.view, Fetch::no_proposals, {}});
    }
  }
}

/// One peer after the other, the leader only if there is nobody else: what it has to say it sends. REQUIRES: one is
/// connected.
NodeId Replica::Impl::next_to_ask() {
  const auto after = [&](NodeId node) {
    const auto next = connected.upper_bound(node);
    return next == connected.end() ? *connected.begin() : *next;
  };
  asked_last = after(asked_last);
  if (asked_last == leader()) asked_last = after(asked_last);
  return asked_last;
}

void Replica::Impl::send_entry_proof(NodeId to) {
  for (const auto& message : entry_proof) {
    const auto* news = std::get_if<NewView>(message.get());
    waiting_sends.push_back({Send::To::one, to, message, news != nullptr && news->signature.is_zero(), 0});
  }
}

void Replica::Impl::answer_old_view(NodeId to) {
  if (to == self || !allow_answer(to, proof_sent, milliseconds(50))) return;
  send_entry_proof(to);
}

void Replica::Impl::resynchronise(NodeId to) {
  send_entry_proof(to);
  if (state.highest_lc) send_now(Send::To::one, to, CertificateMessage{*state.highest_lc});
  if (known_fc) send_now(Send::To::one, to, CertificateMessage{*known_fc});
  // Its own word: if it does not remember it, its disk is an old copy.
  if (const auto* change = changes.of(to)) send_now(Send::To::one, to, *change);
  if (!state.active) send_view_change(Send::To::one, to);
  if (own_challenge) send_challenge();
  if (state.standing == Standing::learner) send_now(Send::To::one, to, ViewQuery{options.query_nonce});
  if (!state.active) return;
  if (to == leader()) {
    appended_at = {};  // what was on its way may be lost
    resend_votes(to);
    pool.forget_forwarding(now);
  }
  if (leading()) heartbeat(Send::To::one, to);
}

void Replica::Impl::receive(NodeId from, const ViewQuery& query) {
  if (!may_sign()) return;
  send_durable(Send::To::one, from, ViewAnswer{self, state.view, query.nonce, {}}, true);
}

void Replica::Impl::receive(NodeId, const ViewAnswer& answer) {
  if (state.standing != Standing::learner || answer.nonce != options.query_nonce || answer.node == self) return;
  auto& known = view_answers[answer.node];
  known = std::max(known, answer.view);
}

}  // namespace zell
