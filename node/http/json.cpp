#include "node/http/json.h"

#include "node/crypto/keys.h"
#include "node/wire/codec.h"
#include "node/wire/evidence_names.h"
#include "node/wire/request_codec.h"

namespace zell {

namespace {

template <class Fixed>
std::string hex(const Fixed& bytes) {
  return to_hex0x(bytes.view());
}

Json path_json(const std::vector<Hash>& path) {
  auto out = Json::array();
  for (const auto& hash : path) out.push_back(hex(hash));
  return out;
}

std::string name_of_member(const Genesis& genesis, NodeId node) {
  return node.value < genesis.size() ? genesis.members[node.value].name : std::to_string(node.value);
}

void add_batch(Json& list, const Batch& batch, Index from, RequestState state) {
  auto index = batch.header.first;
  for (const auto& request : *batch.requests) {
    if (index >= from) list.push_back(json_of(*request, index, batch.header.view, state));
    index = index.next();
  }
}

}  // namespace

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::member:
      return "member";
    case Standing::learner:
      return "learner";
    case Standing::rejoined:
      return "rejoined";
  }
  return "unknown";
}

Json json_of(const LogPoint& point) {
  return {{"index", point.index.value}, {"root", hex(point.root)}};
}

Json json_of(const Certificate& certificate, const Genesis& genesis) {
  auto signatures = Json::array();
  for (const auto& one : certificate.signatures) {
    signatures.push_back(
        {{"node", one.node.value}, {"name", name_of_member(genesis, one.node)}, {"signature", hex(one.signature)}});
  }
  return {{"phase", certificate.phase == Phase::final ? "final" : "lock"},
          {"view", certificate.view.value},
          {"index", certificate.point.index.value},
          {"root", hex(certificate.point.root)},
          {"signatures", std::move(signatures)}};
}

Json json_of(const RequestReport& report) {
  Json out{{"id", hex(report.id)}, {"state", to_string(report.state)}};
  if (report.index.value != 0) {
    out["index"] = report.index.value;
    out["view"] = report.view.value;
  }
  if (!report.reason.empty()) out["reason"] = report.reason;
  if (!report.hint.empty()) out["hint"] = report.hint;
  out["timed_out"] = report.timed_out;
  return out;
}

Json json_of(const Request& request) {
  auto payloads = Json::array();
  for (auto payload : payloads_of(request)) payloads.push_back(to_hex0x(payload));
  return {{"id", hex(request.id)},
          {"app", request.app},
          {"nonce", std::to_string(request.nonce)},
          {"sender", hex(request.sender)},
          {"payloads", std::move(payloads)},
          {"signature", hex(request.signature)}};
}

Json json_of(const Request& request, Index index, View view, RequestState state) {
  Json entry{{"index", index.value}, {"state", to_string(state)}, {"view", view.value}};
  entry.update(json_of(request));
  return entry;
}

Json json_of(const std::vector<PeerStatus>& peers) {
  auto out = Json::array();
  for (const auto& peer : peers) {
    out.push_back(
        {{"name", peer.name}, {"up", peer.up}, {"since_unix_ms", peer.since_unix_ms}, {"why_down", peer.why_down}});
  }
  return out;
}

Json view_json(const NodeStatus& status, const Genesis& genesis) {
  return {{"view", status.view.value},
          {"leader", name_of_member(genesis, status.leader)},
          {"active", status.active},
          {"since_unix_ms", status.view_since_unix_ms}};
}

Json json_of(const NodeStatus& status, const Genesis& genesis) {
  auto because = Json::array();
  for (const auto& [node, reason] : status.view_because) {
    because.push_back({{"node", name_of_member(genesis, node)}, {"reason", to_string(reason)}});
  }
  return {{"schema", json_schema},
          {"name", status.name},
          {"node", status.node.value},
          {"cluster_id", hex(status.cluster)},
          {"cluster_name", status.cluster_name},
          {"epoch", status.epoch.value},
          {"standing", to_string(status.standing)},
          {"rejoins_above", status.rejoins_above ? Json(status.rejoins_above->value) : Json()},
          {"view", status.view.value},
          {"view_since_unix_ms", status.view_since_unix_ms},
          {"view_because", std::move(because)},
          {"view_timeout_ms", status.view_timeout_ms},
          {"active", status.active},
          {"leader", name_of_member(genesis, status.leader)},
          {"leads", status.leader == status.node},
          {"sequenced", json_of(status.sequenced)},
          {"locked", json_of(status.locked)},
          {"finalised", json_of(status.finalised)},
          {"known_final", status.known_final.value},
          {"behind", status.behind},
          {"pool_requests", status.pool_requests},
          {"pool_bytes", status.pool_bytes},
          {"challenging", status.challenging ? Json(to_string(*status.challenging)) : Json()},
          {"evidence_count", status.evidence_count},
          {"stopped_code", status.stopped_code},
          {"stopped_why", status.stopped_why},
          {"peers", json_of(status.peers)},
          {"log_level", status.log_level},
          {"uptime_ms", status.uptime_ms},
          {"pid", status.pid},
          {"version", status.version},
          {"protocol_version", status.protocol_version}};
}

