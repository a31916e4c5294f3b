#include "node/runtime/driver.h"

#include <algorithm>

#include "node/wire/codec.h"

namespace zell {

Driver::Driver(uv_loop_t& loop, const HandleCountPtr& handles, const Verifier& verifier, NodeId self,
               const SecretKey& secret, const SignatureScheme& scheme, Replica replica, Outlets outlets)
    : loop_(loop),
      verifier_(verifier),
      self_(self),
      secret_(secret),
      scheme_(scheme),
      replica_(std::move(replica)),
      outlets_(std::move(outlets)),
      timer_(&loop, handles, [this] { feed(Tick{}); }) {}

Instant Driver::now() {
  return {static_cast<std::int64_t>(uv_hrtime() / 1'000)};
}

void Driver::feed(Input input) {
  if (stopped_) return;
  inputs_.push_back(std::move(input));
  if (!pumping_) pump();
}

void Driver::committed(PersistId id) {
  // The core hears of it before it hears its own messages that were held for it.
  if (!stopped_) inputs_.push_back(Persisted{id});
  for (auto& send : hold_.persisted(id)) transmit(std::move(send));
  std::optional<Index> stored;
  while (!certificates_.empty() && certificates_.front().first <= id) {
    stored = certificates_.front().second;
    certificates_.pop_front();
  }
  if (stored) outlets_.stored_final(*stored);
  if (!pumping_) pump();
}

void Driver::commit_failed(const std::string& why) {
  hold_.persist_failed();
  feed(PersistFailed{why});
}

void Driver::stop() {
  stopped_ = true;
  inputs_.clear();
  timer_.stop();
}

void Driver::pump() {
  if (inputs_.empty()) return;
  pumping_ = true;
  while (!inputs_.empty()) {
    auto input = std::move(inputs_.front());
    inputs_.pop_front();
    carry_out(replica_.step(input, now()));
  }
  pumping_ = false;
  set_timer();
  outlets_.progress(replica_.status());
}

void Driver::carry_out(Effects effects) {
  if (effects.drop_held) hold_.drop_own();
  std::vector<StorageThread::Commit> commits;
  for (auto& persist : effects.persists) {
    if (persist.delta.fc) certificates_.emplace_back(persist.id, persist.delta.fc->point.index);
    commits.push_back({persist.id, std::move(persist.delta)});
  }
  if (!commits.empty()) outlets_.commit(std::move(commits));
  for (auto& send : effects.sends) {
    const bool own = send.sign;
    if (own && send.after > hold_.durable() && has_receiver(send)) sign(send);  // while the disk is at work
    if (hold_.may_go(send, own)) transmit(std::move(send));
  }
  for (const auto& serve : effects.serves) outlets_.serve(serve);
  for (const auto& check : effects.checks) outlets_.check(check);
  for (const auto& event : effects.events) outlets_.event(event);
  wake_at_ = effects.wake_at;
}

void Driver::sign(Send& send) {
  auto message = sign_message(*send.message, self_, secret_, scheme_, verifier_.domain());
  if (const auto* vote = std::get_if<Vote>(&message); vote && vote->signer == self_) verifier_.remember_own(*vote);
  send.message = std::make_shared<const Message>(std::move(message));
  send.sign = false;
}

std::vector<NodeId> Driver::connected_receivers(const Send& send) const {
  std::vector<NodeId> out;
  bool everyone = send.to != Send::To::one;
  for (std::size_t i = 0; i < verifier_.genesis().size(); ++i) {
    NodeId node{static_cast<std::uint16_t>(i)};
    if (node != self_ && (everyone || node == send.node) && outlets_.connected(node)) out.push_back(node);
  }
  return out;
}

bool Driver::is_to_self(const Send& send) const {
  return send.to == Send::To::all || (send.to == Send::To::one && send.node == self_);
}

bool Driver::has_receiver(const Send& send) const {
  return is_to_self(send) || !connected_receivers(send).empty();
}

void Driver::transmit(Send send) {
  const auto receivers = connected_receivers(send);
  const bool to_self = is_to_self(send);
  if (receivers.empty() && !to_self) return;

  if (send.sign) sign(send);
  const auto& message = *send.message;
  if (!receivers.empty()) {
    auto frame = std::make_shared<const Bytes>(encode_message(message, verifier_.domain().epoch));
    for (auto node : receivers) outlets_.send(node, lane_of(message), frame);
  }
  if (to_self && !stopped_) inputs_.push_back(Received{self_, verifier_.own(message)});
}

void Driver::set_timer() {
  if (!wake_at_ || stopped_) return timer_.stop();
  uv_update_time(&loop_);  // timers count from the loop's own time, which may lag by as long as the steps took
  auto wait = std::max<std::int64_t>(0, (*wake_at_ - now()).count());
  timer_.start(static_cast<std::uint64_t>((wait + 999) / 1'000));
}

}  // namespace zell
