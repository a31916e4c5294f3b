#pragma once
// The other members of the cluster: what logs they know of, what they sign, and, unless they may do anything, what more
// than two thirds of the stake could have certified while less than a third lies.

#include <map>
#include <set>
#include <vector>

#include "node/wire/verifier.h"

namespace zell::testing {

constexpr std::uint16_t member_count = 4;

/// The end of a log that somebody proposed.
struct Spot {
  CompactRange range;
  std::size_t parent = 0;
  BatchPtr batch;  ///< null for the empty log
  Requests requests;
  bool exactly_once = true;
  [[nodiscard]] LogPoint point() const { return {{range.size()}, range.root()}; }
};

[[nodiscard]] const Genesis& fuzz_genesis();
[[nodiscard]] const Verifier& fuzz_verifier();
[[nodiscard]] const SecretKey& member_secret(NodeId node);
/// A small set of requests, some of which contradict each other or are malformed.
[[nodiscard]] RequestPtr some_request(std::uint8_t which);

class Members {
 public:
  Members(NodeId self, bool honest_majority);

  // ---- Logs
  /// Adds a batch to the log that ends at `parent`; returns its place.
  std::size_t extend(std::size_t parent, Requests requests);
  /// The place of a log, made from its batch if it is not known; nullopt if its parent is not known either.
  std::optional<std::size_t> place_of(const Batch& batch);
  [[nodiscard]] std::optional<std::size_t> place_of(const LogPoint& point) const;
  [[nodiscard]] const Spot& spot(std::size_t place) const { return spots_[place]; }
  [[nodiscard]] std::size_t spot_count() const { return spots_.size(); }
  [[nodiscard]] bool extends(std::size_t longer, std::size_t shorter) const;
  /// The batches from above `from` to `to`; REQUIRES: extends(to, from).
  [[nodiscard]] std::vector<BatchPtr> batches(std::size_t from, std::size_t to) const;

  // ---- What they sign. nullopt: so many would not sign that.
  [[nodiscard]] std::optional<Certificate> certify(Phase phase, View view, std::size_t place);
  [[nodiscard]] std::optional<ViewChange> change(NodeId node, View view, std::optional<std::size_t> lock);
  [[nodiscard]] std::optional<NewView> new_view(View view, const std::vector<ViewChange>& changes);
  [[nodiscard]] Proposal propose(View view, std::size_t place) const;
  /// Signed by a member other than the node under test.
  [[nodiscard]] Message sign(NodeId node, Message message) const;

  /// What the node under test has signed as a leader: the base of a view, and a proposal.
  void base_named(View view, const LogPoint& base);
  void proposed_by_self(const ProposalHeader& header, const RequestsPtr& requests);
  /// Lock certificates made so far.
  [[nodiscard]] const std::vector<Certificate>& locks() const { return locks_; }
  [[nodiscard]] const std::vector<Certificate>& finals() const { return finals_; }
  /// The longest log that is certified final.
  [[nodiscard]] std::size_t final_place() const { return final_place_; }
  [[nodiscard]] bool honest_majority() const { return honest_majority_; }

 private:
  struct ChangeSent {
    View view;
    Rank lock;
  };
  [[nodiscard]] bool may_lock(View view, std::size_t place);
  [[nodiscard]] bool may_final(View view, std::size_t place);
  [[nodiscard]] bool may_base(View view, const LogPoint& base) const;
  [[nodiscard]] Rank highest_final_below(View view) const;

  NodeId self_;
  bool honest_majority_;
  std::vector<Spot> spots_;
  std::vector<Certificate> locks_, finals_;
  std::set<std::tuple<Phase, View, std::size_t>> made_;
  std::map<View, std::size_t> bases_;
  std::map<View, std::vector<std::size_t>> locked_;
  std::set<std::pair<View, std::size_t>> own_proposals_;
  std::vector<ChangeSent> changes_sent_;
  std::size_t final_place_ = 0;
};

}  // namespace zell::testing
