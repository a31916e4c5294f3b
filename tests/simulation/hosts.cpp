#include "node/crypto/hash.h"
#include "tests/simulation/world_impl.h"

namespace zell::simulation {

void World::start(Host& host) {
  NonceWindows nonces;
  auto recovered = recover(host, nonces);
  ++host.life;
  host.durable = 0;
  host.held.clear();
  host.wake_at.reset();
  host.paused = false;
  host.cut_short_in = 0;
  std::int32_t drift = 0;
  if (plan_.drift > 0 && !healed_) {
    drift = static_cast<std::int32_t>(chaos_random_.below(2 * plan_.drift)) - static_cast<std::int32_t>(plan_.drift);
  }
  host.clock = Clock({1'000'000 + static_cast<std::int64_t>(chaos_random_.below(1'000'000'000))}, drift, now());
  ReplicaOptions options;
  options.incarnation = static_cast<std::uint64_t>(now().us);
  options.pool_max_requests = pool_limit;
  options.query_nonce.bytes[0] = static_cast<std::uint8_t>(host.life);
  options.query_nonce.bytes[1] = static_cast<std::uint8_t>(host.place + 1);
  if (honest(host.id)) {
    bool remembers = plan_.accountable(host.id) && plan_.wiped != host.id;
    checks_.restarted(host.id, {recovered.finalised.size()}, remembers);
    observer_.started(host.id, recovered);
  }
  host.replica = std::make_unique<Replica>(genesis_, host.id, options, std::move(recovered), std::move(nonces));
  say(name(host) + " starts, life " + std::to_string(host.life));
  step(host, Tick{});
  for (auto& other : hosts_) {
    if (connected(host, other)) connect(host, other);
  }
}

void World::crash(Host& host) {
  if (!host.replica) return;
  happened("faults: crashes");
  outcome_.seen["commits lost in a crash"] += host.disk.in_flight.size();
  say(name(host) + " crashes");
  std::vector<std::size_t> peers;
  for (auto& other : hosts_) {
    if (connected(host, other)) peers.push_back(other.place);
  }
  host.replica.reset();
  cut_power(host);
  host.held.clear();
  ++host.life;
  for (auto peer : peers) {
    // What it had sent may still arrive.
    if (network_random_.chance(500'000)) ++link(host, hosts_[peer]).connection;
    ++link(hosts_[peer], host).connection;
    lost(hosts_[peer], host, true);
  }
}

void World::step(Host& host, const Input& input) {
  if (!host.replica) return;
  ++outcome_.steps;
  auto effects = host.replica->step(input, host.clock.read(now()));
  remember_trace(host, input, effects);
  if (honest(host.id)) observer_.stepped(host.id, input, *host.replica, effects, now());
  carry_out(host, std::move(effects));
}

void World::remember_trace(const Host& host, const Input& input, const Effects& effects) {
  trace_.u16(static_cast<std::uint16_t>(host.place));
  trace_.u8(static_cast<std::uint8_t>(input.index()));
  trace_.u64(static_cast<std::uint64_t>(now().us));
  trace_.u8(static_cast<std::uint8_t>(effects.sends.size()));
  trace_.u8(static_cast<std::uint8_t>(effects.persists.size()));
  trace_.u8(static_cast<std::uint8_t>(effects.events.size()));
  trace_.u64(static_cast<std::uint64_t>(effects.wake_at.value_or(Instant{}).us));
  for (const auto& persist : effects.persists) {
    if (persist.delta.state) trace_.fixed(persist.delta.state->tip.root);
  }
  if (trace_.size() < 4096) return;
  auto hash = sha256(trace_.take());
  trace_ = {};
  trace_.reserve(8192);
  trace_.fixed(hash);
}

/// Whether it crashed here, between two effects.
bool World::cut_short(Host& host) {
  if (host.cut_short_in == 0 || --host.cut_short_in > 0) return false;
  happened("faults: crashes between two effects");
  crash(host);
  start_later(host);
  return true;
}

void World::carry_out(Host& host, Effects effects) {
  auto life = host.life;
  if (effects.drop_held) std::erase_if(host.held, [](const Send& send) { return send.sign; });
  for (auto& persist : effects.persists) {
    if (cut_short(host)) return;
    host.disk.in_flight.push_back(std::move(persist));
  }
  for (auto& send : effects.sends) host.held.push_back(std::move(send));
  for (const auto& event : effects.events) {
    if (cut_short(host)) return;
    on_event(host, event);
  }
  for (const auto& request : effects.serves) {
    if (cut_short(host)) return;
    serve(host, request);
  }
  for (const auto& check : effects.checks) check_finality(host, check.certificate);
  if (!host.disk.in_flight.empty() && host.disk.committing == 0) commit(host);
  release(host);
  if (host.life == life) schedule_wake(host, effects.wake_at);
}

void World::schedule_wake(Host& host, std::optional<Instant> when) {
  host.wake_at = when;
  if (!when) return;
  at(host.clock.until(*when, now()), [this, place = host.place, life = host.life, asked = *when] {
    auto& h = hosts_[place];
    if (h.life == life && !h.paused && h.wake_at == asked) step(h, Tick{});
  });
}

void World::release(Host& host) {
  std::vector<Send> ready, later;
  for (auto& send : host.held) (send.after <= host.durable ? ready : later).push_back(std::move(send));
  host.held = std::move(later);
  for (const auto& one : ready) {
    bool waited = one.after > 0;
    if (cut_short(host)) {
      if (waited) happened("crashes between a durable commit and its send");
      return;
    }
    send(host, one);
  }
}

void World::on_event(Host& host, const zell::Event& event) {
  bool is_honest = honest(host.id);
  if (const auto* final = std::get_if<Finalised>(&event)) {
    if (!is_honest) return;
    checks_.finalised(host.id, *final->batch);
    observer_.finalised(*final->batch);
  } else if (const auto* update = std::get_if<RequestUpdate>(&event)) {
    if (!answer_) answer_ = update->state;
  } else if (const auto* view = std::get_if<ViewChanged>(&event)) {
    outcome_.view_changes = std::max(outcome_.view_changes, view->view.value);
    say(name(host) + (view->active ? " active in view " : " moves to view ") + std::to_string(view->view.value) +
        (view->active ? ", base " + std::to_string(view->base.value) : ""));
  } else if (const auto* challenged = std::get_if<Challenged>(&event)) {
    say(name(host) + " challenges view " + std::to_string(challenged->view.value) + ": " +
        std::string(to_string(challenged->reason)));
  } else if (const auto* noted = std::get_if<Noted>(&event)) {
    if (noted->what == "evidence of misbehaviour" && is_honest && plan_.check_signatures) {
      checks_.accused(*noted->about, blamable_);
    }
    if (noted->what.starts_with("rejoined") && is_honest) observer_.rejoined();
    if (journal_) {
      say(name(host) + " notes: " + std::string(noted->what) + (noted->about ? " (" + name(*noted->about) + ")" : ""));
    }
  } else if (const auto* stopped = std::get_if<Stopped>(&event)) {
    say(name(host) + " stops: " + stopped->why);
    if (is_honest && !(host.disk.failed && stopped->code == "storage-failed")) {
      throw Violation(name(host) + " stopped: " + stopped->why);
    }
  }
}

}  // namespace zell::simulation
