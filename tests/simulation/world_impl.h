#pragma once
// The inside of a run: one object, its methods spread over files by role.
//   world.cpp     the run from its first event to its last, and what must hold at the end
//   hosts.cpp     the machines: starting, crashing, stepping a core and carrying out its effects
//   disk.cpp      commits, and what a restarted node reads back
//   network.cpp   links, messages on their way
//   chaos.cpp     the faults, and how they heal
//   clients.cpp   who submits what and when

#include <functional>
#include <memory>

#include "node/base/prng.h"
#include "node/consensus/replica.h"
#include "node/storage/store.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/faulty.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/schedule.h"
#include "tests/simulation/scheme.h"
#include "tests/simulation/world.h"

namespace zell::simulation {

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
  // ---- world.cpp
  const SignatureScheme& scheme() const { return plan_.real_signatures ? secp256k1_scheme() : cheap_scheme(); }
  SecretKey secret(NodeId node) const { return dev_secret_key(plan_.seed, "n" + std::to_string(node.value + 1)); }
  Genesis make_genesis() const;
  bool honest(NodeId node) const { return plan_.fault == Fault::none || node != plan_.faulty; }
  [[nodiscard]] bool finished() const;
  [[nodiscard]] std::string where_all_stand() const;
  void count_what_happened();
  Instant now() const { return schedule_.now(); }
  void at(Duration delay, std::function<void()> act) { schedule_.at(delay, std::move(act)); }
  Duration between(Duration low, Duration high) {
    return Duration(low.count() +
                    static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  Duration about(Duration mean) { return between(mean / 4, mean * 7 / 4); }
  void say(const std::string& text) {
    if (log_) log_(std::to_string(now().us / 1000) + "ms " + text);
  }
  static std::string name(NodeId node) { return "n" + std::to_string(node.value + 1); }

  // ---- hosts.cpp
  void start(NodeId id);
  void crash(NodeId id, bool wipe);
  void step(NodeId id, const Input& input);
  void carry_out(NodeId id, Effects effects);
  void release(NodeId id);
  void on_event(NodeId id, const zell::Event& event);
  void remember_trace(NodeId id, const Input& input, const Effects& effects);

  // ---- disk.cpp
  void commit(NodeId id);
  void serve(NodeId id, const ServeLog& serve);
  void check_finality(NodeId id, const Certificate& older);

  // ---- network.cpp
  bool linked(NodeId a, NodeId b) const {
    return nodes_[a.value].replica && nodes_[b.value].replica && group_[a.value] == group_[b.value];
  }
  void rewire(const std::vector<int>& groups);
  void send(NodeId id, const Send& send);
  void transmit(NodeId from, NodeId to, const Message& message);
  void deliver(NodeId from, NodeId to, const std::shared_ptr<const Message>& message);
  void note_new_view(const NewView& news);
  std::optional<CompactRange> liars_log_at(const LogPoint& point) const;

  // ---- chaos.cpp
  void schedule_chaos();
  void heal();

  // ---- clients.cpp
  void schedule_requests();
  void submit(std::size_t which);

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
  Schedule schedule_;
  bool healed_ = false;
  std::vector<RequestPtr> requests_;
  Instant last_submission_{};
  Bytes trace_;
};

}  // namespace zell::simulation
