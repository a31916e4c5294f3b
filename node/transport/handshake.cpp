#include "node/transport/handshake.h"

#include "node/base/check.h"
#include "node/wire/codec.h"

namespace zell {

Result<MeshIdentity> MeshIdentity::make(const Genesis& genesis, NodeId self, const SecretKey& secret,
                                        const SignatureScheme& scheme) {
  ZELL_CHECK(self.value < genesis.size());
  MeshIdentity out;
  out.domain = SigningDomain::of(genesis);
  out.self = self;
  out.secret = secret;
  out.scheme = &scheme;
  for (const auto& member : genesis.members) {
    const auto address = address_of(member.key);
    if (!address) {
      return Error{"bad-genesis", "the key of " + member.name + " is no point of the curve",
                   "make the genesis file anew"};
    }
    out.keys.push_back(member.key);
    out.addresses.push_back(*address);
  }
  if (scheme.public_key(secret) != out.keys[self.value]) {
    return Error{"wrong-key",
                 "this node's key is not the one that the genesis file names for " + genesis.members[self.value].name,
                 "start the node with its own key file"};
  }
  return out;
}

Handshake Handshake::dial(const MeshIdentity& identity, NodeId peer, const Nonce32& nonce) {
  return {identity, Role::dialler, peer, nonce};
}

Handshake Handshake::accept(const MeshIdentity& identity, const Nonce32& nonce) {
  return {identity, Role::acceptor, std::nullopt, nonce};
}

Bytes Handshake::opening() const {
  return role_ == Role::dialler ? own_hello() : Bytes{};
}

Handshake::Step Handshake::on_frame(ByteView body) {
  auto frame = decode_handshake(body, wire_version);
  if (!frame) return refuse(Cause::malformed);
  return std::visit([this](const auto& alternative) { return on(alternative); }, *frame);
}

std::optional<Cause> Handshake::objection(const Hello& hello) const {
  if (peer_nonce_) return Cause::malformed;
  if (hello.version != wire_version) return Cause::wrong_version;
  if (hello.cluster != identity_->domain.cluster) return Cause::wrong_cluster;
  if (hello.member.value >= identity_->keys.size()) return Cause::unknown_member;
  if (hello.member == identity_->self) return Cause::self_connection;
  if (role_ == Role::dialler && hello.member != *peer_) return Cause::wrong_member;
  if (role_ == Role::acceptor && hello.member < identity_->self) return Cause::wrong_direction;
  return std::nullopt;
}

Handshake::Step Handshake::on(const Hello& hello) {
  if (auto cause = objection(hello)) return refuse(*cause);
  peer_ = hello.member;
  peer_nonce_ = hello.nonce;
  // The acceptor proves its key last: a stranger that knows the cluster id alone costs it no signature.
  Step step;
  step.reply = role_ == Role::dialler ? own_proof() : own_hello();
  return step;
}

Handshake::Step Handshake::on(const Proof& proof) {
  if (!peer_nonce_) return refuse(Cause::malformed);
  const auto their_role = role_ == Role::dialler ? Role::acceptor : Role::dialler;
  const auto digest =
      hello_digest(identity_->domain, identity_->addresses[peer_->value], identity_->addresses[identity_->self.value],
                   *peer_nonce_, nonce_, static_cast<std::uint8_t>(their_role), wire_version);
  if (identity_->scheme->recover(digest, proof.signature) != identity_->keys[peer_->value]) {
    return refuse(Cause::bad_proof);
  }
  Step step;
  step.done = true;
  if (role_ == Role::acceptor) step.reply = own_proof();
  return step;
}

Handshake::Step Handshake::on(const Refusal& refusal) {
  Step step;
  step.refused = Cause::refused_by_peer;
  step.they_said = refusal.cause;
  return step;
}

Handshake::Step Handshake::on(const Knock& knock) {
  if (role_ != Role::acceptor || peer_nonce_) return refuse(Cause::malformed);
  if (knock.version != wire_version) return refuse(Cause::wrong_version);
  if (knock.cluster != identity_->domain.cluster) return refuse(Cause::wrong_cluster);
  if (knock.member.value >= identity_->keys.size()) return refuse(Cause::unknown_member);
  if (knock.member >= identity_->self) return refuse(Cause::wrong_direction);
  Step step;
  step.knocked = knock.member;
  return step;
}

Bytes Handshake::own_hello() const {
  return encode_handshake(Hello{wire_version, identity_->domain.cluster, identity_->self, nonce_});
}

Bytes Handshake::own_proof() const {
  const auto digest =
      hello_digest(identity_->domain, identity_->addresses[identity_->self.value], identity_->addresses[peer_->value],
                   nonce_, *peer_nonce_, static_cast<std::uint8_t>(role_), wire_version);
  return encode_handshake(Proof{identity_->scheme->sign(identity_->secret, digest)});
}

Handshake::Step Handshake::refuse(Cause cause) {
  Step step;
  step.refused = cause;
  step.reply = encode_handshake(Refusal{cause});
  return step;
}

}  // namespace zell