Json json_of(const Evidence& evidence, const Genesis& genesis) {
  struct Accused {
    const Genesis& genesis;
    NodeId operator()(const TwoProposals& e) const { return genesis.leader(e.a.view); }
    NodeId operator()(const TwoVotes& e) const { return e.a.signer; }
    NodeId operator()(const HiddenLock& e) const { return e.final.signer; }
    NodeId operator()(const InvalidProposal& e) const { return genesis.leader(e.header.view); }
  };
  const auto accused = std::visit(Accused{genesis}, evidence);
  Writer bytes;
  write_evidence(bytes, evidence);
  return {{"kind", kind_of(evidence)},
          {"node", name_of_member(genesis, accused)},
          {"view", view_of(evidence).value},
          {"encoded", to_hex0x(bytes.bytes())}};
}

Json json_of(const Genesis& genesis, const SigningDomain& domain) {
  auto members = Json::array();
  for (const auto& member : genesis.members) {
    auto address = address_of(member.key);
    members.push_back({{"name", member.name},
                       {"key", hex(member.key)},
                       {"address", address ? Json(to_checksum_hex(*address)) : Json()},
                       {"stake", std::to_string(member.stake)}});
  }
  const auto& p = genesis.parameters;
  Json parameters{{"view_timeout_ms", p.view_timeout_ms},     {"view_timeout_cap_ms", p.view_timeout_cap_ms},
                  {"heartbeat_ms", p.heartbeat_ms},           {"censorship_timeout_ms", p.censorship_timeout_ms},
                  {"batches_in_flight", p.batches_in_flight}, {"batch_max_requests", p.batch_max_requests},
                  {"batch_max_bytes", p.batch_max_bytes},     {"request_max_bytes", p.request_max_bytes},
                  {"forward_quota", p.forward_quota}};
  return {{"schema", json_schema},
          {"cluster_id", hex(domain.cluster)},
          {"cluster_name", genesis.cluster_name},
          {"chain_id", std::to_string(genesis.chain_id)},
          {"epoch", domain.epoch.value},
          {"domain", {{"name", genesis.domain_name}, {"version", genesis.domain_version}}},
          {"domain_separator", hex(domain.separator)},
          {"reference_timestamp", domain.reference_timestamp},
          {"members", std::move(members)},
          {"parameters", std::move(parameters)},
          {"canonical", to_hex0x(genesis.canonical_bytes())}};
}

Json json_of(const LogPage& page, Index from, const Genesis& genesis) {
  auto requests = Json::array();
  auto next = from;
  auto add = [&](const Batch& batch, RequestState state) {
    add_batch(requests, batch, from, state);
    next = std::max(next, batch.header.end.index.next());
  };
  for (const auto& batch : page.finalised) add(*batch, RequestState::finalised);
  auto next_final = next;
  for (const auto& batch : page.unfinalised) {
    add(*batch, batch->header.end.index <= page.locked_index ? RequestState::locked : RequestState::sequenced);
  }
  return {{"schema", json_schema},
          {"from", from.value},
          {"next", next.value},
          {"next_finalised", next_final.value},
          {"finalised_index", page.finalised_index.value},
          {"requests", std::move(requests)},
          {"certificate", page.fc ? json_of(*page.fc, genesis) : Json()}};
}

Json json_of(const InclusionProof& proof, const Genesis& genesis) {
  return {{"schema", json_schema},
          {"index", proof.index.value},
          {"leaf", hex(proof.request->leaf)},
          {"header", to_hex0x(proof.request->header())},
          {"request", json_of(*proof.request)},
          {"path", path_json(proof.path)},
          {"certificate", json_of(proof.certificate, genesis)}};
}

Json json_of(const ConsistencyProof& proof, const Genesis& genesis) {
  return {{"schema", json_schema},
          {"first", json_of(proof.first)},
          {"second", json_of(proof.second)},
          {"path", path_json(proof.path)},
          {"certificate", proof.certificate ? json_of(*proof.certificate, genesis) : Json()}};
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::detail::error_handler_t::replace) + "\n";
}

}  // namespace zell
