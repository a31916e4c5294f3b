#pragma once
// The inside of Replica: one object, its handlers spread over files by role.
//   replica.cpp       dispatch, the end of a step, persisting and sending
//   requests.cpp      submitting, forwarding, batches
//   ordering.cpp      proposals, votes, certificates, finality
//   views.cpp         challenges, view changes, entering a view
//   catching_up.cpp   fetching, serving, resynchronising, learners
//   timers.cpp        what time alone brings about

#include <map>
#include <set>

#include "node/consensus/batch_rounds.h"
#include "node/consensus/evidence.h"
#include "node/consensus/mempool.h"
#include "node/consensus/ordered_log.h"
#include "node/consensus/pacemaker.h"
#include "node/consensus/replica.h"
#include "node/consensus/safety_rules.h"
#include "node/consensus/view_book.h"
#include "node/consensus/vote_collector.h"

namespace zell {

/// So long a new FC waits for a commit that takes it along. One of its own delays the next batch's.
inline constexpr std::chrono::milliseconds fc_patience{50};

struct Replica::Impl {
  Impl(const Genesis& genesis, NodeId self, ReplicaOptions options, Recovered recovered, NonceWindows nonces);
  Effects step(const Input& input, Instant now);

  // ---- replica.cpp
  void on(const Received& input);
  void on(const Submit& input);
  void on(const PeerUp& input);
  void on(const PeerDown& input);
  void on(const Persisted& input);
  void on(const PersistFailed& input);
  void on(const Tick&) {}
  void on(const ChallengeNow&);
  void on(const Closing&) { fc_alone_at = now; }
  void receive(NodeId from, const Message& message);
  void settle();  ///< after every input: what has become possible
  void persist_delta();
  void hurry_fc();
  void flush_delta();  ///< at the end of a step: one Persist, and the sends that wait for it
  void stop(std::string code, std::string why);
  void note(std::string_view what, std::optional<NodeId> about = std::nullopt);
  /// Marks the durable state as changed: it goes into this step's Persist.
  DurableState& change_state();
  /// Sends once everything that was decided up to now is durable.
  void send_durable(Send::To to, NodeId node, Message message, bool sign);
  void drop_unsigned();
  /// Sends at once: nothing in it depends on what this node must remember.
  void send_now(Send::To to, NodeId node, Message message, bool sign = false);
  void send_now(Send::To to, NodeId node, MessagePtr message, bool sign = false);
  [[nodiscard]] NodeId leader() const { return genesis.leader(state.view); }
  /// Not with a log that its own LOCK is off: it might propose for one place twice.
  [[nodiscard]] bool leading() const {
    return state.active && leader() == self && may_sign() && base_reached() &&
           (!state.last_lock || log.on_chain(*state.last_lock));
  }
  [[nodiscard]] bool may_sign() const { return state.standing != Standing::learner && stopped_code.empty(); }
  [[nodiscard]] bool base_reached() const { return log.on_chain(state.base); }

  // ---- requests.cpp
  void update(const RequestId& id, RequestState to, Index index, std::string_view reason = {});
  void take(const RequestPtr& request, bool submitted, NodeId relayed_by);
  void refuse(LocalPool::Entry& entry, std::string_view reason);
  void receive(NodeId from, const Forward& forward);
  void forward_waiting();
  void pass_on();
  std::vector<LocalPool::Entry*> pool_entries_in_log();
  void carry(NodeId from, const Requests& requests);
  void resend_forwarded();
  /// Whether its nonce still fits the log; if not, it is set aside until what took the nonce is final or gone.
  [[nodiscard]] bool still_fits(LocalPool::Entry& entry);
  void requests_appended(const Batch& batch);
  void requests_cut(const std::vector<BatchPtr>& batches);
  void requests_finalised(const Batch& batch);
  void revisit_blocked();
  void propose_batches();
  [[nodiscard]] bool batch_is_due() const;
  [[nodiscard]] RequestsPtr next_batch();

