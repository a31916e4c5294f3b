#pragma once
// What liars that collude share: their keys, one plan of whom to deceive, what they heard, and the other logs that they
// build. A liar on its own is a gang of one.

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "node/base/prng.h"
#include "node/wire/verifier.h"
#include "tests/simulation/chain_tree.h"

namespace zell::simulation {

/// One message to one node, held back for so long.
struct Told {
  NodeId to;
  MessagePtr message;
  Duration delay{0};
};

/// What liars know beside what they are told.
struct Surroundings {
  const ChainTree& chains;
  /// What the same members signed in another cluster.
  std::function<Certificate(Phase, View, const LogPoint&)> foreign_certificate;
  std::function<RequestPtr(std::uint64_t)> some_final_request;  ///< null: nothing is final
  std::function<void(const RequestPtr&)> submitted;             ///< the liars are users too
};

/// A second log that a leader shows to some nodes, batch for batch beside the true one.
struct Fork {
  View view;
  CompactRange range;
  [[nodiscard]] LogPoint tip() const { return {{range.size()}, range.root()}; }
};

class Gang {
 public:
  Gang(std::uint64_t seed, const Genesis& genesis, const SignatureScheme& scheme, Surroundings around);
  void admit(NodeId member, SecretKey secret) { secrets_.emplace(member, std::move(secret)); }

  [[nodiscard]] bool has(NodeId node) const { return secrets_.contains(node); }
  [[nodiscard]] const std::map<NodeId, SecretKey>& secrets() const { return secrets_; }
  /// Signed by `as`, a member of the gang, in place of any signature that it has.
  [[nodiscard]] Message sign(Message message, NodeId as) const { return sign_in(domain, std::move(message), as); }
  [[nodiscard]] Message sign_in(const SigningDomain& domain, Message message, NodeId as) const;
  /// The same choice for the same (view, what) each time, by whoever asks.
  [[nodiscard]] bool chooses(View view, std::uint64_t what, std::uint32_t per_million) const;
  /// Whether this node is to see the other log, the other NewView.
  [[nodiscard]] bool is_victim(View view, NodeId node) const;
  /// One of the nodes outside the gang; the same all through the view.
  [[nodiscard]] NodeId favourite(View view) const;
  /// As many nodes as may be faulty, chosen for the view.
  [[nodiscard]] bool is_starved(View view, NodeId node) const;
  [[nodiscard]] NodeId any_outsider();
  /// The same header over another payload.
  [[nodiscard]] static RequestPtr with_other_payload(const Request& request);
  [[nodiscard]] RequestPtr own_request(std::string_view app, std::uint64_t nonce, std::uint8_t payload) const;
  [[nodiscard]] std::optional<Message> make_proposal(View view, const CompactRange& parent, Requests requests,
                                                     NodeId leader) const;
  /// The batch that stands for `truth` on the other log: begun at one of the view's batches, then continued, so that
  /// those who see only it see one consistent leader. Null: there is no other log.
  [[nodiscard]] MessagePtr forked(const Proposal& truth, NodeId leader);
  void begin_fork(View view, const CompactRange& range);
  /// Remembers what a member heard.
  void hear(const MessagePtr& message);
  /// Votes for `point` are counted, too: it ends a log that no honest leader proposed.
  void count_votes_for(const LogPoint& point) { forked_points_.insert(point); }
  /// A vote for the other log: all members add theirs, and the certificate that comes of it goes to `out`.
  void count(const Vote& vote, std::vector<Certificate>& out);

  const Genesis& genesis;
  const SignatureScheme& scheme;
  const SigningDomain domain;
  Surroundings around;
  Prng random;
  std::uint64_t next_nonce = 1;
  std::optional<Fork> fork;
  std::map<View, std::map<NodeId, ViewChange>> changes;
  std::map<View, MessagePtr> other_new_views;
  std::map<NodeId, SignedChallenge> hoard;  ///< challenges that others signed
  std::deque<MessagePtr> memory;            ///< a sample of what was heard
  std::optional<Certificate> newest_lc;

 private:
  std::map<NodeId, SecretKey> secrets_;
  SecretKey user_;
  std::uint64_t seed_;
  std::map<std::pair<View, LogPoint>, MessagePtr> lies_;  ///< by the true proposal that they stand for
  std::map<std::tuple<Phase, View, LogPoint>, std::map<NodeId, Vote>> votes_;  ///< on the other logs
  std::set<LogPoint> forked_points_;
};

}  // namespace zell::simulation
