#pragma once
// Both sides of the handshake as a function of the frames received: no sockets, no clock.

#include <optional>
#include <vector>

#include "node/crypto/keys.h"
#include "node/transport/hello.h"
#include "node/types/genesis.h"
#include "node/wire/signed_structures.h"

namespace zell {

/// Who this node is, and whom it may meet. Outlives the handshakes that use it.
struct MeshIdentity {
  SigningDomain domain;
  std::vector<PublicKey> keys;     ///< of the members, in genesis order
  std::vector<Address> addresses;  ///< likewise
  NodeId self;
  SecretKey secret;
  const SignatureScheme* scheme = nullptr;

  /// Codes: "bad-genesis" (a key is no point of the curve), "wrong-key" (`secret` is not that of `self`).
  [[nodiscard]] static Result<MeshIdentity> make(const Genesis& genesis, NodeId self, const SecretKey& secret,
                                                 const SignatureScheme& scheme);
};

enum class Role : std::uint8_t { dialler = 1, acceptor = 2 };  ///< as signed

class Handshake {
 public:
  /// What a received frame leads to: bytes to answer with, and one of done, refused, knocked or (none) to go on.
  struct Step {
    Bytes reply;
    bool done = false;               ///< the peer proved its key: peer() is that member
    std::optional<Cause> refused;    ///< close after the reply
    std::optional<Cause> they_said;  ///< with refused == refused_by_peer: what the peer gave as its cause
    std::optional<NodeId> knocked;   ///< close; that member, unproven, asks to be dialled
  };

  /// Dials `peer`. `nonce` is fresh and random.
  [[nodiscard]] static Handshake dial(const MeshIdentity& identity, NodeId peer, const Nonce32& nonce);
  /// Waits for whoever connected.
  [[nodiscard]] static Handshake accept(const MeshIdentity& identity, const Nonce32& nonce);

  /// What to send before anything is received: empty for an acceptor, which says nothing to a stranger.
  [[nodiscard]] Bytes opening() const;
  /// REQUIRES: no earlier step was done, refused or knocked.
  [[nodiscard]] Step on_frame(ByteView body);
  /// The dialled member, or the one that the other side says it is; nullopt before that.
  [[nodiscard]] std::optional<NodeId> peer() const { return peer_; }

 private:
  Handshake(const MeshIdentity& identity, Role role, std::optional<NodeId> peer, const Nonce32& nonce)
      : identity_(&identity), role_(role), peer_(peer), nonce_(nonce) {}
  Step on(const Hello& hello);
  Step on(const Proof& proof);
  Step on(const Refusal& refusal);
  Step on(const Knock& knock);
  [[nodiscard]] std::optional<Cause> objection(const Hello& hello) const;
  [[nodiscard]] Bytes own_hello() const;
  [[nodiscard]] Bytes own_proof() const;
  [[nodiscard]] static Step refuse(Cause cause);

  const MeshIdentity* identity_;
  Role role_;
  std::optional<NodeId> peer_;
  Nonce32 nonce_;
  std::optional<Nonce32> peer_nonce_;  ///< set by the peer's Hello
};

}  // namespace zell
