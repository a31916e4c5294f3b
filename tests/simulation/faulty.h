#pragma once
// A node that lies: it runs a real core, and what it sends is changed on the way out.

#include <vector>

#include "node/wire/verifier.h"
#include "tests/simulation/world.h"

namespace zell::simulation {

class Liar {
 public:
  Liar(Fault fault, NodeId self, const Genesis& genesis, const SignatureScheme& scheme, SecretKey secret)
      : fault_(fault),
        self_(self),
        genesis_(genesis),
        scheme_(scheme),
        secret_(std::move(secret)),
        domain_(SigningDomain::of(genesis)) {}

  /// What it sends to `to` instead of `message`: nothing, the truth, a lie, or both.
  [[nodiscard]] std::vector<Message> tell(const Message& message, NodeId to) const;
  /// True if it drops this incoming message unseen.
  [[nodiscard]] bool ignores(const Message& message) const;

 private:
  [[nodiscard]] Message sign(Message message) const {
    return sign_message(std::move(message), self_, secret_, scheme_, domain_);
  }
  [[nodiscard]] std::vector<Message> other_proposal(const Proposal& proposal, bool invalid) const;

  Fault fault_;
  NodeId self_;
  const Genesis& genesis_;
  const SignatureScheme& scheme_;
  SecretKey secret_;
  SigningDomain domain_;
};

}  // namespace zell::simulation
