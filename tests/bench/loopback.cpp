#include "tests/bench/loopback.h"

#include <map>

#include "node/base/check.h"

namespace zell::bench {
namespace {

constexpr std::size_t frame_length_bytes = 4;

/// Counts what goes through it. Members' signatures are checked by recovery, users' by verification.
class CountingScheme final : public SignatureScheme {
 public:
  explicit CountingScheme(const SignatureScheme& scheme) : scheme_(scheme) {}
  std::optional<PublicKey> public_key(const SecretKey& secret) const override { return scheme_.public_key(secret); }
  Signature sign(const SecretKey& secret, const Hash& digest) const override {
    ++signed_;
    return scheme_.sign(secret, digest);
  }
  bool verify(const PublicKey& key, const Hash& digest, const CompactSignature& signature) const override {
    ++verified_;
    return scheme_.verify(key, digest, signature);
  }
  std::optional<PublicKey> recover(const Hash& digest, const Signature& signature) const override {
    ++recovered_;
    return scheme_.recover(digest, signature);
  }
  [[nodiscard]] std::uint64_t take_signed() const { return std::exchange(signed_, 0); }
  [[nodiscard]] std::uint64_t take_verified() const { return std::exchange(verified_, 0); }
  [[nodiscard]] std::uint64_t take_recovered() const { return std::exchange(recovered_, 0); }

 private:
  const SignatureScheme& scheme_;
  mutable std::uint64_t signed_ = 0, verified_ = 0, recovered_ = 0;
};

SecretKey member_secret(NodeId node) {
  return dev_secret_key(1, "n" + std::to_string(node.value + 1));
}

}  // namespace

struct Loopback::Node {
  Node(const Genesis& genesis, NodeId self, const SignatureScheme& real)
      : id(self),
        scheme(real),
        cache(make_request_cache(65'536)),
        verifier(genesis, scheme, cache.get()),
        core(genesis, self, ReplicaOptions{}, fresh_member(), NonceWindows{}) {}

  NodeId id;
  CountingScheme scheme;
  std::unique_ptr<RequestCache> cache;
  Verifier verifier;
  Replica core;
  Work work;
  std::deque<Input> here;  ///< what follows inside this node
  std::vector<Arrival> inputs;
  std::map<RequestId, Instant> submitted;
  std::vector<std::uint64_t> hops;
};

Genesis make_members(std::size_t count, const SignatureScheme& scheme, const Parameters& parameters) {
  Genesis genesis;
  genesis.cluster_name = "bench";
  genesis.parameters = parameters;
  for (std::size_t i = 0; i < count; ++i) {
    const NodeId id{static_cast<std::uint16_t>(i)};
    genesis.members.push_back({"n" + std::to_string(i + 1), *scheme.public_key(member_secret(id)), 1});
  }
  ZELL_CHECK(genesis.validate().ok());
  return genesis;
}

Recovered fresh_member() {
  Recovered out;
  out.state.base = out.state.tip = {Index{}, empty_root()};
  return out;
}

Loopback::Loopback(const Genesis& genesis, const SignatureScheme& scheme) : genesis_(genesis) {
  for (std::size_t i = 0; i < genesis.size(); ++i) {
    nodes_.push_back(std::make_unique<Node>(genesis, NodeId{static_cast<std::uint16_t>(i)}, scheme));
  }
  for (auto& one : nodes_) step(*one, Tick{});
  for (auto& one : nodes_) {
    for (auto& other : nodes_) {
      if (one != other) step(*one, PeerUp{other->id});
    }
  }
  run();
  for (auto& one : nodes_) one->work = {};
}

Loopback::~Loopback() = default;

void Loopback::submit(NodeId id, const RequestPtr& request) {
  auto& at = node(id);
  auto checked = at.verifier.check(request);
  ZELL_CHECK(checked.ok());
  at.work.request_checks += at.scheme.take_verified();
  at.submitted.emplace(request->id, now_);
  step(at, Submit{{checked->get()}});
}

void Loopback::run() {
  while (!wire_.empty()) {
    auto next = std::move(wire_.front());
    wire_.pop_front();
    now_ = next.at;
    hear(next);
  }
}

/// As a node does: what it is sent is checked before its core sees it.
void Loopback::hear(const Parcel& parcel) {
  auto& at = node(parcel.to);
  auto checked = at.verifier.check(*parcel.message, at.id);
  ZELL_CHECK(checked.ok());
  at.work.request_checks += at.scheme.take_verified();
  const auto recovered = at.scheme.take_recovered();
  if (std::holds_alternative<Vote>(*parcel.message)) {
    at.work.vote_checks += recovered;
  } else if (std::holds_alternative<CertificateMessage>(*parcel.message)) {
    at.work.certificate_checks += recovered;
  } else if (const auto* proposal = std::get_if<Proposal>(parcel.message.get())) {
    ZELL_CHECK(!proposal->lc && !proposal->fc);  // which would be counted as the proposal's own
    at.work.proposal_checks += recovered;
  } else {
    at.work.other_checks += recovered;
  }
  step(at, Received{parcel.from, *checked});
}

void Loopback::step(Node& at, Input first) {
  at.here.push_back(std::move(first));
  while (!at.here.empty()) {
    at.inputs.push_back({now_, std::move(at.here.front())});
    at.here.pop_front();
    auto effects = at.core.step(at.inputs.back().input, now_);
    ZELL_CHECK(effects.serves.empty() && effects.checks.empty() && !effects.drop_held);
    at.work.commits += effects.persists.size();
    if (!effects.persists.empty()) at.here.emplace_back(Persisted{effects.persists.back().id});
    for (const auto& send : effects.sends) transmit(at, send);
    for (const auto& event : effects.events) {
      const auto* update = std::get_if<RequestUpdate>(&event);
      if (!update) continue;
      ZELL_CHECK(update->state != RequestState::refused);
      if (update->state != RequestState::finalised) continue;
      const auto since = at.submitted.extract(update->id);
      at.hops.push_back(static_cast<std::uint64_t>((now_ - since.mapped()) / hop));
    }
  }
}

void Loopback::transmit(Node& from, const Send& send) {
  auto message = send.message;
  if (send.sign) {
    message = std::make_shared<const Message>(
        sign_message(*message, from.id, member_secret(from.id), from.scheme, from.verifier.domain()));
    from.work.signatures += from.scheme.take_signed();
  }
  const auto bytes = frame_length_bytes + encode_message(*message, from.verifier.domain().epoch).size();
  for (const auto& other : nodes_) {
    if (other->id == from.id || (send.to == Send::To::one && other->id != send.node)) continue;
    wire_.push_back({now_ + hop, from.id, other->id, message});
    ++from.work.messages;
    from.work.bytes += bytes;
  }
  if (send.to == Send::To::all || (send.to == Send::To::one && send.node == from.id)) {
    from.here.emplace_back(Received{from.id, from.verifier.own(*message)});
  }
}

const SigningDomain& Loopback::domain() const {
  return nodes_.front()->verifier.domain();
}
const Work& Loopback::work_of(NodeId id) const {
  return nodes_[id.value]->work;
}
std::vector<std::uint64_t> Loopback::take_hops(NodeId id) {
  return std::exchange(node(id).hops, {});
}
Index Loopback::finalised(NodeId id) const {
  return nodes_[id.value]->core.status().finalised.index;
}
const std::vector<Arrival>& Loopback::inputs_of(NodeId id) const {
  return nodes_[id.value]->inputs;
}

}  // namespace zell::bench
