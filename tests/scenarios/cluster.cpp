#include "tests/scenarios/cluster.h"

#include <algorithm>
#include <stdexcept>

#include "node/wire/request_codec.h"
#include "tests/simulation/scheme.h"

namespace zell::scenarios {
namespace {

const SignatureScheme& scheme() {
  return simulation::cheap_scheme();
}

std::string member_name(std::size_t member) {
  return "n" + std::to_string(member + 1);
}

SecretKey secret_of(std::string_view name) {
  return dev_secret_key(1, name);
}

Genesis make_genesis(const ClusterOptions& options) {
  Genesis genesis;
  genesis.cluster_name = "scenario";
  genesis.parameters = options.parameters;
  for (std::size_t i = 0; i < options.stakes.size(); ++i) {
    auto name = member_name(i);
    genesis.members.push_back({name, *scheme().public_key(secret_of(name)), options.stakes[i]});
  }
  if (auto status = genesis.validate(); !status) throw std::runtime_error(status.error().what);
  return genesis;
}

}  // namespace

Cluster::Cluster(const ClusterOptions& options)
    : genesis_(make_genesis(options)),
      verifier_(genesis_, scheme(), nullptr),
      pool_max_requests_(options.pool_max_requests),
      may_connect_([](ProcessId, ProcessId) { return false; }) {
  auto add = [this](NodeId member, const std::string& name) {
    processes_.emplace_back();
    processes_.back().name = name;
    processes_.back().member = member;
    processes_.back().store = make_memory_store(genesis_, Standing::member);
  };
  for (std::size_t i = 0; i < genesis_.size(); ++i) {
    secrets_.push_back(secret_of(member_name(i)));
    add({static_cast<std::uint16_t>(i)}, member_name(i));
  }
  for (auto twin : options.twins) add(twin, member_name(twin.value) + "'");
  up_.assign(processes_.size(), std::vector<bool>(processes_.size(), false));
}

void Cluster::begin() {
  for (ProcessId id = 0; id < processes_.size(); ++id) start(id);
  rewire([](ProcessId, ProcessId) { return true; });
}

Message Cluster::sign_as(NodeId member, Message message) const {
  return sign_message(std::move(message), member, secrets_[member.value], scheme(), verifier_.domain());
}

RequestPtr Cluster::request(std::string_view user, std::uint64_t nonce, std::string_view payload) const {
  Bytes bytes(payload.begin(), payload.end());
  return sign_request(verifier_.domain(), scheme(), secret_of(user), "default", nonce, std::span(&bytes, 1));
}

// ---- Processes and their disks

void Cluster::start(ProcessId id) {
  auto& process = processes_[id];
  NonceWindows nonces;
  auto recovered = process.store->recover([&](const Batch& batch) {
    for (const auto& request : *batch.requests) (void)nonces.insert(request->sender, request->nonce);
  });
  if (!recovered.ok()) throw std::runtime_error("the store does not recover: " + recovered.error().what);
  process.durable_state = recovered->state;
  process.durable = 0;
  ++process.life;
  ReplicaOptions options;
  options.incarnation = process.life << 32;
  options.pool_max_requests = pool_max_requests_;
  options.query_nonce.bytes[0] = static_cast<std::uint8_t>(process.life);
  options.query_nonce.bytes[1] = static_cast<std::uint8_t>(id + 1);
  for (auto* observer : observers_) observer->started(process, *recovered);
  process.replica =
      std::make_unique<Replica>(genesis_, process.member, options, std::move(*recovered), std::move(nonces));
  feed(id, Tick{});
  connect_as_allowed(false);
}

void Cluster::crash(ProcessId id) {
  auto& process = processes_[id];
  process.replica.reset();
  process.uncommitted.clear();
  process.held.clear();
  process.wake_at.reset();
  connect_as_allowed(true);
}

void Cluster::stop(ProcessId id) {
  feed(id, Closing{});
  crash(id);
}

void Cluster::lose_disk(ProcessId id) {
  auto& process = processes_[id];
  process.created_as = Standing::learner;
  process.journal.clear();
  process.store = make_memory_store(genesis_, Standing::learner);
}

void Cluster::restore_disk(ProcessId id, std::size_t at) {
  auto& process = processes_[id];
  process.journal.resize(at);
  process.store = make_memory_store(genesis_, process.created_as);
  if (auto recovered = process.store->recover([](const Batch&) {}); !recovered.ok()) {
    throw std::runtime_error(recovered.error().what);
  }
  if (auto status = process.store->commit(process.journal); !status) throw std::runtime_error(status.error().what);
}

void Cluster::ignore_forgetting(ProcessId id) {
  auto& process = processes_[id];
  crash(id);
  process.journal.emplace_back();
  process.journal.back().state = process.durable_state;
  process.journal.back().state->standing = Standing::member;
  auto status = process.store->commit(std::span(process.journal).last(1));
  if (!status.ok()) throw std::runtime_error(status.error().what);
  start(id);
}

void Cluster::set_disk(ProcessId id, bool works) {
  processes_[id].disk_works = works;
  if (works && !processes_[id].uncommitted.empty()) commit(id);
}

void Cluster::fail_disk(ProcessId id, const std::string& why) {
  processes_[id].disk_works = false;
  processes_[id].uncommitted.clear();
  feed(id, PersistFailed{why});
}

void Cluster::commit(ProcessId id) {
  auto& process = processes_[id];
  auto first = process.journal.size();
  PersistId last = process.uncommitted.back().id;
  for (auto& persist : process.uncommitted) {
    if (persist.delta.state) process.durable_state = *persist.delta.state;
    process.journal.push_back(std::move(persist.delta));
  }
  process.uncommitted.clear();
  auto status = process.store->commit(std::span(process.journal).subspan(first));
  if (!status.ok()) throw std::runtime_error("commit refused: " + status.error().what);
  process.durable = last;
  feed(id, Persisted{last});  // before what release() makes it hear from itself
  release(id);
}

// ---- Steps

void Cluster::feed(ProcessId id, Input input) {
  inputs_.emplace_back(id, std::move(input));
  if (feeding_) return;
  feeding_ = true;
  while (!inputs_.empty()) {
    auto [next, value] = std::move(inputs_.front());
    inputs_.pop_front();
    if (processes_[next].replica) step(next, value);
  }
  feeding_ = false;
}

void Cluster::step(ProcessId id, const Input& input) {
  auto& process = processes_[id];
  auto effects = process.replica->step(input, now_);
  process.wake_at = effects.wake_at;
  if (effects.drop_held) {
    std::erase_if(process.held, [&](const Send& send) {
      if (!send.sign) return false;
      for (auto* observer : observers_) observer->dropped_unsent(process, send);
      return true;
    });
  }
  for (auto& persist : effects.persists) process.uncommitted.push_back(std::move(persist));
  for (const auto& event : effects.events) {
    for (auto* observer : observers_) observer->happened(process, event);
  }
  for (auto& send : effects.sends) {
    if (!process.disk_works && send.after > process.durable) {
      for (auto* observer : observers_) observer->waits_for_disk(process, send);
    }
    process.held.push_back(std::move(send));
  }
  if (process.disk_works && !process.uncommitted.empty()) {
    commit(id);
  } else {
    release(id);
  }
  for (const auto& request : effects.serves) serve(id, request);
  for (const auto& check : effects.checks) check_finality(id, check.certificate);
}

void Cluster::release(ProcessId id) {
  auto& process = processes_[id];
  std::vector<Send> ready, later;
  for (auto& one : process.held) (one.after <= process.durable ? ready : later).push_back(std::move(one));
  process.held = std::move(later);
  for (const auto& one : ready) send(id, one);
}

void Cluster::send(ProcessId id, const Send& send) {
  const auto& process = processes_[id];
  auto message = send.sign ? std::make_shared<const Message>(sign_as(process.member, *send.message)) : send.message;
  std::vector<ProcessId> to;
  for (ProcessId other = 0; other < processes_.size(); ++other) {
    if (!up_[id][other] || (send.to == Send::To::one && processes_[other].member != send.node)) continue;
    to.push_back(other);
  }
  bool to_itself = send.to == Send::To::all || (send.to == Send::To::one && send.node == process.member);
  if (to_itself) to.push_back(id);
  transmit(id, message, send.sign, to);
  if (to_itself) feed(id, Received{process.member, verifier_.own(*message)});
}

void Cluster::serve(ProcessId id, const ServeLog& serve) {
  constexpr std::size_t max_bytes = 1 << 20;
  auto range = processes_[id].store->read_certified(serve.from, max_bytes);
  if (!range.ok()) throw std::runtime_error(range.error().what);
  if (range->batches.empty()) return;
  Chunk chunk{{range->batches.front()->header.first.value - 1}, range->batches, range->fc};
  send(id, {Send::To::one, serve.to, std::make_shared<const Message>(std::move(chunk)), false, 0});
}

void Cluster::check_finality(ProcessId id, const Certificate& older) {
  auto& process = processes_[id];
  auto newest = process.replica->finality();
  auto leaves = process.store->read_leaves({1}, newest->point.index);
  if (!leaves.ok()) return;  // not on disk yet
  auto root = tree_root(std::span(*leaves).first(older.point.index.value));
  if (root == older.point.root) return;
  Conflict found{older, *newest, root, consistency_proof(older.point.index.value, *leaves)};
  feed(id, Received{process.member, verifier_.own(std::move(found))});
}

// ---- The network

void Cluster::transmit(ProcessId from, const MessagePtr& message, bool signs, const std::vector<ProcessId>& to) {
  Packet packet{from, from, message, nullptr, {}};
  std::vector<ProcessId> reached;
  for (auto id : to) {
    packet.to = id;
    if (id == from || !lost_ || !lost_(packet)) reached.push_back(id);
  }
  for (auto* observer : observers_) observer->sent(processes_[from], *message, signs, reached);
  std::erase(reached, from);
  if (reached.empty()) return;
  for (auto id : reached) {
    packet.to = id;
    if (auto checked = verifier_.check(Message(*message), processes_[id].member); checked.ok()) {
      packet.verified = *checked;
    } else {
      packet.refusal = checked.error().code + ": " + checked.error().what;
    }
    in_flight_.push_back(packet);
  }
}

void Cluster::inject(ProcessId from, const Message& message, const std::vector<ProcessId>& to) {
  auto lost = std::exchange(lost_, nullptr);
  transmit(from, std::make_shared<const Message>(message), false, to);
  lost_ = std::move(lost);
}

std::size_t Cluster::deliver(const Filter& filter) {
  std::vector<Packet> chosen;
  std::erase_if(in_flight_, [&](const Packet& packet) {
    if (!filter(packet)) return false;
    chosen.push_back(packet);
    return true;
  });
  for (const auto& packet : chosen) {
    if (packet.verified) {
      feed(packet.to, Received{processes_[packet.from].member, packet.verified});
    } else {
      for (auto* observer : observers_) observer->refused(processes_[packet.from], processes_[packet.to], packet);
    }
  }
  return chosen.size();
}

std::size_t Cluster::drop(const Filter& filter) {
  return std::erase_if(in_flight_, filter);
}

void Cluster::settle() {
  while (!in_flight_.empty()) deliver([](const Packet&) { return true; });
}

bool Cluster::reaches_member(ProcessId from, NodeId member) const {
  for (ProcessId other = 0; other < processes_.size(); ++other) {
    if (up_[from][other] && processes_[other].member == member) return true;
  }
  return false;
}

void Cluster::rewire(const std::function<bool(ProcessId, ProcessId)>& may_connect) {
  may_connect_ = may_connect;
  connect_as_allowed(false);
}

void Cluster::connect_as_allowed(bool refused) {
  auto wanted = [this](ProcessId a, ProcessId b) {
    return processes_[a].replica && processes_[b].replica && processes_[a].member != processes_[b].member &&
           may_connect_(std::min(a, b), std::max(a, b));
  };
  auto each_pair = [this](const auto& act) {
    for (ProcessId a = 0; a < processes_.size(); ++a) {
      for (ProcessId b = a + 1; b < processes_.size(); ++b) act(a, b);
    }
  };
  std::vector<std::pair<ProcessId, ProcessId>> lost, made;
  each_pair([&](ProcessId a, ProcessId b) {
    if (up_[a][b] && !wanted(a, b)) lost.emplace_back(a, b);
    if (!up_[a][b] && wanted(a, b)) made.emplace_back(a, b);
  });
  for (auto [a, b] : lost) up_[a][b] = up_[b][a] = false;
  drop([this](const Packet& packet) { return !up_[packet.from][packet.to]; });
  for (auto [a, b] : lost) {
    // A member is gone for its peer when the last of its processes is.
    if (!reaches_member(a, processes_[b].member)) feed(a, PeerDown{processes_[b].member, refused});
    if (!reaches_member(b, processes_[a].member)) feed(b, PeerDown{processes_[a].member, refused});
  }
  for (auto [a, b] : made) up_[a][b] = up_[b][a] = true;
  for (auto [a, b] : made) {
    feed(a, PeerUp{processes_[b].member});
    feed(b, PeerUp{processes_[a].member});
  }
}

// ---- Time

void Cluster::pass(Duration time, bool deliver) {
  Instant end = now_ + time;
  if (deliver) settle();
  while (true) {
    auto due = std::min_element(processes_.begin(), processes_.end(), [](const Process& a, const Process& b) {
      return a.wake_at && (!b.wake_at || *a.wake_at < *b.wake_at);
    });
    if (!due->wake_at || *due->wake_at > end) break;
    now_ = std::max(now_, *due->wake_at);
    due->wake_at.reset();
    feed(static_cast<ProcessId>(due - processes_.begin()), Tick{});
    if (deliver) settle();
  }
  now_ = end;
}

}  // namespace zell::scenarios
