#include "tests/unit/consensus/fixtures.h"

#include <algorithm>

namespace zell::consensus_test {

Genesis make_genesis(const std::vector<std::uint64_t>& stakes) {
  Genesis genesis;
  genesis.cluster_name = "unit";
  for (std::size_t i = 0; i < stakes.size(); ++i) {
    auto key = secp256k1_scheme().public_key(member_secret({static_cast<std::uint16_t>(i)}));
    genesis.members.push_back({"n" + std::to_string(i + 1), *key, stakes[i]});
  }
  return genesis;
}

Genesis patient_genesis() {
  auto genesis = make_genesis({1, 1, 1, 1});
  genesis.parameters.view_timeout_ms = genesis.parameters.view_timeout_cap_ms = 600'000;
  return genesis;
}

SecretKey member_secret(NodeId node) {
  return dev_secret_key(1, "n" + std::to_string(node.value + 1));
}

PublicKey some_key(std::uint8_t which) {
  PublicKey key;
  key.bytes[0] = 2;
  key.bytes[1] = which;
  return key;
}

RequestPtr make_request(std::uint8_t sender, std::uint64_t nonce, std::uint8_t payload, std::size_t payload_bytes) {
  static const Genesis genesis = make_genesis({1});
  static const SigningDomain domain = SigningDomain::of(genesis);
  const Bytes bytes(payload_bytes, payload);
  return zell::make_request(domain, default_app, nonce, some_key(sender), std::span(&bytes, 1), CompactSignature{});
}

Requests make_requests(std::uint8_t sender, std::uint64_t first_nonce, std::size_t count) {
  Requests out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(make_request(sender, first_nonce + i));
  return out;
}

BatchPtr make_batch(View view, const CompactRange& parent, Requests requests) {
  auto batch = std::make_shared<Batch>();
  batch->header.view = view;
  batch->header.first = {parent.size() + 1};
  batch->header.parent_root = parent.root();
  batch->header.signature.bytes[64] = 27;  // as if signed: a zero signature means that there is none
  CompactRange range = parent;
  for (const auto& request : requests) {
    range.append(request->leaf);
    batch->request_bytes += static_cast<std::uint32_t>(request->canonical.size());
  }
  batch->header.end = point_of(range);
  batch->requests = std::make_shared<const Requests>(std::move(requests));
  return batch;
}

CompactRange after(CompactRange range, const Batch& batch) {
  for (const auto& request : *batch.requests) range.append(request->leaf);
  return range;
}

LogPoint point_of(const CompactRange& range) {
  return {{range.size()}, range.root()};
}

Certificate make_certificate(Phase phase, View view, const LogPoint& point, const std::vector<std::uint16_t>& signers) {
  Certificate out{phase, view, point, {}};
  for (auto signer : signers) out.signatures.push_back({{signer}, {}});
  return out;
}

Recovered fresh_member() {
  Recovered out;
  out.state.base = out.state.tip = {Index{}, empty_root()};
  return out;
}

Recovered member_with_final(const Batch& batch) {
  Recovered out = fresh_member();
  out.finalised = after({}, batch);
  out.state.tip = batch.header.end;
  out.fc = make_certificate(Phase::final, {0}, batch.header.end, {0, 1, 2});
  return out;
}

Proposal proposal_of(const Batch& batch) {
  return {batch.header, batch.requests, {}, {}, {}};
}

bool noted(const Driven& node, std::string_view what) {
  const auto all = events<Noted>(node);
  return std::any_of(all.begin(), all.end(), [&](const Noted& note) { return note.what == what; });
}

Driven::Driven(const Genesis& genesis, NodeId self, Recovered recovered)
    : self_(self),
      genesis_(genesis),
      verifier_(genesis_, secp256k1_scheme(), nullptr),
      replica_(genesis_, self, ReplicaOptions{}, std::move(recovered), NonceWindows{}) {
  step(Tick{});
}

void Driven::step(const Input& input) {
  auto effects = replica_.step(input, now_);
  if (effects.drop_held) std::erase_if(held_, [](const Send& send) { return send.sign; });
  for (auto& persist : effects.persists) {
    last_ = persist.id;
    persisted_ = std::move(persist.delta);
  }
  checks_.insert(checks_.end(), effects.checks.begin(), effects.checks.end());
  held_.insert(held_.end(), effects.sends.begin(), effects.sends.end());
  events_.insert(events_.end(), effects.events.begin(), effects.events.end());
}

void Driven::hear(NodeId from, Message message) {
  step(Received{from, verifier_.own(std::move(message))});
}

void Driven::connect(std::size_t members) {
  for (std::size_t i = 0; i < members; ++i) {
    if (i != self_.value) step(PeerUp{{static_cast<std::uint16_t>(i)}});
  }
}

void Driven::make_durable() {
  while (durable_ < last_) {
    durable_ = last_;
    step(Persisted{durable_});
  }
}

std::vector<Send> Driven::released() {
  std::vector<Send> out;
  std::erase_if(held_, [&](const Send& send) {
    if (send.after > durable_) return false;
    out.push_back(send);
    return true;
  });
  return out;
}

std::vector<Vote> Driven::votes(const std::vector<Send>& sends, Phase phase) {
  std::vector<Vote> out;
  for (const auto& send : sends) {
    const auto* vote = std::get_if<Vote>(send.message.get());
    if (vote && vote->phase == phase) out.push_back(*vote);
  }
  return out;
}

}  // namespace zell::consensus_test
