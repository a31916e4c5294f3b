#pragma once
// A cluster of real cores under manual control: nothing arrives, becomes durable or times out unless it is told to. A
// member may be run by two processes at once, which hold the same key: twins, one faulty member made of honest code.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/consensus/replica.h"
#include "node/crypto/keys.h"
#include "node/storage/store.h"

namespace zell::scenarios {

using ProcessId = std::size_t;

/// One running copy of a member.
struct Process {
  std::string name;  ///< "n1"; its twin is "n1'"
  NodeId member;
  std::unique_ptr<Replica> replica;  ///< null: down
  bool disk_works = true;            ///< false: commits wait
  DurableState durable_state;

  std::unique_ptr<Store> store;
  Standing created_as = Standing::member;
  std::vector<Delta> journal;  ///< all that was committed, so that an old copy of the disk can be made
  std::vector<Persist> uncommitted;
  std::vector<Send> held;  ///< sends that wait for their Persist
  PersistId durable = 0;
  std::optional<Instant> wake_at;
  std::uint64_t life = 0;
};

/// A message on its way.
struct Packet {
  ProcessId from, to;
  MessagePtr message;
  VerifiedMessage verified;  ///< null: no core would take it
  std::string refusal;
};

/// Told what happens, as it happens.
class Observer {
 public:
  virtual ~Observer() = default;
  /// `signs`: it signs this with its core's leave; false for what it only passes on. `to`: whom it will reach if
  /// nothing is lost from now on, the sender itself among them.
  virtual void sent(const Process&, const Message&, bool /*signs*/, const std::vector<ProcessId>& /*to*/) {}
  virtual void waits_for_disk(const Process&, const Send&) {}
  virtual void dropped_unsent(const Process&, const Send&) {}
  virtual void happened(const Process&, const Event&) {}
  virtual void refused(const Process& /*from*/, const Process& /*to*/, const Packet&) {}
  virtual void started(const Process&, const Recovered&) {}
};

struct ClusterOptions {
  std::vector<std::uint64_t> stakes{1, 1, 1, 1};
  std::vector<NodeId> twins;  ///< members that run twice
  Parameters parameters;
  std::size_t pool_max_requests = 64;
};

class Cluster {
 public:
  explicit Cluster(const ClusterOptions& options);
  void observe(Observer& observer) { observers_.push_back(&observer); }
  /// Starts everyone, and connects everyone: what they say then is on its way.
  void begin();

  [[nodiscard]] const Genesis& genesis() const { return genesis_; }
  [[nodiscard]] const Verifier& verifier() const { return verifier_; }
  [[nodiscard]] const std::vector<Process>& processes() const { return processes_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Message sign_as(NodeId member, Message message) const;
  [[nodiscard]] RequestPtr request(std::string_view user, std::uint64_t nonce, std::string_view payload) const;

  // ---- Processes and their disks
  void start(ProcessId id);
  void crash(ProcessId id);
  void stop(ProcessId id);                          ///< it is told before: like a crash, but for what is on its disk
  void lose_disk(ProcessId id);                     ///< REQUIRES: it is down
  void restore_disk(ProcessId id, std::size_t at);  ///< to its first `at` commits; REQUIRES: it is down
  /// A faulty member that found out that it had forgotten something votes on all the same.
  void ignore_forgetting(ProcessId id);
  void set_disk(ProcessId id, bool works);
  void fail_disk(ProcessId id, const std::string& why);

  // ---- Inputs
  void submit(ProcessId id, const RequestPtr& request) { feed(id, Submit{{request}}); }
  void challenge(ProcessId id) { feed(id, ChallengeNow{}); }

  // ---- The network
  using Filter = std::function<bool(const Packet&)>;
  /// Delivers what matches and is on its way now; what that causes stays on its way. Returns how many.
  std::size_t deliver(const Filter& filter);
  std::size_t drop(const Filter& filter);
  /// Delivers everything, and everything that causes, without time passing.
  void settle();
  /// From now on what matches is lost as it is sent.
  void lose(Filter filter) { lost_ = std::move(filter); }
  /// Puts a message on its way, as if `from` had sent it.
  void inject(ProcessId from, const Message& message, const std::vector<ProcessId>& to);
  /// Which pairs may have a connection; those that run and may, do.
  void rewire(const std::function<bool(ProcessId, ProcessId)>& may_connect);
  [[nodiscard]] bool connected(ProcessId a, ProcessId b) const { return up_[a][b]; }
  [[nodiscard]] const std::deque<Packet>& in_flight() const { return in_flight_; }

  // ---- Time
  /// Timers run; nothing is delivered.
  void advance(Duration time) { pass(time, false); }
  /// Timers run, and everything is delivered at once.
  void run(Duration time) { pass(time, true); }

 private:
  void feed(ProcessId id, Input input);
  void step(ProcessId id, const Input& input);
  void commit(ProcessId id);
  void release(ProcessId id);
  void send(ProcessId id, const Send& send);
  void transmit(ProcessId from, const MessagePtr& message, bool signs, const std::vector<ProcessId>& to);
  void serve(ProcessId id, const ServeLog& serve);
  void check_finality(ProcessId id, const Certificate& older);
  void connect_as_allowed(bool refused);
  void pass(Duration time, bool deliver);
  [[nodiscard]] bool reaches_member(ProcessId from, NodeId member) const;

  Genesis genesis_;
  std::vector<SecretKey> secrets_;
  Verifier verifier_;
  std::vector<Observer*> observers_;
  std::size_t pool_max_requests_;
  std::vector<Process> processes_;
  std::function<bool(ProcessId, ProcessId)> may_connect_;
  std::vector<std::vector<bool>> up_;
  std::deque<Packet> in_flight_;
  std::deque<std::pair<ProcessId, Input>> inputs_;
  bool feeding_ = false;
  Filter lost_;
  Instant now_{1'000'000};
};

}  // namespace zell::scenarios
