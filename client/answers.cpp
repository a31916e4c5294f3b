#include "client/answers.h"

#include "client/json_fields.h"
#include "node/wire/delta.h"
#include "node/wire/request_codec.h"

namespace zell {

LogPoint read_point(Fields& fields) {
  return {{fields.number("index")}, fields.fixed<Hash>("root")};
}

Certificate read_certificate_fields(Fields& fields) {
  Certificate out;
  auto phase = fields.text("phase");
  if (phase != "final") fields.fail("certificate", "a finality certificate");
  out.phase = Phase::final;
  out.view = {fields.number("view")};
  out.point = read_point(fields);
  for (const auto& one : fields.list("signatures", max_members)) {
    Fields signature(one);
    auto node = signature.number("node");
    if (node >= max_members) signature.fail("signatures", "of members");
    out.signatures.push_back({NodeId{static_cast<std::uint16_t>(node)}, signature.fixed<Signature>("signature")});
    fields.take(signature);
  }
  return out;
}

Certificate read_certificate_of(Fields& fields) {
  Fields part(fields.at("certificate"));
  auto out = read_certificate_fields(part);
  if (part.error()) fields.fail("certificate", "complete: " + part.error()->what);
  return out;
}

namespace {

RequestState read_state(Fields& fields) {
  auto name = fields.text("state");
  for (auto state : {RequestState::unknown, RequestState::initialised, RequestState::sequenced, RequestState::locked,
                     RequestState::finalised, RequestState::refused}) {
    if (name == to_string(state)) return state;
  }
  fields.fail("state", "a known state");
  return RequestState::unknown;
}

RequestClaim read_claim(Fields& fields) {
  RequestClaim out;
  out.state = read_state(fields);
  out.id = fields.fixed<RequestId>("id");
  out.index = {fields.number_or_zero("index")};
  out.reason = fields.text_or_empty("reason");
  out.hint = fields.text_or_empty("hint");
  return out;
}

RequestPtr read_request_fields(Fields& part, const SigningDomain& domain) {
  std::vector<Bytes> payloads;
  for (const auto& one : part.list("payloads", max_payloads)) {
    auto payload = one.is_string() ? from_hex(one.get_ref<const std::string&>()) : std::nullopt;
    if (!payload) part.fail("payloads", "hexadecimal");
    payloads.push_back(std::move(payload).value_or(Bytes{}));
  }
  auto app = part.text("app");
  if (app.size() > max_app_bytes) part.fail("app", "at most 32 bytes");
  auto nonce = part.decimal("nonce");
  auto sender = part.fixed<PublicKey>("sender");
  auto signature = part.fixed<CompactSignature>("signature");
  if (part.error()) return nullptr;
  return make_request(domain, app, nonce, sender, payloads, signature);
}

RequestPtr read_request_of(Fields& fields, const SigningDomain& domain) {
  Fields part(fields.at("request"));
  auto out = read_request_fields(part, domain);
  fields.take(part);
  return out;
}

template <class T>
Result<T> done(const Fields& fields, T value) {
  if (fields.error()) return *fields.error();
  return value;
}

}  // namespace

Result<std::vector<RequestClaim>> read_submit_answer(std::string_view body) {
  auto json = parse_json(body);
  Fields fields(json);
  std::vector<RequestClaim> out;
  constexpr std::size_t max_results = 4'096;
  for (const auto& one : fields.list("results", max_results)) {
    Fields part(one);
    out.push_back(read_claim(part));
    fields.take(part);
  }
  return done(fields, std::move(out));
}

Result<RequestClaim> read_lookup_answer(std::string_view body) {
  auto json = parse_json(body);
  Fields fields(json);
  auto out = read_claim(fields);
  return done(fields, std::move(out));
}

Result<InclusionClaim> read_inclusion_answer(std::string_view body, const SigningDomain& domain) {
  auto json = parse_json(body);
  Fields fields(json);
  InclusionClaim out;
  out.index = {fields.number("index")};
  out.path = fields.hashes("path");
  out.certificate = read_certificate_of(fields);
  out.request = read_request_of(fields, domain);
  return done(fields, std::move(out));
}

Result<ConsistencyClaim> read_consistency_answer(std::string_view body) {
  auto json = parse_json(body);
  Fields fields(json);
  Fields first(fields.at("first")), second(fields.at("second"));
  ConsistencyClaim out{read_point(first), read_point(second), fields.hashes("path")};
  fields.take(first);
  fields.take(second);
  return done(fields, std::move(out));
}

Result<std::optional<Certificate>> read_certificate_answer(std::string_view body) {
  auto json = parse_json(body);
  Fields fields(json);
  std::optional<Certificate> out;
  if (!fields.at("certificate").is_null()) out = read_certificate_of(fields);
  return done(fields, std::move(out));
}

Result<std::vector<PendingRequest>> read_pending_answer(std::string_view body, const SigningDomain& domain) {
  constexpr std::size_t max_requests = 1 << 20;
  auto json = parse_json(body);
  Fields fields(json);
  std::vector<PendingRequest> out;
  for (const auto& one : fields.list("requests", max_requests)) {
    Fields part(one);
    PendingRequest entry{nullptr, {part.number("index")}, {part.number("view")}, read_state(part)};
    entry.request = read_request_fields(part, domain);
    fields.take(part);
    if (fields.error()) break;
    out.push_back(std::move(entry));
  }
  return done(fields, std::move(out));
}

Result<EvidenceAnswer> read_evidence_answer(std::string_view body, const DecodeContext& context) {
  auto json = parse_json(body);
  Fields fields(json);
  return read_evidence_fields(fields, context);
}

Result<EvidenceAnswer> read_evidence_fields(Fields& fields, const DecodeContext& context) {
  EvidenceAnswer out;
  for (const auto& one : fields.list("evidence", max_stored_evidence)) {
    Fields part(one);
    if (part.has("encoded") && part.at("encoded").is_null()) {
      ++out.without_bytes;
      continue;
    }
    const auto bytes = from_hex(part.text("encoded"));
    if (!bytes) part.fail("encoded", "hexadecimal");
    Reader in(bytes ? ByteView(*bytes) : ByteView{});
    auto evidence = read_evidence(in, context);
    if (!in.at_end()) part.fail("encoded", "evidence of this cluster's form");
    fields.take(part);
    if (fields.error()) break;
    out.evidence.push_back(std::move(evidence));
  }
  return done(fields, std::move(out));
}

}  // namespace zell