  // ---- ordering.cpp
  void receive(NodeId from, const Proposal& proposal);
  void receive(NodeId from, const Vote& vote);
  void receive(NodeId from, const CertificateMessage& message);
  void receive(NodeId from, const Heartbeat& heartbeat);
  void drain_held();
  void follow(const Proposal& proposal);
  void append(const BatchPtr& batch);
  void lock_tip();
  void vote(Phase phase, const LogPoint& point);
  void on_certificate(const Certificate& certificate, NodeId from);
  void on_lock_certificate(const Certificate& certificate, NodeId from);
  void on_finality_certificate(const Certificate& certificate, NodeId from);
  void hold_lock(const Certificate& certificate);
  void finalise(const Certificate& certificate);
  [[nodiscard]] std::optional<Conflict> at_odds(const Certificate& certificate) const;
  void check_older_finality(const Certificate& certificate);
  void receive(NodeId from, const Conflict& conflict);
  void stop_for_conflict();
  // Certificates whose bodies have arrived since.
  void follow_finality();
  void follow_lock();
  bool reach(const LogPoint& point);
  [[nodiscard]] bool forgot_own_vote(const Certificate& certificate) const;
  void forgot(std::string_view what);
  void contradicted_by(const LogPoint& certified);
  bool cut_at(const LogPoint& point);
  void switch_chain(const LogPoint& target);
  void tidy_side();
  void resend_votes(NodeId to);
  void report_evidence(EvidencePtr evidence, NodeId guilty);

  // ---- views.cpp
  void receive(NodeId from, const Challenge& challenge);
  void receive(NodeId from, const ChallengeCertificate& certificate);
  void receive(NodeId from, const ViewChange& change);
  void receive(NodeId from, const NewView& news);
  void challenge(Reason reason, EvidencePtr evidence = nullptr, Requests censored = {});
  [[nodiscard]] bool may_challenge() const;
  void send_challenge();
  void act_on_challenges();
  void leave_for(View view);
  void move_to(View view);
  void enter(View view, const LogPoint& base, std::vector<MessagePtr> proof);
  void reach_base();
  void lock_base();
  void send_view_change(Send::To to, NodeId node);
  void try_new_view();
  [[nodiscard]] std::vector<const ViewChange*> complete_changes();
  void try_rejoin(const NewView& news);
  /// The highest view that members with more than two thirds of the stake say they may have signed in; none: too few
  /// have answered yet. A learner votes again in a view above it.
  [[nodiscard]] std::optional<View> answered_view() const;

  // ---- catching_up.cpp
  void receive(NodeId from, const Fetch& fetch);
  void receive(NodeId from, const Chunk& chunk);
  void receive(NodeId from, const ViewQuery& query);
  void receive(NodeId from, const ViewAnswer& answer);
  /// Asks for the log up to `target`, first from `from`; again from others until it is known.
  void want(const LogPoint& target, NodeId source, bool at_once = false);
  void ask_for_wanted();
  void ask(const LogPoint& target);
  void forget_wants();
  void answer_other_log(NodeId to);
  void ask_for_news(NodeId of);
  void ask_leader();
  void ask_everyone();
  NodeId next_to_ask();
  void send_entry_proof(NodeId to);
  void answer_old_view(NodeId to);
  void resynchronise(NodeId to);
  void send_proposals_after(NodeId to, Index from);
  [[nodiscard]] bool allow_answer(NodeId to, std::map<NodeId, Instant>& last, Duration gap);

  // ---- timers.cpp
  void run_timers();
  void heartbeat(Send::To to, NodeId node);
  void check_leader();
  void look_after_forwarded();
  void mark_owed();
  void check_censorship(const Batch& appended);
  [[nodiscard]] bool any_censored() const;
  void resend_what_lasts();
  void ask_around();
  [[nodiscard]] Instant ask_around_at() const;
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] bool work_pending() const { return pool.pending() > 0 || log.unfinalised_count() > 0; }
  [[nodiscard]] bool behind() const { return known_fc && !log.on_chain(known_fc->point); }
  [[nodiscard]] bool quorum_connected() const;

