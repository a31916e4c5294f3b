#include "node/crypto/hash.h"
#include "node/wire/codec.h"
#include "tests/simulation/world_impl.h"

namespace zell::simulation {

void World::start(NodeId id) {
  auto& node = nodes_[id.value];
  NonceWindows nonces;
  auto recovered = node.disk.store->recover([&](const Batch& batch) {
    for (const auto& request : *batch.requests) (void)nonces.insert(request->sender, request->nonce);
  });
  if (!recovered.ok()) throw Violation("the store does not recover: " + recovered.error().what);
  node.disk.durable = recovered->state;
  ++node.life;
  node.durable = 0;
  node.held.clear();
  node.committing = node.paused = false;
  ReplicaOptions options;
  options.incarnation = static_cast<std::uint64_t>(now().us);
  options.pool_max_requests = pool_limit;
  options.query_nonce.bytes[0] = static_cast<std::uint8_t>(node.life);
  options.query_nonce.bytes[1] = static_cast<std::uint8_t>(id.value + 1);
  if (honest(id)) {
    checks_.restarted(id, {recovered->finalised.size()});
    observer_.started(id, *recovered);
  }
  node.replica = std::make_unique<Replica>(genesis_, id, options, std::move(*recovered), std::move(nonces));
  say(name(id) + " starts, life " + std::to_string(node.life));
  step(id, Tick{});
  for (auto& other : nodes_) {
    if (other.id == id || !linked(id, other.id)) continue;
    step(id, PeerUp{other.id});
    step(other.id, PeerUp{id});
  }
}

void World::crash(NodeId id, bool wipe) {
  auto& node = nodes_[id.value];
  if (!node.replica) return;
  ++outcome_.seen["crashes"];
  outcome_.seen["commits lost in a crash"] += node.disk.in_flight.size();
  say(name(id) + (wipe ? " crashes and loses its disk" : " crashes"));
  std::vector<NodeId> peers;
  for (auto& other : nodes_) {
    if (other.id != id && linked(id, other.id)) peers.push_back(other.id);
  }
  node.replica.reset();
  node.disk.in_flight.clear();
  node.held.clear();
  ++node.life;
  if (wipe) node.disk.store = make_memory_store(genesis_, Standing::learner);
  for (auto peer : peers) step(peer, PeerDown{id, true});
}

void World::step(NodeId id, const Input& input) {
  auto& node = nodes_[id.value];
  if (!node.replica) return;
  ++outcome_.steps;
  auto effects = node.replica->step(input, now());
  remember_trace(id, input, effects);
  observer_.stepped(id, input, *node.replica, effects, now());
  carry_out(id, std::move(effects));
}

void World::remember_trace(NodeId id, const Input& input, const Effects& effects) {
  Writer entry;
  entry.u16(id.value);
  entry.u8(static_cast<std::uint8_t>(input.index()));
  entry.u64(static_cast<std::uint64_t>(now().us));
  entry.u64(effects.sends.size());
  entry.u64(effects.persists.size());
  entry.u64(effects.events.size());
  entry.raw(nodes_[id.value].replica->status().sequenced.root.view());
  trace_.insert(trace_.end(), entry.bytes().begin(), entry.bytes().end());
  if (trace_.size() < 4096) return;
  auto hash = sha256(trace_);
  trace_.assign(hash.bytes.begin(), hash.bytes.end());
}

void World::carry_out(NodeId id, Effects effects) {
  auto& node = nodes_[id.value];
  auto life = node.life;
  if (effects.drop_held) std::erase_if(node.held, [](const Send& send) { return send.sign; });
  for (auto& persist : effects.persists) node.disk.in_flight.push_back(std::move(persist));
  for (auto& send : effects.sends) node.held.push_back(std::move(send));
  for (const auto& event : effects.events) on_event(id, event);
  for (const auto& request : effects.serves) serve(id, request);
  for (const auto& check : effects.checks) check_finality(id, check.certificate);
  if (!node.disk.in_flight.empty() && !node.committing) commit(id);
  release(id);
  if (effects.wake_at && nodes_[id.value].life == life) {
    node.wake_at = effects.wake_at;
    at(std::max(Duration{0}, *effects.wake_at - now()), [this, id, life, when = *effects.wake_at] {
      auto& n = nodes_[id.value];
      if (n.life == life && !n.paused && n.wake_at && *n.wake_at == when) step(id, Tick{});
    });
  } else {
    node.wake_at.reset();
  }
}

void World::release(NodeId id) {
  auto& node = nodes_[id.value];
  std::vector<Send> ready, later;
  for (auto& send : node.held) (send.after <= node.durable ? ready : later).push_back(std::move(send));
  node.held = std::move(later);
  for (const auto& one : ready) send(id, one);
}

void World::on_event(NodeId id, const zell::Event& event) {
  if (const auto* final = std::get_if<Finalised>(&event)) {
    if (!honest(id)) {
      liars_final_leaves_.resize(final->batch->header.first.value - 1);
      for (const auto& request : *final->batch->requests) liars_final_leaves_.push_back(request->leaf);
      return;
    }
    checks_.finalised(id, *final->batch);
    observer_.finalised(*final->batch);
  } else if (const auto* view = std::get_if<ViewChanged>(&event)) {
    outcome_.view_changes = std::max(outcome_.view_changes, view->view.value);
    say(name(id) + (view->active ? " active in view " : " moves to view ") + std::to_string(view->view.value) +
        (view->active ? ", base " + std::to_string(view->base.value) : ""));
  } else if (const auto* challenged = std::get_if<Challenged>(&event)) {
    say(name(id) + " challenges view " + std::to_string(challenged->view.value) + ": " +
        std::string(to_string(challenged->reason)));
  } else if (const auto* noted = std::get_if<Noted>(&event)) {
    if (noted->what == "evidence of misbehaviour" && honest(id) && plan_.check_signatures) {
      checks_.accused(*noted->about, plan_.fault == Fault::none ? std::set<NodeId>{} : std::set{plan_.faulty});
    }
    if (noted->what.starts_with("rejoined")) ++outcome_.seen["rejoined learners"];
    say(name(id) + " notes: " + std::string(noted->what) + (noted->about ? " (" + name(*noted->about) + ")" : ""));
  } else if (const auto* stopped = std::get_if<Stopped>(&event)) {
    if (honest(id)) throw Violation(name(id) + " stopped: " + stopped->why);
  }
}

}  // namespace zell::simulation
