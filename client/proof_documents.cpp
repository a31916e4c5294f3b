#include "client/proof_documents.h"

#include "client/answers.h"
#include "client/json_fields.h"
#include "client/proofs.h"
#include "node/wire/evidence_names.h"
#include "node/wire/request_codec.h"

namespace zell {

namespace {

using Ordered = nlohmann::ordered_json;

constexpr std::uint64_t document_schema = 1;
constexpr const char* inclusion_kind = "zell-inclusion-proof";
constexpr const char* evidence_kind = "zell-evidence";

Error bad_proof(const std::string& what) {
  return {"bad-proof", what, "ask whoever made the proof for another one, and believe nothing that rests on this one"};
}

template <class Fixed>
std::string hex(const Fixed& bytes) {
  return to_hex0x(bytes.view());
}

Ordered json_of(const Certificate& certificate) {
  auto signatures = Ordered::array();
  for (const auto& one : certificate.signatures) {
    signatures.push_back({{"node", one.node.value}, {"signature", hex(one.signature)}});
  }
  return {{"phase", "final"},
          {"view", certificate.view.value},
          {"index", certificate.point.index.value},
          {"root", hex(certificate.point.root)},
          {"signatures", std::move(signatures)}};
}

/// What every document begins with. `kind` null: a node's answer, which has none and names no cluster.
Status check_head(Fields& fields, const char* kind, const SigningDomain& domain) {
  const auto schema = fields.number("schema");
  if (fields.error()) return bad_proof(fields.error()->what);
  if (schema != document_schema) {
    return Error{"newer-schema", "the document has schema " + std::to_string(schema) + ", and this zell knows schema 1",
                 "use the zell that wrote it, or a newer one"};
  }
  if (!kind) return Ok{};
  if (const auto found = fields.text("kind"); !fields.error() && found != kind) {
    return bad_proof(std::string("its kind is not '") + kind + "'");
  }
  const auto cluster = fields.fixed<ClusterId>("cluster");
  if (fields.error()) return bad_proof(fields.error()->what);
  if (cluster == domain.cluster) return Ok{};
  return Error{"foreign", "the proof is of cluster " + hex(cluster) + ", not of " + hex(domain.cluster),
               "give the genesis file of that cluster: --genesis FILE"};
}

/// The request's canonical bytes, all of them.
RequestPtr read_canonical(Fields& fields, const Verifier& verifier) {
  const auto bytes = from_hex(fields.text("request"));
  Reader in(bytes ? ByteView(*bytes) : ByteView{});
  auto request = read_request(in, verifier.domain(), verifier.genesis().parameters.request_max_bytes);
  if (in.at_end() && request) return request;
  fields.fail("request", "the canonical bytes of one request");
  return nullptr;
}

}  // namespace

std::string write_proof_document(const ProvenRequest& proven, const SigningDomain& domain) {
  auto path = Ordered::array();
  for (const auto& hash : proven.path) path.push_back(hex(hash));
  const Ordered document{{"schema", document_schema},
                         {"kind", inclusion_kind},
                         {"cluster", hex(domain.cluster)},
                         {"index", proven.index.value},
                         {"request", to_hex0x(proven.request->canonical)},
                         {"path", std::move(path)},
                         {"certificate", json_of(*proven.certificate)}};
  return document.dump();
}

Result<ProvenRequest> check_proof_document(std::string_view text, const Verifier& verifier) {
  if (text.size() > max_proof_document_bytes) return bad_proof("it is longer than a proof can be");
  const auto json = parse_json(text);
  if (!json.is_object()) return bad_proof("it is no JSON document");
  Fields fields(json);
  if (auto head = check_head(fields, inclusion_kind, verifier.domain()); !head) return head.error();
  InclusionClaim claim;
  claim.index = {fields.number("index")};
  claim.path = fields.hashes("path");
  claim.certificate = read_certificate_of(fields);
  claim.request = read_canonical(fields, verifier);
  if (fields.error()) return bad_proof(fields.error()->what);
  auto proven = check_inclusion(std::move(claim), verifier, /*check_signatures=*/true);
  if (!proven) return bad_proof(proven.error().what);
  return proven;
}

Result<CertificatePtr> check_certificate_document(std::string_view text, const Verifier& verifier) {
  if (text.size() > max_proof_document_bytes) return bad_proof("it is longer than a certificate can be");
  const auto json = parse_json(text);
  if (!json.is_object()) return bad_proof("it is no JSON document");
  Fields fields(json);
  Certificate certificate;
  if (fields.has("certificate")) {
    if (auto head = check_head(fields, nullptr, verifier.domain()); !head) return head.error();
    if (fields.at("certificate").is_null()) return bad_proof("it says that nothing is final");
    certificate = read_certificate_of(fields);
  } else {
    certificate = read_certificate_fields(fields);
  }
  if (fields.error()) return bad_proof(fields.error()->what);
  if (auto checked = verifier.check_certificate(certificate); !checked) return bad_proof(checked.error().what);
  return std::make_shared<const Certificate>(std::move(certificate));
}

std::string write_evidence_document(std::span<const ProvenFault> faults, const Genesis& genesis,
                                    const SigningDomain& domain) {
  auto list = Ordered::array();
  for (const auto& fault : faults) {
    Writer bytes;
    write_evidence(bytes, *fault.evidence);
    list.push_back({{"kind", kind_of(*fault.evidence)},
                    {"node", genesis.members[fault.accused.value].name},
                    {"view", view_of(*fault.evidence).value},
                    {"encoded", to_hex0x(bytes.bytes())}});
  }
  const Ordered document{{"schema", document_schema},
                         {"kind", evidence_kind},
                         {"cluster", hex(domain.cluster)},
                         {"evidence", std::move(list)}};
  return document.dump();
}

Result<ProvenFaults> check_evidence_document(std::string_view text, const Verifier& verifier) {
  if (text.size() > max_evidence_document_bytes) return bad_proof("it is longer than all evidence can be");
  const auto json = parse_json(text);
  if (!json.is_object()) return bad_proof("it is no JSON document");
  Fields fields(json);
  const bool exported = fields.has("kind") || fields.has("cluster");
  if (auto head = check_head(fields, exported ? evidence_kind : nullptr, verifier.domain()); !head) return head.error();
  const auto& genesis = verifier.genesis();
  auto claim = read_evidence_fields(fields, {verifier.domain(), genesis.parameters, genesis.size()});
  if (!claim) return bad_proof(claim.error().what);
  ProvenFaults out;
  out.without_bytes = claim->without_bytes;
  for (std::size_t i = 0; i < claim->evidence.size(); ++i) {
    auto accused = verifier.check_evidence(*claim->evidence[i]);
    if (!accused) return bad_proof("evidence " + std::to_string(i + 1) + ": " + accused.error().what);
    out.faults.push_back({*accused, claim->evidence[i]});
  }
  return out;
}

}  // namespace zell
