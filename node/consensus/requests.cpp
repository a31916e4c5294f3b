// Requests on their way into the log: taken in, forwarded, batched, returned.

#include "node/base/check.h"
#include "node/consensus/replica_impl.h"

namespace zell {
namespace {

/// Of one Forward message: small enough that a vote never waits long behind it.
constexpr std::size_t max_forward_bytes = 512 << 10;

}  // namespace

void Replica::Impl::update(const RequestId& id, RequestState to, Index index, std::string_view reason) {
  out->events.push_back(RequestUpdate{id, to, index, state.view, reason});
}

void Replica::Impl::take(const RequestPtr& request, bool submitted, NodeId relayed_by) {
  auto answer = [&](RequestState to, Index index, std::string_view reason) {
    if (submitted) update(request->id, to, index, reason);
  };
  if (!stopped_code.empty()) return answer(RequestState::refused, {}, "stopped");
  // It may not challenge a leader that ignores its requests, so it promises nothing.
  if (submitted && state.standing == Standing::learner) return answer(RequestState::refused, {}, "learner");
  Index index = log.find(request->id);
  if (auto* known = pool.find(request->id)) {
    if (!known->submitted) ++taken_in;
    pool.now_submitted(*known);  // what another node passes on is looked for before
    bool locked = newest_lc && index.value != 0 && index <= newest_lc->point.index;
    return answer(index.value == 0 ? RequestState::initialised
                  : locked         ? RequestState::locked
                                   : RequestState::sequenced,
                  index, {});
  }
  auto verdict = index.value != 0 ? NonceVerdict::fresh : log.nonces().check(request->sender, request->nonce);
  if (verdict != NonceVerdict::fresh && log.unfinalised_count() == 0) {
    return answer(RequestState::refused, {}, refusal_of(verdict));
  }
  if (!pool.has_room(*request)) return answer(RequestState::refused, {}, "busy");
  auto& entry = pool.add(request, submitted, relayed_by);
  entry.taken_at = now;
  if (submitted) ++taken_in;
  if (index.value != 0) {
    entry.index = index;
    pool.set_where(entry, LocalPool::Where::in_log);
    return answer(RequestState::sequenced, index, {});
  }
  if (verdict != NonceVerdict::fresh) pool.block(entry, log.tip().index);
  answer(RequestState::initialised, {}, {});
}

void Replica::Impl::refuse(LocalPool::Entry& entry, std::string_view reason) {
  if (entry.submitted) update(entry.request->id, RequestState::refused, {}, reason);
  pool.remove(RequestId(entry.request->id));
}

bool Replica::Impl::still_fits(LocalPool::Entry& entry) {
  if (log.nonces().check(entry.request->sender, entry.request->nonce) == NonceVerdict::fresh) return true;
  pool.block(entry, log.tip().index);
  return false;
}

void Replica::Impl::revisit_blocked() {
  for (auto* entry : pool.blocked_entries()) {
    auto verdict = log.nonces().check(entry->request->sender, entry->request->nonce);
    if (verdict == NonceVerdict::fresh) {
      pool.unblock(*entry);
    } else if (log.finalised().index >= *entry->blocked_at) {
      refuse(*entry, refusal_of(verdict));
    }
  }
}

void Replica::Impl::receive(NodeId from, const Forward& forward) {
  if (leader() != self) return carry(from, forward.requests);
  if (!state.active) return;
  for (const auto& request : forward.requests) {
    if (log.nonces().check(request->sender, request->nonce) != NonceVerdict::fresh) continue;
    if (queues.empty()) oldest_queued = now;
    if (!queues.push(from, request)) {
      note("forward quota exceeded", from);
      return;
    }
  }
}

void Replica::Impl::forward_waiting() {
  if (!state.active || !stopped_code.empty()) return;
  if (leader() == self) {
    for (auto* entry : pool.waiting(parameters.forward_quota)) {
      if (!still_fits(*entry)) continue;
      if (queues.empty()) oldest_queued = now;
      if (!queues.push(self, entry->request)) break;
      entry->resent_at = now;
      entry->forwarded_at = {now.us - entry->waited.count()};
      pool.set_where(*entry, LocalPool::Where::forwarded);
    }
    propose_batches();
    return;
  }
  if (!connected.contains(leader())) return;
  std::size_t room = parameters.forward_quota - std::min<std::size_t>(parameters.forward_quota, pool.forwarded());
  Forward message;
  std::size_t bytes = 0;
  for (auto* entry : pool.waiting(room)) {
    if (!still_fits(*entry)) continue;
    entry->resent_at = now;
    entry->forwarded_at = {now.us - entry->waited.count()};
    pool.set_where(*entry, LocalPool::Where::forwarded);
    bytes += entry->request->canonical.size();
    message.requests.push_back(entry->request);
    if (message.requests.size() < max_requests_in_forward && bytes < max_forward_bytes) continue;
    send_now(Send::To::one, leader(), std::exchange(message, {}));
    bytes = 0;
  }
  if (!message.requests.empty()) send_now(Send::To::one, leader(), std::move(message));
}

void Replica::Impl::resend_forwarded() {
  if (leader() != self && !connected.contains(leader())) return;
  Forward message;
  auto gap = std::chrono::milliseconds(parameters.censorship_timeout_ms) / 2;
  std::size_t bytes = 0;
  for (auto* entry : pool.forwarded_entries()) {
    if (now - entry->resent_at < gap || !still_fits(*entry)) continue;
    if (message.requests.size() == max_requests_in_forward || bytes >= max_forward_bytes) break;
    entry->resent_at = now;
    if (leader() == self) {
      (void)queues.push(self, entry->request);
      continue;
    }
    bytes += entry->request->canonical.size();
    message.requests.push_back(entry->request);
  }
  if (!message.requests.empty()) send_now(Send::To::one, leader(), std::move(message));
}

/// The leader may be deaf to this node alone. The others then forward its requests too, and see for themselves whether
/// they are proposed: nobody is accused by this, for a leader under load may be late with them.
void Replica::Impl::pass_on() {
  if (leader() == self || now - passed_on_at < std::chrono::milliseconds(parameters.view_timeout_ms) / 2) return;
  passed_on_at = now;
  Forward message;
  std::size_t bytes = 0;
  auto pick = [&](const std::vector<LocalPool::Entry*>& entries, Duration age) {
    for (const auto* entry : entries) {
      if (message.requests.size() == max_requests_in_challenge || bytes >= max_forward_bytes) return;
      if (!entry->submitted || now - std::max(entry->taken_at, view_since) < age) continue;
      bytes += entry->request->canonical.size();
      message.requests.push_back(entry->request);
    }
  };
  // The leader may have shown what it proposed to this node alone: the request itself, or others that take its nonce.
  // But under load it is only late.
  pick(pool.blocked_entries(), 2 * pace.timeout());
  pick(pool_entries_in_log(), 2 * pace.timeout());
  pick(pool.forwarded_entries(), pace.timeout());
  pick(pool.waiting(max_requests_in_challenge), pace.timeout());
  if (message.requests.empty()) return;
  auto shared = std::make_shared<const Message>(std::move(message));
  for (auto node : connected) {
    if (node != leader()) send_now(Send::To::one, node, shared);
  }
}

std::vector<LocalPool::Entry*> Replica::Impl::pool_entries_in_log() {
  std::vector<LocalPool::Entry*> entries;
  for (const auto& batch : log.unfinalised()) {
    for (const auto& request : *batch->requests) {
      if (auto* entry = pool.find(request->id)) entries.push_back(entry);
    }
  }
  return entries;
}

/// Requests that another node answers for, and that it sees left out.
void Replica::Impl::carry(NodeId from, const Requests& requests) {
  for (const auto& request : requests) {
    if (pool.find(request->id) || log.find(request->id).value != 0) continue;
    if (log.nonces().check(request->sender, request->nonce) != NonceVerdict::fresh) continue;
    if (!pool.has_room_for_relayed(*request, from, genesis.size())) return;
    take(request, false, from);
  }
}

void Replica::Impl::requests_appended(const Batch& batch) {
  if (pool.count() == 0) return;
  auto index = batch.header.first;
  for (const auto& request : *batch.requests) {
    if (auto* entry = pool.find(request->id)) {
      entry->index = index;
      pool.set_where(*entry, LocalPool::Where::in_log);
      if (entry->submitted) update(request->id, RequestState::sequenced, index);
    }
    for (auto* rival : pool.rivals(*request)) {
      if (rival->where != LocalPool::Where::in_log) pool.block(*rival, batch.header.end.index);
    }
    index = index.next();
  }
}

void Replica::Impl::requests_cut(const std::vector<BatchPtr>& batches) {
  for (const auto& batch : batches) {
    for (const auto& request : *batch->requests) {
      auto* entry = pool.find(request->id);
      if (!entry || log.find(request->id).value != 0) continue;
      entry->index = {};
      pool.set_where(*entry, LocalPool::Where::waiting);
      if (entry->submitted) update(request->id, RequestState::initialised, {});
    }
  }
}

void Replica::Impl::requests_finalised(const Batch& batch) {
  if (pool.count() == 0) return;
  auto index = batch.header.first;
  for (const auto& request : *batch.requests) {
    if (auto* entry = pool.find(request->id)) {
      if (entry->submitted) {
        out->events.push_back(
            RequestUpdate{request->id, RequestState::finalised, index, state.view, {}, now - entry->taken_at});
      }
      pool.remove(RequestId(request->id));
    }
    for (auto* rival : pool.rivals(*request)) refuse(*rival, refusal_of(NonceVerdict::duplicate));
    index = index.next();
  }
}

bool Replica::Impl::batch_is_due() const {
  if (queues.empty() || log.unfinalised_count() >= parameters.batches_in_flight) return false;
  bool full = queues.count() >= parameters.batch_max_requests || queues.bytes() >= parameters.batch_max_bytes;
  bool nothing_open = log.tip().index <= std::max(state.base.index, log.finalised().index);
  return full || nothing_open || now - oldest_queued >= rounds.patience();
}

RequestsPtr Replica::Impl::next_batch() {
  auto requests = std::make_shared<Requests>();
  std::set<NonceSlot> inside;
  std::size_t bytes = 0;
  while (requests->size() < parameters.batch_max_requests) {
    auto request = queues.pop();
    if (!request) break;
    bool taken = log.nonces().check(request->sender, request->nonce) != NonceVerdict::fresh ||
                 inside.contains(slot_of(*request));
    if (taken) continue;
    if (bytes + request->canonical.size() > parameters.batch_max_bytes) {
      queues.push_front(queues.last_popped(), request);
      break;
    }
    bytes += request->canonical.size();
    inside.insert(slot_of(*request));
    requests->push_back(std::move(request));
  }
  return requests;
}

void Replica::Impl::propose_batches() {
  if (!leading()) return;
  while (batch_is_due()) {
    auto requests = next_batch();
    oldest_queued = now;
    if (requests->empty()) continue;
    auto batch = std::make_shared<Batch>();
    batch->header.view = state.view;
    batch->header.first = log.tip().index.next();
    batch->header.parent_root = log.tip().root;
    batch->header.end = {{log.tip().index.value + requests->size()}, log.root_after(*requests)};
    for (const auto& request : *requests) batch->request_bytes += static_cast<std::uint32_t>(request->canonical.size());
    batch->requests = requests;
    // A window that moves inside the batch may make a later nonce too old: leave such a batch's tail for the next one.
    auto verdict = log.check(*batch);
    if (verdict.fit == OrderedLog::Fit::bad_nonce) {
      for (std::size_t i = verdict.position + 1; i < requests->size(); ++i) (void)queues.push(self, (*requests)[i]);
      auto head = std::make_shared<Requests>(requests->begin(), requests->begin() + verdict.position);
      for (auto i = head->rbegin(); i != head->rend(); ++i) queues.push_front(self, *i);
      continue;
    }
    ZELL_CHECK(verdict.fit == OrderedLog::Fit::ok);
    append(batch);
    rounds.proposed(batch->header.end.index, now);
    last_signed_news = now;
    send_durable(Send::To::others, self, Proposal{batch->header, batch->requests, {}, {}, {}}, true);
    lock_tip();
  }
}

}  // namespace zell
