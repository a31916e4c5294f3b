#include "client/answers.h"

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "node/wire/request_codec.h"

namespace zell {

namespace {

using Json = nlohmann::json;

/// A document, read field by field. The first field that is missing or wrong is remembered, and all later reads give
/// zeros.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {
    if (!json.is_object()) fail("body", "an object");
  }

  std::uint64_t number(const char* key) {
    const auto& value = at(key);
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    fail(key, "a number");
    return 0;
  }
  std::uint64_t number_or_zero(const char* key) { return has(key) ? number(key) : 0; }
  std::string text(const char* key) {
    const auto& value = at(key);
    if (value.is_string()) return value.get<std::string>();
    fail(key, "a string");
    return {};
  }
  std::string text_or_empty(const char* key) { return has(key) ? text(key) : std::string(); }
  std::uint64_t decimal(const char* key) {
    auto digits = text(key);
    bool good = !digits.empty() && digits.size() <= 20 && digits.find_first_not_of("0123456789") == std::string::npos;
    errno = 0;
    auto value = good ? std::strtoull(digits.c_str(), nullptr, 10) : 0;
    if (!good || errno == ERANGE) fail(key, "a decimal number");
    return value;
  }
  template <class Fixed>
  Fixed fixed(const char* key) {
    auto value = fixed_from_hex<Fixed>(text(key));
    if (!value) fail(key, "hexadecimal of the right length");
    return value.value_or(Fixed{});
  }
  std::vector<Hash> hashes(const char* key) {
    std::vector<Hash> out;
    for (const auto& one : list(key, 128)) {
      auto hash = one.is_string() ? fixed_from_hex<Hash>(one.get_ref<const std::string&>()) : std::nullopt;
      if (!hash) fail(key, "hashes");
      out.push_back(hash.value_or(Hash{}));
    }
    return out;
  }
  const Json& list(const char* key, std::size_t limit) {
    static const Json none = Json::array();
    const auto& value = at(key);
    if (value.is_array() && value.size() <= limit) return value;
    fail(key, "an array of at most " + std::to_string(limit));
    return none;
  }
  const Json& at(const char* key) {
    static const Json none;
    if (has(key)) return json_[key];
    fail(key, "given");
    return none;
  }
  [[nodiscard]] bool has(const char* key) const { return json_.is_object() && json_.contains(key); }
  void fail(const std::string& field, const std::string& wanted) {
    if (!error_) error_ = Error{field, field + " is not " + wanted, ""};
  }
  /// Takes over what was wrong in a part.
  void take(const Fields& part) {
    if (!error_) error_ = part.error_;
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const Json& json_;
  std::optional<Error> error_;
};

Json parse(std::string_view body) {
  return Json::parse(body, nullptr, /*allow_exceptions=*/false);
}

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

LogPoint read_point(Fields& fields) {
  return {{fields.number("index")}, fields.fixed<Hash>("root")};
}

Certificate read_certificate(Fields& fields) {
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
  auto out = read_certificate(part);
  if (part.error()) fields.fail("certificate", "complete: " + part.error()->what);
  return out;
}

RequestPtr read_request_of(Fields& fields, const SigningDomain& domain) {
  Fields part(fields.at("request"));
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
  fields.take(part);
  if (fields.error()) return nullptr;
  return make_request(domain, app, nonce, sender, payloads, signature);
}

template <class T>
Result<T> done(const Fields& fields, T value) {
  if (fields.error()) return *fields.error();
  return value;
}

}  // namespace

Result<std::vector<RequestClaim>> read_submit_answer(std::string_view body) {
  auto json = parse(body);
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
  auto json = parse(body);
  Fields fields(json);
  auto out = read_claim(fields);
  return done(fields, std::move(out));
}

Result<InclusionClaim> read_inclusion_answer(std::string_view body, const SigningDomain& domain) {
  auto json = parse(body);
  Fields fields(json);
  InclusionClaim out;
  out.index = {fields.number("index")};
  out.path = fields.hashes("path");
  out.certificate = read_certificate_of(fields);
  out.request = read_request_of(fields, domain);
  return done(fields, std::move(out));
}

Result<ConsistencyClaim> read_consistency_answer(std::string_view body) {
  auto json = parse(body);
  Fields fields(json);
  Fields first(fields.at("first")), second(fields.at("second"));
  ConsistencyClaim out{read_point(first), read_point(second), fields.hashes("path")};
  fields.take(first);
  fields.take(second);
  return done(fields, std::move(out));
}

Result<std::optional<Certificate>> read_certificate_answer(std::string_view body) {
  auto json = parse(body);
  Fields fields(json);
  std::optional<Certificate> out;
  if (!fields.at("certificate").is_null()) out = read_certificate_of(fields);
  return done(fields, std::move(out));
}

}  // namespace zell
