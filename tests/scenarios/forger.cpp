#include "tests/scenarios/forger.h"

#include <algorithm>
#include <stdexcept>

#include "node/wire/request_codec.h"

namespace zell::scenarios {

void Forger::sent(const Process& from, const Message& message, bool, const std::vector<ProcessId>&) {
  first_.try_emplace({from.member, kind_of(message)}, message);
  if (const auto* vote = std::get_if<Vote>(&message)) {
    votes_[{vote->phase, vote->view, vote->point}].emplace(vote->signer, vote->signature);
  } else if (const auto* change = std::get_if<ViewChange>(&message)) {
    reports_[{change->signed_part.view, change->signed_part.node}] = *change;
  }
}

Message Forger::proposal(NodeId as, View view, const LogPoint& parent, const Requests& requests,
                         const Requests& shown) const {
  CompactRange range = names_.range_at(parent);
  for (const auto& request : requests) range.append(request->leaf);
  Proposal out;
  out.header = {view, parent.index.next(), parent.root, {{range.size()}, range.root()}, {}};
  out.requests = std::make_shared<const Requests>(shown);
  return cluster_->sign_as(as, out);
}

Message Forger::vote(NodeId as, Phase phase, View view, const LogPoint& point) const {
  return cluster_->sign_as(as, Vote{phase, view, point, as, {}});
}

Message Forger::certificate(NodeId as, Phase phase, View view, const LogPoint& point) const {
  Certificate out{phase, view, point, {}};
  std::map<NodeId, Signature> signatures;
  if (auto seen = votes_.find({phase, view, point}); seen != votes_.end()) signatures = seen->second;
  signatures[as] = std::get<Vote>(vote(as, phase, view, point)).signature;
  MemberSet signers;
  for (const auto& [node, signature] : signatures) {
    if (cluster_->genesis().is_quorum(signers)) break;
    signers.set(node.value);
    out.signatures.push_back({node, signature});
  }
  if (!cluster_->genesis().is_quorum(signers)) throw std::runtime_error("too few members have voted for that");
  return CertificateMessage{out};
}

Message Forger::empty_report(NodeId as, View view) const {
  return cluster_->sign_as(as, ViewChange{{as, view, {{0}, {{0}, empty_root()}}, {}}, {}, {}});
}

Message Forger::new_view(NodeId as, View view, const std::vector<NodeId>& of, bool without_base) const {
  NewView out{view, {{0}, {{0}, empty_root()}}, {}, {}, {}};
  for (auto node : of) {
    auto report = reports_.find({view, node});
    if (report == reports_.end()) throw std::runtime_error(node_name(node) + " has not reported to that view");
    out.changes.push_back(report->second.signed_part);
    if (without_base || report->second.signed_part.lock.rank() < out.base.rank()) continue;
    out.base = report->second.signed_part.lock;
    out.base_lc = report->second.lc;
  }
  return cluster_->sign_as(as, out);
}

Message Forger::challenge(NodeId as, View view, Reason reason) const {
  return cluster_->sign_as(as, Challenge{{as, view, reason, {}}, nullptr, {}});
}

Message Forger::replay(NodeId other, const std::string& kind) const {
  auto found = first_.find({other, kind});
  if (found == first_.end()) throw std::runtime_error(node_name(other) + " has sent no " + kind);
  return found->second;
}

RequestPtr Forger::bad_request(const Request& good) const {
  auto signature = good.signature;
  signature.bytes[40] ^= 1;
  std::vector<Bytes> payloads;
  for (auto view : payloads_of(good)) payloads.emplace_back(view.begin(), view.end());
  return make_request(cluster_->verifier().domain(), good.app, good.nonce, good.sender, payloads, signature);
}

}  // namespace zell::scenarios
