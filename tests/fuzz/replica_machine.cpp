#include "tests/fuzz/replica_machine.h"

#include "node/wire/codec.h"
#include "tests/simulation/scheme.h"

namespace zell::testing {

using simulation::Violation;

ReplicaMachine::ReplicaMachine(const Genesis& genesis, const Verifier& verifier, NodeId self, const SecretKey& secret,
                               Standing standing)
    : genesis_(genesis),
      verifier_(verifier),
      self_(self),
      secret_(secret),
      store_(make_memory_store(genesis, standing)),
      checks_(std::make_unique<simulation::Checks>()) {
  options_.pool_max_requests = 12;
  start();
}

void ReplicaMachine::start() {
  NonceWindows nonces;
  auto recovered = store_->recover([&](const Batch& batch) {
    for (const auto& request : *batch.requests) (void)nonces.insert(request->sender, request->nonce);
  });
  if (!recovered.ok()) throw Unrecoverable("the store does not recover: " + recovered.error().what);
  options_.incarnation = static_cast<std::uint64_t>(now_.us);
  ++options_.query_nonce.bytes[0];
  durable_state_ = recovered->state;
  durable_ = 0;
  failed_ = false;
  replica_ = std::make_unique<Replica>(genesis_, self_, options_, std::move(*recovered), std::move(nonces));
  step(Tick{});
}

void ReplicaMachine::restart(bool wipe) {
  constexpr std::chrono::milliseconds start_time{1};  // longer in microseconds than what one life counts up to
  pass(start_time);
  in_flight_.clear();
  held_.clear();
  own_inputs_.clear();
  if (wipe) {
    // What it signed before is forgotten with the disk: that others keep it from signing otherwise is theirs to do.
    store_ = make_memory_store(genesis_, Standing::learner);
    checks_ = std::make_unique<simulation::Checks>();
  }
  start();
}

void ReplicaMachine::step(const Input& input) {
  own_inputs_.push_back(input);
  if (stepping_) return;
  stepping_ = true;
  while (!own_inputs_.empty()) {
    const auto next = std::move(own_inputs_.front());
    own_inputs_.pop_front();
    carry_out(replica_->step(next, now_));
  }
  stepping_ = false;
}

void ReplicaMachine::tick() {
  constexpr int patience = 8;
  for (int i = 0; i < patience; ++i) {
    step(Tick{});
    if (!wake_at_ || *wake_at_ > now_) return;
  }
  throw Violation("the core wants to be woken at once, for ever");
}

void ReplicaMachine::carry_out(Effects effects) {
  if (effects.drop_held) std::erase_if(held_, [](const Send& send) { return send.sign; });
  for (auto& persist : effects.persists) in_flight_.push_back(std::move(persist));
  for (auto& send : effects.sends) {
    if (!failed_ || send.after == 0) held_.push_back(std::move(send));
  }
  wake_at_ = effects.wake_at;
  release();
  for (const auto& event : effects.events) on_event(event);
  for (const auto& check : effects.checks) check_finality(check.certificate);
}

void ReplicaMachine::persist(std::size_t count) {
  if (failed_) return;
  std::vector<Delta> deltas;
  PersistId last = 0;
  for (; count > 0 && !in_flight_.empty(); --count) {
    last = in_flight_.front().id;
    if (in_flight_.front().delta.state) durable_state_ = *in_flight_.front().delta.state;
    deltas.push_back(std::move(in_flight_.front().delta));
    in_flight_.pop_front();
  }
  if (deltas.empty()) return;
  if (auto status = store_->commit(deltas); !status) throw Violation("commit refused: " + status.error().what);
  durable_ = last;
  stepping_ = true;  // the core hears of it before it hears its own messages that were held for it
  own_inputs_.push_back(Persisted{last});
  release();
  stepping_ = false;
  const auto first = std::move(own_inputs_.front());
  own_inputs_.pop_front();
  step(first);
}

void ReplicaMachine::fail_disk() {
  if (failed_) return;
  failed_ = true;
  std::erase_if(held_, [&](const Send& send) { return send.after > durable_; });
  in_flight_.clear();
  step(PersistFailed{"no space left on device"});
}

void ReplicaMachine::release() {
  std::deque<Send> later;
  for (auto& send : std::exchange(held_, {})) {
    if (send.after > durable_) {
      later.push_back(std::move(send));
    } else {
      transmit(send);
    }
  }
  held_ = std::move(later);
}

void ReplicaMachine::transmit(const Send& send) {
  auto message = *send.message;
  if (send.sign) {
    message = sign_message(std::move(message), self_, secret_, simulation::cheap_scheme(), verifier_.domain());
    checks_->signed_by(self_, message, durable_state_);
    signed_.push_back(message);
  }
  const DecodeContext context{verifier_.domain(), genesis_.parameters, genesis_.size()};
  auto decoded = decode_message(encode_message(message, {}), context);
  const std::string name(name_of(message));
  if (!decoded.ok()) throw Violation("sent a " + name + " that does not decode: " + decoded.error().what);
  const auto checked = verifier_.check(std::move(*decoded));
  if (!checked.ok()) throw Violation("sent a " + name + " that is refused: " + checked.error().what);
  const bool to_self = send.to == Send::To::all || (send.to == Send::To::one && send.node == self_);
  if (to_self) own_inputs_.push_back(Received{self_, verifier_.own(message)});
}

void ReplicaMachine::on_event(const Event& event) {
  if (const auto* final = std::get_if<Finalised>(&event)) finalised_.push_back(final->batch);
  const auto* noted = std::get_if<Noted>(&event);
  if (noted && noted->what == "evidence of misbehaviour" && noted->about == self_) {
    throw Violation("evidence names the node itself");
  }
}

/// As the storage thread answers: the log's own newest certificate, and the proof that it contradicts.
void ReplicaMachine::check_finality(const Certificate& older) {
  const auto newest = replica_->finality();
  if (!newest || newest->point.index <= older.point.index) return;
  const auto leaves = store_->read_leaves({1}, newest->point.index);
  if (!leaves.ok() || leaves->size() != newest->point.index.value) return;  // not on disk yet
  const auto root = tree_root(std::span(*leaves).first(older.point.index.value));
  if (root == older.point.root) return;
  step(Received{self_,
                verifier_.own(Conflict{older, *newest, root, consistency_proof(older.point.index.value, *leaves)})});
}

}  // namespace zell::testing
