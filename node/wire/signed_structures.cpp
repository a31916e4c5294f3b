#include "node/wire/signed_structures.h"

#include <array>
#include <initializer_list>

#include "node/base/check.h"
#include "node/crypto/hash.h"

namespace zell {
namespace {

constexpr std::size_t word_bytes = 32;
using Word = std::array<std::uint8_t, word_bytes>;

// EIP-712 pads every number and address on the left to one word.
Word word(std::uint64_t number) {
  Word out{};
  for (std::size_t i = 0; i < 8; ++i) out[word_bytes - 1 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}
Word word(const Address& address) {
  Word out{};
  std::memcpy(out.data() + word_bytes - Address::size, address.bytes.data(), Address::size);
  return out;
}
template <class Tag>
Word word(const FixedBytes<word_bytes, Tag>& bytes) {
  return bytes.bytes;
}

/// keccak(typeHash || one word a field).
Hash struct_hash(const Hash& type_hash, std::initializer_list<Word> fields) {
  constexpr std::size_t max_fields = 8;
  ZELL_CHECK(fields.size() <= max_fields);
  std::array<std::uint8_t, (max_fields + 1) * word_bytes> buffer;
  std::memcpy(buffer.data(), type_hash.bytes.data(), word_bytes);
  std::size_t used = word_bytes;
  for (const auto& field : fields) {
    std::memcpy(buffer.data() + used, field.data(), word_bytes);
    used += word_bytes;
  }
  return keccak256(ByteView(buffer.data(), used));
}

/// keccak(0x1901 || domainSeparator || structHash).
Hash typed_digest(const SigningDomain& domain, const Hash& hash) {
  std::array<std::uint8_t, 2 + 2 * word_bytes> buffer;
  buffer[0] = 0x19;
  buffer[1] = 0x01;
  std::memcpy(buffer.data() + 2, domain.separator.bytes.data(), word_bytes);
  std::memcpy(buffer.data() + 2 + word_bytes, hash.bytes.data(), word_bytes);
  return keccak256(buffer);
}

Hash type_hash(std::string_view encode_type) {
  return keccak256(as_bytes(encode_type));
}

/// Most requests of a busy moment share their app: its hash is kept from one call to the next.
const Hash& app_hash(std::string_view app) {
  thread_local std::string last_app;
  thread_local Hash last_hash = keccak256(ByteView{});
  if (app != last_app) {
    last_hash = keccak256(as_bytes(app));
    last_app.assign(app);
  }
  return last_hash;
}

}  // namespace

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::unresponsive:
      return "unresponsive";
    case Reason::stalled:
      return "stalled";
    case Reason::censored:
      return "censored";
    case Reason::equivocation:
      return "equivocation";
    case Reason::invalid_proposal:
      return "invalid-proposal";
    case Reason::manual:
      return "manual";
  }
  check_failed("a Reason has one of its values", __FILE__, __LINE__);
}

SigningDomain SigningDomain::of(const Genesis& genesis) {
  SigningDomain out;
  out.cluster = ClusterId{keccak256(genesis.canonical_bytes()).bytes};
  out.separator =
      struct_hash(type_hash("EIP712Domain(string name,string version)"),
                  {word(keccak256(as_bytes(genesis.domain_name))), word(keccak256(as_bytes(genesis.domain_version)))});
  out.reference_timestamp = genesis.reference_timestamp;
  return out;
}

Hash request_digest(const SigningDomain& domain, std::string_view app, std::uint64_t nonce, std::uint32_t payload_count,
                    const Hash& payloads_root) {
  static const Hash type =
      type_hash("ZellRequest(bytes32 cluster,string app,uint64 nonce,uint32 count,bytes32 payloads)");
  return typed_digest(domain, struct_hash(type, {word(domain.cluster), word(app_hash(app)), word(nonce),
                                                 word(payload_count), word(payloads_root)}));
}

RequestId request_id(const Hash& digest, const PublicKey& sender) {
  std::array<std::uint8_t, Hash::size + PublicKey::size> buffer;
  std::memcpy(buffer.data(), digest.bytes.data(), Hash::size);
  std::memcpy(buffer.data() + Hash::size, sender.bytes.data(), PublicKey::size);
  return RequestId{keccak256(buffer).bytes};
}

