#include <algorithm>

#include "tests/simulation/liars/liar.h"

namespace zell::simulation {
namespace {

/// The two batches as one: the same log, cut in another place.
BatchPtr joined(const Batch& a, const Batch& b) {
  Batch out = a;
  auto requests = *a.requests;
  requests.insert(requests.end(), b.requests->begin(), b.requests->end());
  out.header.end = b.header.end;
  out.header.signature = {};
  out.request_bytes += b.request_bytes;
  out.requests = std::make_shared<const Requests>(std::move(requests));
  return std::make_shared<const Batch>(std::move(out));
}

BatchPtr with_another_request(const Batch& batch, RequestPtr request) {
  Batch out = batch;
  auto requests = *batch.requests;
  requests.back() = std::move(request);
  out.requests = std::make_shared<const Requests>(std::move(requests));
  return std::make_shared<const Batch>(std::move(out));
}

BatchPtr with_other_payloads(const Batch& batch) {
  Batch out = batch;
  Requests requests;
  for (const auto& request : *batch.requests) requests.push_back(Gang::with_other_payload(*request));
  out.requests = std::make_shared<const Requests>(std::move(requests));
  return std::make_shared<const Batch>(std::move(out));
}

}  // namespace

void Liar::tell_chunk(const MessagePtr& message, NodeId to, Out& out) {
  if (!does(Behaviour::bad_chunks)) return out.push_back({to, message});
  Chunk lie = std::get<Chunk>(*message);
  auto& random = gang_->random;
  auto at = random.below(std::max<std::size_t>(1, lie.batches.size()));
  lied(Behaviour::bad_chunks);
  switch (random.below(7)) {
    case 0:  // cut in another place
      if (at + 1 < lie.batches.size()) {
        lie.batches[at] = joined(*lie.batches[at], *lie.batches[at + 1]);
        lie.batches.erase(lie.batches.begin() + static_cast<std::ptrdiff_t>(at) + 1);
      }
      break;
    case 1:  // another request under the same root
      if (lie.batches.empty()) break;
      lie.batches[at] = with_another_request(*lie.batches[at], gang_->own_request("default", gang_->next_nonce++, 7));
      break;
    case 2:  // a hole
      if (!lie.batches.empty()) lie.batches.erase(lie.batches.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 3:  // never the end of it
      lie.batches.resize(std::min<std::size_t>(1, lie.batches.size()));
      lie.fc.reset();
      break;
    case 4:  // other payloads under the same headers
      if (!lie.batches.empty()) lie.batches[at] = with_other_payloads(*lie.batches[at]);
      break;
    case 5:  // a certificate of something else
      if (gang_->newest_lc) lie.fc = gang_->newest_lc;
      break;
    default:
      for (int i = 0; i < 5; ++i) out.push_back({to, message});
      return;
  }
  out.push_back({to, std::make_shared<const Message>(std::move(lie))});
}

void Liar::make_noise(Out& out) {
  auto& random = gang_->random;
  auto say = [&](Behaviour behaviour, const MessagePtr& message) {
    if (!message) return;
    lied(behaviour);
    if (random.chance(500'000)) return to_all(message, out);
    out.push_back({gang_->any_outsider(), message});
  };
  if (now_and_then(Behaviour::replay, 50'000) && !gang_->memory.empty()) {
    say(Behaviour::replay, gang_->memory[random.below(gang_->memory.size())]);
  }
  if (now_and_then(Behaviour::forge, 20'000)) say(Behaviour::forge, forged_certificate());
  if (now_and_then(Behaviour::foreign, 20'000)) say(Behaviour::foreign, foreign_message());
  if (now_and_then(Behaviour::far_future, 20'000)) say(Behaviour::far_future, far_future_message());
  if (now_and_then(Behaviour::oversize, 5'000)) say(Behaviour::oversize, too_many_requests());
}

/// Made of a true lock certificate: another phase, another view, one signer for another, or some counted twice, or
/// nobody's signatures but its own.
MessagePtr Liar::forged_certificate() {
  if (!gang_->newest_lc) return nullptr;
  auto& random = gang_->random;
  Certificate lie = *gang_->newest_lc;
  switch (random.below(7)) {
    case 0:
      lie.phase = Phase::final;
      break;
    case 1:
      lie.view = lie.view.next();
      break;
    case 2:
      lie.point.index = lie.point.index.next();
      break;
    case 3:
      lie.signatures.back() = lie.signatures.front();
      break;
    case 4:
      lie.signatures.pop_back();
      break;
    case 5: {
      lie.phase = Phase::final;
      Vote own{lie.phase, lie.view, lie.point, self_, {}};
      lie.signatures.assign(genesis_.size(), {self_, std::get<Vote>(gang_->sign(own, self_)).signature});
      break;
    }
    default: {
      auto& entry = lie.signatures[random.below(lie.signatures.size())];
      Vote own{lie.phase, lie.view, lie.point, self_, {}};
      entry.signature = std::get<Vote>(gang_->sign(own, self_)).signature;
    }
  }
  return std::make_shared<const Message>(CertificateMessage{std::move(lie)});
}

MessagePtr Liar::foreign_message() {
  auto& random = gang_->random;
  LogPoint point{{1 + random.below(20)}, {}};
  point.root.bytes[0] = static_cast<std::uint8_t>(random.next());
  auto domain = gang_->domain;
  domain.cluster.bytes[0] ^= 1;
  switch (random.below(3)) {
    case 0:
      return std::make_shared<const Message>(CertificateMessage{
          gang_->around.foreign_certificate(random.chance(500'000) ? Phase::lock : Phase::final, view_, point)});
    case 1:
      return std::make_shared<const Message>(
          gang_->sign_in(domain, Challenge{{self_, view_, Reason::stalled, {}}, nullptr, {}}, self_));
    default:
      return std::make_shared<const Message>(gang_->sign_in(domain, Vote{Phase::lock, view_, point, self_, {}}, self_));
  }
}

MessagePtr Liar::far_future_message() {
  auto& random = gang_->random;
  View view{view_.value + 1 + random.below(random.chance(500'000) ? 3 : 1'000'000)};
  LogPoint point{{random.below(1'000'000)}, {}};
  point.root.bytes[0] = static_cast<std::uint8_t>(random.next());
  switch (random.below(6)) {
    case 0:
      return signed_lie(Vote{random.chance(500'000) ? Phase::lock : Phase::final, view, point, self_, {}});
    case 1:
      return signed_lie(Challenge{{self_, view, Reason::unresponsive, {}}, nullptr, {}});
    case 2:
      return signed_lie(ViewChange{{self_, view, {View{}, {Index{}, empty_root()}}, {}}, {}, {}});
    case 3: {
      while (!leads(view)) view = view.next();
      return signed_lie(Heartbeat{view, point, random.next(), {}, {}, {}});
    }
    case 4: {
      while (!leads(view)) view = view.next();
      CompactRange range;
      auto lie = gang_->make_proposal(view, range, {gang_->own_request("default", gang_->next_nonce++, 5)}, self_);
      return lie ? std::make_shared<const Message>(std::move(*lie)) : nullptr;
    }
    default:
      return std::make_shared<const Message>(
          Fetch{static_cast<Fetch::Kind>(1 + random.below(3)), view, {random.below(1'000'000)}, point});
  }
}

MessagePtr Liar::too_many_requests() {
  Forward lie;
  auto request = gang_->own_request("default", gang_->next_nonce++, 6);
  gang_->around.submitted(request);
  lie.requests.assign(max_requests_in_forward + 1, request);
  if (gang_->random.chance(500'000)) lie.requests.resize(3 * genesis_.parameters.forward_quota);
  return std::make_shared<const Message>(std::move(lie));
}

}  // namespace zell::simulation
