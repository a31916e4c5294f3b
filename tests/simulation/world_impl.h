#pragma once
// The inside of a run: one object, its methods spread over files by role.
//   world.cpp     the run from its first event to its last, and what must hold at the end
//   hosts.cpp     the machines: starting, crashing, stepping a core and carrying out its effects
//   disk.cpp      commits, what a crash leaves of them, and what a restarted node reads back
//   network.cpp   links, messages on their way
//   chaos.cpp     the faults, and how they heal
//   clients.cpp   who submits what and when

#include <functional>
#include <memory>
#include <set>

#include "node/base/coding.h"
#include "node/base/prng.h"
#include "node/consensus/replica.h"
#include "node/storage/store.h"
#include "tests/simulation/chain_tree.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/clock.h"
#include "tests/simulation/liars/liar.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/real_disk.h"
#include "tests/simulation/schedule.h"
#include "tests/simulation/scheme.h"
#include "tests/simulation/witness.h"
#include "tests/simulation/world.h"

namespace zell::simulation {

/// A disk: what is committed stays, what is on its way is lost in a crash, or just made it.
struct Disk {
  std::unique_ptr<RealDisk> real;  ///< null: the store is one in memory, and outlives crashes
  std::unique_ptr<Store> store;    ///< null while the power of a real disk is off
  std::vector<Persist> in_flight;
  std::size_t committing = 0;  ///< so many of them are being committed
  DurableState durable;
  std::vector<Delta> history;  ///< kept only of the node whose old copy will be restored
  std::size_t copied = 0;      ///< how much of it the copy holds
  std::set<Hash> had;          ///< kept only of the node whose disk will rot: its vote states
  bool failing = false;        ///< the next commit fails
  bool failed = false;         ///< and this life signs nothing any more
  std::uint32_t slowness = 1;
};

/// A machine that runs a node. Liars that run twice have two.
struct Host {
  std::size_t place = 0;  ///< in the list of hosts: the members in order, then the twins
  NodeId id;
  Disk disk;
  Clock clock;
  std::unique_ptr<Replica> replica;  ///< null: down
  std::uint64_t life = 0;            ///< grows with each start and crash: events of an earlier life are dropped
  PersistId durable = 0;
  std::vector<Send> held;  ///< waiting for their Persist
  std::optional<Instant> wake_at;
  bool paused = false;
  std::uint64_t cut_short_in = 0;  ///< it crashes before the effect that this counts down to; 0: not
};

/// A message on the wire, checked once for all who get it.
struct Parcel {
  MessagePtr message;
  VerifiedMessage checked;       ///< null: refused
  bool checked_by_each = false;  ///< a proposal with a bad request: who does not check that one sees nothing wrong
};
using ParcelPtr = std::shared_ptr<const Parcel>;

/// From one host to another.
struct Link {
  bool down = false;     ///< no connection, and both sides know
  bool deaf = false;     ///< what is sent is lost, and nobody knows
  bool clogged = false;  ///< what arrives waits
  std::uint64_t connection = 0;
  Instant last_arrival{};
  std::vector<std::function<void()>> waiting;
};

class World {
 public:
  World(const Plan& plan, Journal* journal);
  Outcome run();

 private:
  // ---- world.cpp
  const SignatureScheme& scheme() const { return plan_.real_signatures ? secp256k1_scheme() : cheap_scheme(); }
  const SecretKey& secret(NodeId node) const { return secrets_[node.value]; }
  std::vector<SecretKey> make_secrets() const;
  Genesis make_genesis() const;
  void make_hosts();
  void make_liars();
  Certificate foreign_certificate(Phase phase, View view, const LogPoint& point) const;
  [[nodiscard]] bool finished();
  [[nodiscard]] std::string where_all_stand() const;
  void count_what_happened();
  Instant now() const { return schedule_.now(); }
  void at(Duration delay, std::function<void()> act) { schedule_.at(delay, std::move(act)); }
  static Duration between(Prng& random, Duration low, Duration high) {
    return low + Duration(random.below(static_cast<std::uint64_t>((high - low).count()) + 1));
  }
  void say(const std::string& text) {
    if (journal_) journal_->say(now(), text);
  }
  void happened(const char* what) { ++outcome_.seen[what]; }
  static std::string name(NodeId node) { return "n" + std::to_string(node.value + 1); }
  static std::string name(const Host& host) { return name(host.id) + (host.place == host.id.value ? "" : "'"); }
  bool honest(NodeId node) const { return liars_[node.value] == nullptr; }