// The vote's struct hash is the message of EigenLayer's certificate, so that its contracts accept the same signatures.
Hash vote_digest(const SigningDomain& domain, Phase phase, View view, const LogPoint& point) {
  static const Hash vote_type =
      type_hash("ZellVote(bytes32 cluster,uint32 epoch,uint64 view,uint64 index,uint8 phase,bytes32 root)");
  static const Hash certificate_type = type_hash("ECDSACertificate(uint32 referenceTimestamp,bytes32 messageHash)");
  const Hash vote =
      struct_hash(vote_type, {word(domain.cluster), word(domain.epoch.value), word(view.value), word(point.index.value),
                              word(static_cast<std::uint64_t>(phase)), word(point.root)});
  return typed_digest(domain, struct_hash(certificate_type, {word(domain.reference_timestamp), word(vote)}));
}

Hash proposal_digest(const SigningDomain& domain, const ProposalHeader& header) {
  static const Hash type = type_hash(
      "ZellProposal(bytes32 cluster,uint32 epoch,uint64 view,uint64 firstIndex,bytes32 parentRoot,uint64 lastIndex,"
      "bytes32 root)");
  return typed_digest(
      domain, struct_hash(type, {word(domain.cluster), word(domain.epoch.value), word(header.view.value),
                                 word(header.first.value), word(header.parent_root), word(header.end.index.value),
                                 word(header.end.root)}));
}

Hash challenge_digest(const SigningDomain& domain, View view, Reason reason) {
  static const Hash type = type_hash("ZellChallenge(bytes32 cluster,uint32 epoch,uint64 view,uint8 reason)");
  return typed_digest(domain, struct_hash(type, {word(domain.cluster), word(domain.epoch.value), word(view.value),
                                                 word(static_cast<std::uint64_t>(reason))}));
}

Hash view_change_digest(const SigningDomain& domain, View view, const Lock& lock) {
  static const Hash type = type_hash(
      "ZellViewChange(bytes32 cluster,uint32 epoch,uint64 view,uint64 lockView,uint64 lockIndex,bytes32 lockRoot)");
  return typed_digest(domain,
                      struct_hash(type, {word(domain.cluster), word(domain.epoch.value), word(view.value),
                                         word(lock.view.value), word(lock.point.index.value), word(lock.point.root)}));
}

Hash new_view_digest(const SigningDomain& domain, View view, const Lock& base, const Hash& changes_hash) {
  static const Hash type = type_hash(
      "ZellNewView(bytes32 cluster,uint32 epoch,uint64 view,uint64 baseView,uint64 baseIndex,bytes32 baseRoot,"
      "bytes32 changesHash)");
  return typed_digest(domain, struct_hash(type, {word(domain.cluster), word(domain.epoch.value), word(view.value),
                                                 word(base.view.value), word(base.point.index.value),
                                                 word(base.point.root), word(changes_hash)}));
}

Hash heartbeat_digest(const SigningDomain& domain, View view, const LogPoint& tip, std::uint64_t counter) {
  static const Hash type =
      type_hash("ZellHeartbeat(bytes32 cluster,uint32 epoch,uint64 view,uint64 tip,bytes32 root,uint64 counter)");
  return typed_digest(domain, struct_hash(type, {word(domain.cluster), word(domain.epoch.value), word(view.value),
                                                 word(tip.index.value), word(tip.root), word(counter)}));
}

Hash hello_digest(const SigningDomain& domain, const Address& from, const Address& to, const Nonce32& nonce_from,
                  const Nonce32& nonce_to, std::uint8_t role, std::uint32_t version) {
  static const Hash type = type_hash(
      "ZellHello(bytes32 cluster,address from,address to,bytes32 nonceFrom,bytes32 nonceTo,uint8 role,uint32 version)");
  return typed_digest(domain, struct_hash(type, {word(domain.cluster), word(from), word(to), word(nonce_from),
                                                 word(nonce_to), word(role), word(version)}));
}

Hash membership_digest(const SigningDomain& domain, const Hash& next_set) {
  static const Hash type = type_hash("ZellMembership(bytes32 cluster,uint32 epoch,bytes32 nextSet)");
  return typed_digest(domain, struct_hash(type, {word(domain.cluster), word(domain.epoch.value), word(next_set)}));
}

Hash durable_view_digest(const SigningDomain& domain, View view, const Nonce32& nonce) {
  static const Hash type = type_hash("ZellDurableView(bytes32 cluster,uint32 epoch,uint64 view,bytes32 nonce)");
  return typed_digest(
      domain, struct_hash(type, {word(domain.cluster), word(domain.epoch.value), word(view.value), word(nonce)}));
}

}  // namespace zell
