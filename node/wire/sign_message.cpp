#include "node/wire/verifier.h"

namespace zell {
namespace {

/// Signs what is this node's and has no signature yet. Leadership of a view is the caller's to know: only a leader
/// makes an unsigned proposal, heartbeat or NewView.
struct Signing {
  NodeId self;
  const SecretKey& secret;
  const SignatureScheme& scheme;
  const SigningDomain& domain;

  void fill(Signature& signature, const Hash& digest) const { signature = scheme.sign(secret, digest); }

  void operator()(Proposal& m) const {
    if (m.header.signature.is_zero()) fill(m.header.signature, proposal_digest(domain, m.header));
  }
  void operator()(Heartbeat& m) const {
    if (m.signature.is_zero()) fill(m.signature, heartbeat_digest(domain, m.view, m.tip, m.counter));
  }
  void operator()(NewView& m) const {
    if (!m.signature.is_zero()) return;
    fill(m.signature, new_view_digest(domain, m.view, m.base, changes_hash(domain, m.changes)));
  }
  void operator()(Vote& m) const {
    if (m.signer != self || !m.signature.is_zero()) return;
    fill(m.signature, vote_digest(domain, m.phase, m.view, m.point));
  }
  void operator()(Challenge& m) const {
    auto& part = m.signed_part;
    if (part.node != self || !part.signature.is_zero()) return;
    fill(part.signature, challenge_digest(domain, part.view, part.reason));
  }
  void operator()(ViewChange& m) const {
    auto& part = m.signed_part;
    if (part.node != self || !part.signature.is_zero()) return;
    fill(part.signature, view_change_digest(domain, part.view, part.lock));
  }
  void operator()(ViewAnswer& m) const {
    if (m.node != self || !m.signature.is_zero()) return;
    fill(m.signature, durable_view_digest(domain, m.view, m.nonce));
  }
  template <class Unsigned>
  void operator()(Unsigned&) const {}
};

}  // namespace

Message sign_message(Message message, NodeId self, const SecretKey& secret, const SignatureScheme& scheme,
                     const SigningDomain& domain) {
  std::visit(Signing{self, secret, scheme, domain}, message);
  return message;
}

}  // namespace zell
