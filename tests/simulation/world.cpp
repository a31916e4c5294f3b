#include "tests/simulation/world.h"

#include <algorithm>
#include <queue>

#include "node/crypto/hash.h"
#include "node/storage/store.h"
#include "node/wire/codec.h"
#include "node/wire/request_codec.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/describe.h"
#include "tests/simulation/faulty.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/scheme.h"

namespace zell::simulation {
namespace {

using std::chrono::milliseconds;

/// A disk: what is committed stays, what is on its way is lost in a crash.
struct Disk {
  std::unique_ptr<Store> store;
  std::vector<Persist> in_flight;
  DurableState durable;
};

struct Node {
  NodeId id;
  Disk disk;
  std::unique_ptr<Replica> replica;  ///< null: down
  std::uint64_t life = 0;            ///< grows with each start: events of an earlier life are dropped
  PersistId durable = 0;
  std::vector<Send> held;  ///< waiting for their Persist
  std::optional<Instant> wake_at;
  bool paused = false;
  bool committing = false;
};

struct Event {
  Instant at;
  std::uint64_t order;
  std::function<void()> act;
  bool operator<(const Event& other) const { return std::tie(other.at.us, other.order) < std::tie(at.us, order); }
};

class World {
 public:
  World(const Plan& plan, std::function<void(const std::string&)> log)
      : plan_(plan),
        log_(std::move(log)),
        random_(plan.seed ^ 0x5eed),
        genesis_(make_genesis()),
        checks_(genesis_),
        verifier_(genesis_, scheme(), nullptr),
        liar_(plan_, genesis_, scheme(), secret(plan.faulty),
              {[this](const LogPoint& point) { return liars_log_at(point); },
               [this] { return checks_.some_final(random_.next()); },
               [this](const RequestPtr& request) { checks_.submitted(request); }}),
        observer_(plan_, genesis_, verifier_, outcome_.seen) {}

  Outcome run();