  // ---- what it was made with
  const Genesis& genesis;
  const NodeId self;
  const Parameters& parameters;
  const ReplicaOptions options;

  // ---- durable, as of the last Persist made (its sends wait for it)
  DurableState state;
  std::vector<MessagePtr> entry_proof;
  std::optional<Certificate> finality;  ///< newest FC whose log is here

  // ---- the parts
  OrderedLog log;
  LocalPool pool;
  ForwardQueues queues;
  VoteCollector votes;
  ChallengeBook challenges;
  ViewChangeBook changes;
  EvidenceWatch watch;
  Pacemaker pace;
  BatchRounds rounds;

  // ---- this step
  Effects* out = nullptr;
  Instant now{};
  Delta delta;
  bool delta_urgent = false;        ///< something waits for it; else it is only the newest FC
  std::vector<Send> waiting_sends;  ///< of this step, for its Persist
  PersistId last_persist = 0, durable = 0;
  std::optional<Certificate> lazy_fc;  ///< stored with the next commit, or alone at fc_alone_at
  Instant fc_alone_at{}, fc_hurried_at{};

  // ---- volatile
  std::string stopped_code, stopped_why;
  std::set<NodeId> connected, refused;
  std::map<std::pair<View, Index>, Proposal> held;  ///< proposals that came early
  std::optional<Certificate> known_fc;              ///< newest verified, even when its log is not here yet
  std::optional<Certificate> pending_lc;            ///< of this view, its log not here yet
  std::optional<Certificate> newest_lc;             ///< of this view, as leader or follower
  std::optional<Heartbeat> last_heartbeat;
  std::uint64_t heartbeat_counter = 0, heard_counter = 0;
  Instant forwarded_checked_at{};
  Instant last_signed_news{};  ///< leader: when it last sent a proposal or heartbeat
  Instant oldest_queued{};
  std::uint64_t taken_in = 0;          ///< submitted requests that the pool had room for
  std::uint64_t proposed_in_view = 0;  ///< requests appended from proposals of this view
  Instant appended_at{};               ///< the last of them
  Instant view_since{};
  Instant passed_on_at{}, asked_around_at{};
  NodeId asked_last{};
  bool started = false, had_work = false;
  bool base_to_reach = false;  ///< entered, and the log does not end at the base yet

  struct OwnChallenge {
    Reason reason{};
    EvidencePtr evidence;
    Requests censored;
    Instant raised_at{}, sent_at{};
  };
  std::optional<OwnChallenge> own_challenge;
  Instant change_sent_at{};

  struct Wanted {
    NodeId source;
    Instant asked_at{};
    unsigned attempts = 0;
  };
  /// When the log up to `target` is asked for, or asked for again.
  [[nodiscard]] Instant ask_at(const LogPoint& target, const Wanted& wanted) const;
  /// While the leader's proposals arrive one after the other and are taken in, and that of `target` was not overtaken
  /// by a later one; else a time long past.
  [[nodiscard]] Instant awaited_until(const LogPoint& target) const;
  /// The log up to the newest FC is wanted, too, and makes this one needless.
  [[nodiscard]] bool is_covered(const LogPoint& target) const;
  std::map<LogPoint, Wanted> wants;
  Instant news_asked_at{}, query_sent_at{};
  std::map<NodeId, Instant> proof_sent, chunk_sent, news_sent;
  std::map<NodeId, View> view_answers;
  std::map<Index, Certificate> recent_final;  ///< to notice a conflicting one
  Instant finality_checked_at{};
  MessagePtr conflict;  ///< a Conflict: this node has stopped for good
};

}  // namespace zell