  // ---- hosts.cpp
  void start(Host& host);
  void crash(Host& host);
  void step(Host& host, const Input& input);
  void carry_out(Host& host, Effects effects);
  void schedule_wake(Host& host, std::optional<Instant> when);
  bool cut_short(Host& host);
  void release(Host& host);
  void on_event(Host& host, const zell::Event& event);
  void remember_trace(const Host& host, const Input& input, const Effects& effects);

  // ---- disk.cpp
  void commit(Host& host);
  void committed(Host& host);
  void fail_commit(Host& host);
  bool write(Host& host);
  void cut_power(Host& host);
  Recovered recover(Host& host, NonceWindows& nonces);
  Result<Recovered> read_disk(Host& host, NonceWindows& nonces);
  void check_rotten(Host& host, const Recovered& recovered);
  void rot(Host& host);
  void copy_disk(Host& host);
  void lose_disk(Host& host);
  void wipe(Host& host);
  void restore_copy(Host& host);
  void serve(Host& host, const ServeLog& serve);
  void check_finality(const Host& host, const Certificate& older);

  // ---- network.cpp
  Link& link(const Host& from, const Host& to) { return links_[from.place * hosts_.size() + to.place]; }
  const Link& link(const Host& from, const Host& to) const { return links_[from.place * hosts_.size() + to.place]; }
  bool connected(const Host& a, const Host& b) const {
    return a.replica && b.replica && a.id != b.id && !link(a, b).down && in_touch(a, b) && in_touch(b, a);
  }
  bool in_touch(const Host& host, const Host& twin) const;
  void rewire(const std::function<void()>& change);
  void disconnect(Host& a, Host& b);
  void lost(Host& host, const Host& peer, bool refused);
  void connect(Host& a, Host& b);
  void reset_connection(Host& a, Host& b);
  void unclog(Link& link);
  void resume(Host& host);
  ParcelPtr pack(MessagePtr message, NodeId from);
  void send(Host& host, const Send& send);
  void send_lies(Host& host, const std::vector<Told>& told, const ParcelPtr& truth);
  void transmit(Host& from, Host& to, const ParcelPtr& parcel, Duration held_back = Duration{0});
  void deliver(std::size_t from, std::size_t to, std::uint64_t connection, Instant sent, const ParcelPtr& parcel);
  VerifiedMessage check_for(NodeId receiver, const Parcel& parcel);
  void hand_over(Host& from, Host& to, const ParcelPtr& parcel);
  void note_new_view(const NewView& news);

  // ---- chaos.cpp
  void repeat(Duration mean, std::function<void()> act);
  void schedule_chaos();
  void schedule_network_chaos();
  void schedule_machine_chaos();
  void schedule_memory_loss();
  void schedule_twins();
  void start_later(Host& host);
  void heal();
  Host& any_host() { return hosts_[chaos_random_.below(hosts_.size())]; }
  std::vector<std::size_t> shuffled_links();

  // ---- clients.cpp
  void schedule_requests();
  void add_request(std::size_t user, Duration delay);
  void keep_asking();
  void submit(std::size_t which);

  Plan plan_;
  Journal* journal_;
  Prng network_random_, disk_random_, chaos_random_, client_random_;  // one each: less of one does not change another
  std::vector<SecretKey> secrets_;                                    // by member
  Genesis genesis_;
  Outcome outcome_;
  ChainTree chains_;
  Witness witness_;
  Checks checks_;
  std::set<NodeId> blamable_;  // whom evidence may name
  std::unique_ptr<RequestCache> request_cache_;
  Verifier verifier_;
  Observer observer_;
  std::vector<std::unique_ptr<Liar>> liars_;  // by member; null: honest
  std::vector<Host> hosts_;
  std::vector<Link> links_;
  std::vector<std::uint8_t> touch_;  // by host: 0 talks to members, 1 to their twins, 2 to both
  Schedule schedule_;
  bool healed_ = false;
  std::vector<RequestPtr> requests_;
  std::size_t planned_ = 0;        // so many of them are asked for whatever happens
  std::size_t first_unfinal_ = 0;  // all requests before it are final
  Instant last_submission_{};
  std::optional<RequestState> answer_;  // to the newest submission
  Writer trace_;
};

}  // namespace zell::simulation
