#pragma once
// A node that lies: it runs a real core, and what it sends and hears is changed on the way.

#include <functional>
#include <map>
#include <vector>

#include "node/base/prng.h"
#include "node/crypto/log_tree.h"
#include "node/wire/verifier.h"
#include "tests/simulation/world.h"

namespace zell::simulation {

/// A second log that a leader shows to some nodes, batch for batch beside the true one.
struct Fork {
  View view;
  LogPoint tip;
  CompactRange range;
};

class Liar {
 public:
  /// What a liar knows beside what it is told: its own log, and requests that are in it.
  struct Surroundings {
    std::function<std::optional<CompactRange>(const LogPoint&)> log_at;  ///< nullopt: not a point of its log
    std::function<RequestPtr()> some_final_request;                      ///< null: nothing is final
    std::function<void(const RequestPtr&)> submitted;                    ///< the liar is a user too
  };

  Liar(const Plan& plan, const Genesis& genesis, const SignatureScheme& scheme, SecretKey secret,
       Surroundings surroundings);

  /// What it sends to `to` instead of `message`: nothing, the truth, a lie, or both.
  [[nodiscard]] std::vector<Message> tell(const Message& message, NodeId to);
  /// What its core hears of this message: nothing, all, or a part.
  [[nodiscard]] std::optional<Message> hear(const Message& message);
  /// What it says to everyone because of what it just heard: certificates of its other logs.
  [[nodiscard]] std::vector<Message> blurt() { return std::exchange(blurt_, {}); }
  /// How long it holds a message back before it sends it.
  [[nodiscard]] Duration holds_back(const Message& message) const;
  /// Lies told, by kind.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& told() const { return told_; }
  /// The user whom a censor doesn't serve.
  static constexpr std::size_t censored_user = 0;
  [[nodiscard]] static SecretKey user(std::uint64_t seed, std::size_t which);

 private:
  [[nodiscard]] Message sign(Message message) const {
    return sign_message(std::move(message), self_, secret_, scheme_, domain_);
  }
  /// The same choice for the same (view, what) each time.
  [[nodiscard]] bool chooses(View view, std::uint64_t what, std::uint32_t per_million) const;
  [[nodiscard]] bool is_victim(View view, NodeId node) const;
  [[nodiscard]] std::vector<Message> tell_proposal(const Proposal& truth, NodeId to);
  [[nodiscard]] const Message* forked(const Proposal& truth);
  [[nodiscard]] const Message* invalid(const Proposal& truth);
  [[nodiscard]] Requests spoil(Requests requests);
  [[nodiscard]] std::optional<Message> make_proposal(View view, const CompactRange& parent, Requests requests) const;
  [[nodiscard]] std::vector<Message> tell_new_view(const NewView& truth, NodeId to);
  [[nodiscard]] std::vector<Message> hide(const ViewChange& truth);
  [[nodiscard]] RequestPtr own_request(std::string_view app, std::uint64_t nonce, std::uint8_t payload) const;
  void count(const Vote& vote);
  [[nodiscard]] Requests without_censored(const Requests& requests) const;

  Fault fault_;
  std::uint64_t seed_;
  NodeId self_;
  const Genesis& genesis_;
  const SignatureScheme& scheme_;
  SecretKey secret_, own_user_;
  PublicKey censored_;
  SigningDomain domain_;
  Surroundings around_;
  Prng random_;
  std::uint64_t next_nonce_ = 1;

  std::optional<Fork> fork_;
  std::map<std::pair<View, LogPoint>, std::optional<Message>> lies_;  ///< by the true proposal that they stand for
  std::map<View, std::optional<Message>> other_new_views_;
  std::map<View, std::map<NodeId, ViewChange>> changes_;
  std::map<std::tuple<Phase, View, LogPoint>, std::map<NodeId, Vote>> votes_;  ///< on its other logs
  std::vector<Message> blurt_;
  std::map<std::string, std::uint64_t> told_;
};

}  // namespace zell::simulation