 private:
  const SignatureScheme& scheme() const { return plan_.real_signatures ? secp256k1_scheme() : cheap_scheme(); }
  SecretKey secret(NodeId node) const { return dev_secret_key(plan_.seed, "n" + std::to_string(node.value + 1)); }
  Genesis make_genesis() const;
  void at(Duration delay, std::function<void()> act) { queue_.push({now_ + delay, ++order_, std::move(act)}); }
  Duration between(Duration low, Duration high) {
    return Duration(low.count() +
                    static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  Duration about(Duration mean) { return between(mean / 4, mean * 7 / 4); }
  void say(const std::string& text) {
    if (log_) log_(std::to_string(now_.us / 1000) + "ms " + text);
  }
  static std::string name(NodeId node) { return "n" + std::to_string(node.value + 1); }
  bool honest(NodeId node) const { return plan_.fault == Fault::none || node != plan_.faulty; }
  bool linked(NodeId a, NodeId b) const {
    return nodes_[a.value].replica && nodes_[b.value].replica && group_[a.value] == group_[b.value];
  }

  void start(NodeId id);
  void crash(NodeId id, bool wipe);
  void step(NodeId id, const Input& input);
  void carry_out(NodeId id, Effects effects);
  void commit(NodeId id);
  void release(NodeId id);
  void send(NodeId id, const Send& send);
  void transmit(NodeId from, NodeId to, const Message& message);
  void deliver(NodeId from, NodeId to, const std::shared_ptr<const Message>& message);
  void serve(NodeId id, const ServeLog& serve);
  void on_event(NodeId id, const zell::Event& event);
  void rewire(const std::vector<int>& groups);
  void schedule_chaos();
  void heal();
  void schedule_requests();
  void submit(std::size_t which);
  bool finished() const;
  void note_new_view(const NewView& news);
  std::optional<CompactRange> liars_log_at(const LogPoint& point) const;
  void remember_trace(NodeId id, const Input& input, const Effects& effects);

  Plan plan_;
  std::function<void(const std::string&)> log_;
  Prng random_;
  Genesis genesis_;
  Checks checks_;
  Verifier verifier_;
  Liar liar_;
  std::vector<Hash> liars_final_leaves_;
  Outcome outcome_;
  Observer observer_;
  std::vector<Node> nodes_;
  std::vector<int> group_;
  std::priority_queue<Event> queue_;
  std::uint64_t order_ = 0;
  Instant now_{1'000'000};
  bool healed_ = false;
  std::vector<RequestPtr> requests_;
  Instant last_submission_{};
  Bytes trace_;
};

Genesis World::make_genesis() const {
  Genesis genesis;
  genesis.cluster_name = "simulation";
  genesis.chain_id = 0;
  for (std::uint16_t i = 0; i < plan_.nodes; ++i) {
    genesis.members.push_back({"n" + std::to_string(i + 1), *scheme().public_key(secret({i})), plan_.stakes[i]});
  }
  genesis.parameters.view_timeout_ms = 400;
  genesis.parameters.view_timeout_cap_ms = 4'000;
  genesis.parameters.heartbeat_ms = 100;
  genesis.parameters.censorship_timeout_ms = 400;
  genesis.parameters.batches_in_flight = 4;
  genesis.parameters.batch_max_requests = 8;
  genesis.parameters.forward_quota = 16;
  return genesis;
}

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
  options.incarnation = static_cast<std::uint64_t>(now_.us);
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
  auto effects = node.replica->step(input, now_);
  remember_trace(id, input, effects);
  observer_.stepped(id, input, *node.replica, effects, now_);
  carry_out(id, std::move(effects));
}

void World::remember_trace(NodeId id, const Input& input, const Effects& effects) {
  Writer entry;
  entry.u16(id.value);
  entry.u8(static_cast<std::uint8_t>(input.index()));
  entry.u64(static_cast<std::uint64_t>(now_.us));
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
  if (!node.disk.in_flight.empty() && !node.committing) commit(id);
  release(id);
  if (effects.wake_at && nodes_[id.value].life == life) {
    node.wake_at = effects.wake_at;
    at(std::max(Duration{0}, *effects.wake_at - now_), [this, id, life, when = *effects.wake_at] {
      auto& n = nodes_[id.value];
      if (n.life == life && !n.paused && n.wake_at && *n.wake_at == when) step(id, Tick{});
    });
  } else {
    node.wake_at.reset();
  }
}

/// Group commit: all that is queued now becomes durable at once, later.
void World::commit(NodeId id) {
  auto& node = nodes_[id.value];
  node.committing = true;
  auto count = node.disk.in_flight.size();
  at(between(plan_.disk_min, plan_.disk_max), [this, id, count, life = node.life] {
    auto& n = nodes_[id.value];
    if (n.life != life) return;
    std::vector<Delta> deltas;
    PersistId last = 0;
    for (std::size_t i = 0; i < count; ++i) {
      last = n.disk.in_flight[i].id;
      if (n.disk.in_flight[i].delta.state) n.disk.durable = *n.disk.in_flight[i].delta.state;
      deltas.push_back(std::move(n.disk.in_flight[i].delta));
    }
    n.disk.in_flight.erase(n.disk.in_flight.begin(), n.disk.in_flight.begin() + static_cast<std::ptrdiff_t>(count));
    auto status = n.disk.store->commit(deltas);
    if (!status.ok()) throw Violation("commit refused: " + status.error().what);
    n.durable = last;
    n.committing = false;
    if (!n.disk.in_flight.empty()) commit(id);
    release(id);
    step(id, Persisted{last});
  });
}

void World::release(NodeId id) {
  auto& node = nodes_[id.value];
  std::vector<Send> ready, later;
  for (auto& send : node.held) (send.after <= node.durable ? ready : later).push_back(std::move(send));
  node.held = std::move(later);
  for (const auto& one : ready) send(id, one);
}

void World::send(NodeId id, const Send& send) {
  Message message = *send.message;
  if (send.sign) message = sign_message(std::move(message), id, secret(id), scheme(), verifier_.domain());
  if (honest(id) && send.sign && plan_.check_signatures) checks_.signed_by(id, message, nodes_[id.value].disk.durable);
  if (const auto* challenge = std::get_if<Challenge>(&message); challenge && honest(id))
    observer_.challenged(*challenge);
  if (const auto* news = std::get_if<NewView>(&message); news && send.sign && send.to != Send::To::one)
    note_new_view(*news);
  auto shared = std::make_shared<const Message>(message);
  bool to_self = send.to == Send::To::all || (send.to == Send::To::one && send.node == id);
  if (to_self) {
    at(Duration{1}, [this, id, shared, life = nodes_[id.value].life] {
      if (nodes_[id.value].life == life) step(id, Received{id, verifier_.own(*shared)});
    });
  }
  for (auto& other : nodes_) {
    if (other.id == id || (send.to == Send::To::one && send.node != other.id)) continue;
    if (honest(id)) {
      transmit(id, other.id, message);
    } else {
      for (const auto& lie : liar_.tell(message, other.id)) transmit(id, other.id, lie);
    }
  }
}

void World::transmit(NodeId from, NodeId to, const Message& message) {
  ++outcome_.messages;
  if (!linked(from, to)) return;
  bool lossy = !healed_;
  if (lossy && random_.chance(plan_.loss)) return;
  auto shared = std::make_shared<const Message>(message);
  int copies = lossy && random_.chance(plan_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    auto delay = between(plan_.delay_min, plan_.delay_max);
    if (lossy && random_.chance(plan_.spike)) delay *= 50;
    if (!honest(from)) delay += liar_.holds_back(message);
    at(delay, [this, from, to, shared, life = nodes_[to.value].life] {
      if (nodes_[to.value].life == life) deliver(from, to, shared);
    });
  }
}

void World::deliver(NodeId from, NodeId to, const std::shared_ptr<const Message>& message) {
  if (!linked(from, to)) return;
  auto& node = nodes_[to.value];
  if (node.paused) {
    at(milliseconds(20), [this, from, to, message, life = node.life] {
      if (nodes_[to.value].life == life) deliver(from, to, message);
    });
    return;
  }
  Message copy = *message;
  if (plan_.real_signatures) {
    DecodeContext context{verifier_.domain(), genesis_.parameters, genesis_.size()};
    auto decoded = decode_message(encode_message(*message, {}), context);
    if (!decoded.ok()) {
      if (honest(from)) throw Violation("an honest message does not decode: " + decoded.error().what);
      return;
    }
    copy = std::move(*decoded);
  }
  auto checked = verifier_.check(std::move(copy));
  if (!checked.ok()) {
    if (honest(from)) {
      throw Violation("an honest message is refused: " + std::string(name_of(*message)) + " of " + name(from) + ": " +
                      checked.error().what);
    }
    return;
  }
  if (plan_.say_messages) say("  " + name(from) + " -> " + name(to) + " " + describe(*message));
  if (honest(to)) return step(to, Received{from, *checked});
  if (auto heard = liar_.hear(*message)) {
    auto again = verifier_.check(std::move(*heard));
    if (again.ok()) step(to, Received{from, *again});
  }
  for (const auto& lie : liar_.blurt()) {
    for (const auto& other : nodes_) {
      if (other.id != to) transmit(to, other.id, lie);
    }
  }
}

void World::serve(NodeId id, const ServeLog& serve) {
  auto range = nodes_[id.value].disk.store->read_certified(serve.from, 1 << 20);
  if (!range.ok() || range->batches.empty()) return;
  Chunk chunk{{range->batches.front()->header.first.value - 1}, range->batches, range->fc};
  transmit(id, serve.to, chunk);
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

void World::note_new_view(const NewView& news) {
  std::vector<std::optional<Certificate>> locks;
  for (const auto& node : nodes_) locks.push_back(node.disk.durable.highest_lc);
  observer_.new_view(news, checks_.highest_final(), locks);
}

/// What a liar builds its other logs on: the compact range at a point of its own.
std::optional<CompactRange> World::liars_log_at(const LogPoint& point) const {
  const auto& replica = nodes_[plan_.faulty.value].replica;
  if (!replica) return std::nullopt;
  auto leaves = liars_final_leaves_;
  for (const auto& batch : replica->unfinalised()) {
    leaves.resize(batch->header.first.value - 1);
    for (const auto& request : *batch->requests) leaves.push_back(request->leaf);
  }
  if (point.index.value > leaves.size()) return std::nullopt;
  CompactRange range;
  for (std::size_t i = 0; i < point.index.value; ++i) range.append(leaves[i]);
  if (range.root() != point.root) return std::nullopt;
  return range;
}

/// Puts each node into a group; only nodes of one group reach each other.
void World::rewire(const std::vector<int>& groups) {
  auto before = group_;
  group_ = groups;
  for (auto& a : nodes_) {
    for (auto& b : nodes_) {
      if (a.id == b.id || !a.replica || !b.replica) continue;
      bool was = before[a.id.value] == before[b.id.value];
      bool is = group_[a.id.value] == group_[b.id.value];
      if (was && !is) step(a.id, PeerDown{b.id, false});
      if (!was && is) step(a.id, PeerUp{b.id});
    }
  }
}

void World::schedule_chaos() {
  auto repeat = [this](Duration mean, auto act) {
    if (mean.count() == 0) return;
    auto again = std::make_shared<std::function<void()>>();
    *again = [this, mean, act, self = std::weak_ptr(again)] {
      if (healed_) return;
      act();
      if (auto next = self.lock()) at(about(mean), [next] { (*next)(); });
    };
    at(about(mean), [again] { (*again)(); });
  };
  auto any = [this] { return NodeId{static_cast<std::uint16_t>(random_.below(plan_.nodes))}; };
  repeat(plan_.crash_every, [this, any] {
    NodeId id = any();
    // A learner counts as faulty until it has rejoined: less than a third of the stake may be.
    bool tolerable = 3 * plan_.stakes[id.value] < genesis_.total_stake();
    bool wipe = plan_.wipe && tolerable && random_.chance(500'000) && outcome_.seen["rejoined learners"] == 0;
    if (wipe) plan_.wipe = false;
    crash(id, wipe);
    at(between(milliseconds(1), milliseconds(1'500)), [this, id] {
      if (!nodes_[id.value].replica) start(id);
    });
  });
  repeat(plan_.partition_every, [this] {
    std::vector<int> groups(plan_.nodes);
    for (auto& group : groups) group = static_cast<int>(random_.below(2));
    rewire(groups);
    at(between(milliseconds(50), milliseconds(1'500)), [this] { rewire(std::vector<int>(plan_.nodes, 0)); });
  });
  repeat(plan_.pause_every, [this, any] {
    NodeId id = any();
    nodes_[id.value].paused = true;
    at(between(milliseconds(50), milliseconds(1'500)), [this, id, life = nodes_[id.value].life] {
      auto& node = nodes_[id.value];
      if (node.life != life) return;
      node.paused = false;
      step(id, Tick{});
    });
  });
  repeat(plan_.manual_every, [this, any] {
    for (int i = 0; i < 2; ++i) step(any(), ChallengeNow{});
  });
}

void World::submit(std::size_t which) {
  const auto& request = requests_[which];
  if (checks_.is_final(request->id)) return;
  NodeId to{static_cast<std::uint16_t>(random_.below(plan_.nodes))};
  if (honest(to) && nodes_[to.value].replica && !nodes_[to.value].paused) step(to, Submit{request});
  // What is initialised lives in memory: a client submits again until it is final.
  at(milliseconds(700), [this, which] { submit(which); });
}

void World::heal() {
  healed_ = true;
  observer_.healed(now_);
  say("everything heals");
  rewire(std::vector<int>(plan_.nodes, 0));
  for (auto& node : nodes_) {
    node.paused = false;
    if (!node.replica) start(node.id);
    step(node.id, Tick{});
  }
}

bool World::finished() const {
  if (!healed_ || now_ < last_submission_ || checks_.final_count() < requests_.size()) return false;
  for (const auto& request : requests_) {
    if (!checks_.is_final(request->id)) return false;
  }
  for (const auto& node : nodes_) {
    if (honest(node.id) && checks_.final_of(node.id) != checks_.highest_final()) return false;
  }
  return true;
}

void World::schedule_requests() {
  auto add = [this](Duration low, Duration high) {
    auto i = requests_.size();
    Bytes payload{static_cast<std::uint8_t>(i)};
    auto user = Liar::user(plan_.seed, i % 3);
    requests_.push_back(sign_request(verifier_.domain(), scheme(), user, "default", 1 + i, std::span(&payload, 1)));
    checks_.submitted(requests_.back());
    auto delay = between(low, high);
    last_submission_ = std::max(last_submission_, now_ + delay);
    at(delay, [this, i] { submit(i); });
  };
  for (std::size_t i = 0; i < plan_.requests; ++i) add(milliseconds(1), plan_.chaos);
  if (!plan_.watch_patience) return;
  auto settled = plan_.chaos + 3 * milliseconds(genesis_.parameters.view_timeout_cap_ms);
  for (std::size_t i = 0; i < 10; ++i) add(settled, settled + milliseconds(4'000));
}

Outcome World::run() {
  for (std::uint16_t i = 0; i < plan_.nodes; ++i) {
    nodes_.emplace_back();
    nodes_.back().id = {i};
    nodes_.back().disk.store = make_memory_store(genesis_, Standing::member);
  }
  group_.assign(plan_.nodes, 0);
  schedule_requests();
  try {
    for (std::uint16_t i = 0; i < plan_.nodes; ++i) start({i});
    schedule_chaos();
    at(plan_.chaos, [this] { heal(); });
    Instant limit = now_ + plan_.chaos + plan_.heal_limit;
    while (!finished()) {
      if (queue_.empty() || queue_.top().at > limit) {
        std::string where;
        for (const auto& node : nodes_) {
          auto status = node.replica->status();
          where += " " + name(node.id) + ": view " + std::to_string(status.view.value) +
                   (status.active ? "" : " (moving)") + " final " + std::to_string(status.finalised.index.value) + "/" +
                   std::to_string(status.sequenced.index.value);
        }
        throw Violation("no progress after healing: " + std::to_string(checks_.final_count()) + " of " +
                        std::to_string(requests_.size()) + " final;" + where);
      }
      auto event = queue_.top();
      queue_.pop();
      now_ = event.at;
      event.act();
    }
  } catch (const Violation& violation) {
    outcome_.violation = violation.what();
  }
  outcome_.trace = sha256(trace_);
  outcome_.final_requests = checks_.final_count();
  for (const auto& [what, n] : liar_.told()) outcome_.seen["lies: " + what] += n;
  outcome_.seen["runs: calm"] += plan_.calm;
  outcome_.seen["runs: watched for patience long after healing"] += plan_.watch_patience;
  outcome_.seen["runs: that changed views"] += outcome_.view_changes > 0;
  outcome_.seen["runs: with fault " + std::string(to_string(plan_.fault))] += 1;
  return outcome_;
}

}  // namespace

Outcome run(const Plan& plan, const std::function<void(const std::string&)>& log) {
  return World(plan, log).run();
}

}  // namespace zell::simulation
