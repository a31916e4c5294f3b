#include <algorithm>

#include "node/wire/request_codec.h"
#include "tests/simulation/liars/liar.h"

namespace zell::simulation {
namespace {

using std::chrono::milliseconds;

// What choices that hold all through a view are about (Gang::chooses).
enum Choice : std::uint64_t { invalid_for_all = 1, both_shown, certificates_kept, show_one_here, hidden_here };

Lock no_lock() {
  return {View{}, {Index{}, empty_root()}};
}

}  // namespace

/// Whether it says nothing of this, as the leader of the message's view.
bool Liar::keeps_silent(const Message& truth, NodeId to) {
  const auto* proposal = std::get_if<Proposal>(&truth);
  const auto* heartbeat = std::get_if<Heartbeat>(&truth);
  const auto* certificate = std::get_if<CertificateMessage>(&truth);
  if (!proposal && !heartbeat && !certificate) return false;
  View view = proposal ? proposal->header.view : heartbeat ? heartbeat->view : certificate->certificate.view;
  if (!leads(view)) return false;
  if (does(Behaviour::mute) && !certificate) {
    lied(Behaviour::mute);
    return true;
  }
  if (does(Behaviour::starve) && gang_->is_starved(view, to)) {
    lied(Behaviour::starve);
    return true;
  }
  if (does(Behaviour::unfed) && !heartbeat && gang_->is_starved(view, to)) {
    lied(Behaviour::unfed);
    return true;
  }
  if (!does(Behaviour::show_one) || !gang_->chooses(view, show_one_here, 600'000)) return false;
  if (shown_.contains(view)) return true;
  if (!certificate) return false;
  // The favourite alone gets one, now or later; after that, no one gets anything.
  if (to != gang_->favourite(view) || gang_->random.chance(500'000)) return true;
  pending_.push_back({to, std::make_shared<const Message>(truth)});
  shown_.emplace(view, to);
  lied(Behaviour::show_one);
  return true;
}

void Liar::tell_proposal(const MessagePtr& message, NodeId to, Out& out) {
  const auto& truth = std::get<Proposal>(*message);
  View view = truth.header.view;
  auto delay = does(Behaviour::slow) ? Duration(milliseconds(genesis_.parameters.view_timeout_ms - 20)) : Duration{0};
  if (delay.count() > 0) lied(Behaviour::slow);
  MessagePtr lie;
  auto try_lie = [&](Behaviour behaviour, auto make) {
    if (lie || !does(behaviour)) return;
    if ((lie = make())) lied(behaviour);
  };
  if (gang_->is_victim(view, to)) {
    try_lie(Behaviour::equivocate, [&] { return gang_->forked(truth, self_); });
  }
  if (gang_->chooses(view, invalid_for_all, 500'000) || gang_->is_victim(view, to)) {
    try_lie(Behaviour::invalid_proposal, [&] { return invalid(truth); });
  }
  if (gang_->random.chance(200'000)) try_lie(Behaviour::bad_bodies, [&] { return wrong_bodies(truth); });
  if (gang_->random.chance(50'000)) try_lie(Behaviour::oversize, [&] { return oversized(truth); });
  if (!lie) return out.push_back({to, message, delay});
  out.push_back({to, lie, delay});
  // Now and then one node is shown both.
  if (gang_->chooses(view, both_shown, 200'000)) out.push_back({to, message, delay});
}

MessagePtr Liar::invalid(const Proposal& truth) {
  auto [at, fresh] = lies_.try_emplace({truth.header.view, truth.header.end});
  const auto* range =
      fresh && gang_->random.chance(600'000) ? gang_->around.chains.range_at(truth.header.parent()) : nullptr;
  if (range) {
    if (auto lie = gang_->make_proposal(truth.header.view, *range, spoil(*truth.requests), self_)) {
      gang_->count_votes_for(std::get<Proposal>(*lie).header.end);  // whoever takes it must be found out
      at->second = std::make_shared<const Message>(std::move(*lie));
    }
  }
  return at->second;
}

/// One request is bad by its signature, its form, or its nonce (taken in this batch, or in the log).
Requests Liar::spoil(Requests requests) {
  while (requests.size() + 2 > genesis_.parameters.batch_max_requests) requests.pop_back();
  auto& gang = *gang_;
  switch (gang.random.below(4)) {
    case 0: {
      auto& victim = requests[gang.random.below(requests.size())];
      Request broken = *victim;
      broken.signature.bytes[40] ^= 1;
      broken.canonical[broken.header_bytes - 24] ^= 1;
      broken.leaf = leaf_hash(broken.header());
      victim = std::make_shared<const Request>(std::move(broken));
      break;
    }
    case 1:
      requests.push_back(gang.own_request("Not An App!", gang.next_nonce++, 0));
      break;
    case 2:
      requests.push_back(gang.own_request("default", gang.next_nonce, 1));
      requests.push_back(gang.own_request("default", gang.next_nonce++, 2));
      break;
    default: {
      auto old = gang.around.some_final_request(gang.random.next());
      requests.push_back(old ? std::move(old) : requests.front());
    }
  }
  return requests;
}

/// The truth's header over other requests or payloads: it proves nothing, as anyone on the way could have done it.
MessagePtr Liar::wrong_bodies(const Proposal& truth) {
  Proposal lie = truth;
  auto requests = *truth.requests;
  auto& victim = requests[gang_->random.below(requests.size())];
  bool whole = gang_->random.chance(500'000);
  victim = whole ? gang_->own_request("default", gang_->next_nonce++, 3) : Gang::with_other_payload(*victim);
  lie.requests = std::make_shared<const Requests>(std::move(requests));
  return std::make_shared<const Message>(std::move(lie));
}

MessagePtr Liar::oversized(const Proposal& truth) {
  const auto* range = gang_->around.chains.range_at(truth.header.parent());
  if (!range) return nullptr;
  auto requests = *truth.requests;
  while (requests.size() <= genesis_.parameters.batch_max_requests) {
    requests.push_back(gang_->own_request("default", gang_->next_nonce++, 4));
  }
  auto lie = gang_->make_proposal(truth.header.view, *range, std::move(requests), self_);
  return lie ? std::make_shared<const Message>(std::move(*lie)) : nullptr;
}

/// Who learns of its lock certificates is its choice: so the locks that others report come to differ.
void Liar::tell_certificate(const MessagePtr& message, NodeId to, Out& out) {
  const auto& certificate = std::get<CertificateMessage>(*message).certificate;
  View view = certificate.view;
  bool keeps = does(Behaviour::equivocate) && certificate.phase == Phase::lock && leads(view) &&
               gang_->chooses(view, certificates_kept, 500'000) && !gang_->is_victim(view, to);
  if (!keeps) out.push_back({to, message});
}

void Liar::tell_heartbeat(const MessagePtr& message, NodeId to, Out& out) {
  const auto& truth = std::get<Heartbeat>(*message);
  auto delay = does(Behaviour::slow) && leads(truth.view)
                   ? Duration(milliseconds(genesis_.parameters.view_timeout_ms - 20))
                   : Duration{0};
  if (!leads(truth.view) || !now_and_then(Behaviour::lie_height, 300'000)) return out.push_back({to, message, delay});
  lied(Behaviour::lie_height);
  Heartbeat lie = truth;
  lie.tip.index.value += 1 + gang_->random.below(1'000'000);
  lie.tip.root.bytes[3] ^= 1;
  out.push_back({to, signed_lie(lie), delay});
}

void Liar::tell_new_view(const MessagePtr& message, NodeId to, Out& out) {
  const auto& truth = std::get<NewView>(*message);
  if (does(Behaviour::mute)) return lied(Behaviour::mute);
  if (now_and_then(Behaviour::bad_new_view, 500'000)) {
    lied(Behaviour::bad_new_view);
    out.push_back({to, bad_new_view(truth)});
  }
  if (!does(Behaviour::equivocate) || !gang_->is_victim(truth.view, to)) return out.push_back({to, message});
  // It waits for reports to choose from; victims that ask again get what it has by then.
  if (gang_->changes[truth.view].size() + gang_->secrets().size() < genesis_.size()) return;
  auto other = second_new_view(truth);
  out.push_back({to, other ? other : message});
}

/// As well justified as the first: by the quorum that holds the lowest locks. Members of the gang report none at all.
MessagePtr Liar::second_new_view(const NewView& truth) {
  auto [at, fresh] = gang_->other_new_views.try_emplace(truth.view);
  if (at->second) return at->second;
  std::vector<ViewChange> lowest;
  for (const auto& [member, secret] : gang_->secrets()) {
    ViewChange none{{member, truth.view, no_lock(), {}}, {}, {}};
    lowest.push_back(std::get<ViewChange>(gang_->sign(none, member)));
  }
  for (const auto& [node, change] : gang_->changes[truth.view]) {
    if (!gang_->has(node)) lowest.push_back(change);
  }
  std::stable_sort(lowest.begin(), lowest.end(),
                   [](const auto& a, const auto& b) { return a.signed_part.lock.rank() < b.signed_part.lock.rank(); });
  MemberSet set;
  NewView lie{truth.view, no_lock(), {}, {}, {}};
  for (const auto& change : lowest) {
    if (genesis_.is_quorum(set)) break;
    set.set(change.signed_part.node.value);
    lie.changes.push_back(change.signed_part);
    lie.base = change.signed_part.lock;
    lie.base_lc = change.lc;
  }
  std::sort(lie.changes.begin(), lie.changes.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  if (!genesis_.is_quorum(set) || lie.base == truth.base) return nullptr;
  if (const auto* range = gang_->around.chains.range_at(lie.base.point)) gang_->begin_fork(truth.view, *range);
  ++told_["second NewViews"];
  return at->second = signed_lie(lie);
}

MessagePtr Liar::bad_new_view(NewView lie) {
  auto& random = gang_->random;
  switch (random.below(4)) {
    case 0: {  // too little stake: nothing but its own word that it holds no lock
      ViewChange none{{self_, lie.view, no_lock(), {}}, {}, {}};
      lie.changes = {std::get<ViewChange>(gang_->sign(none, self_)).signed_part};
      lie.base = no_lock();
      lie.base_lc.reset();
      break;
    }
    case 1:  // one report counted twice
      lie.changes.back() = lie.changes.front();
      break;
    case 2:  // a lower base than was reported
      lie.base = no_lock();
      lie.base_lc.reset();
      break;
    default:  // a base that nobody reported
      lie.base.point.index.value += 1;
      lie.base.point.root.bytes[0] ^= 1;
  }
  return signed_lie(std::move(lie));
}

}  // namespace zell::simulation
