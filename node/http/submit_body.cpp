#include "node/http/submit_body.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "node/http/params.h"
#include "node/wire/request_codec.h"

namespace zell {

namespace {

using Json = nlohmann::json;

constexpr auto request_form = R"(a request is {"app","nonce","payloads":["0x…"],"sender":"0x…","signature":"0x…"})";

Error bad_field(const std::string& where, std::string_view wanted) {
  return {"bad-request", where + " must be " + std::string(wanted), request_form};
}

Error too_many() {
  return {"too-many-requests", "more than " + std::to_string(max_submit_requests) + " requests in one call",
          "send them in several calls"};
}

/// True if the text may be parsed: its depth and number of values are bounded. Says nothing about its form.
bool within_json_bounds(std::string_view text) {
  std::size_t depth = 0, values = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_json_depth) return false;
      ++values;
    } else if (c == ']' || c == '}') {
      if (depth > 0) --depth;
    } else if (c == ',') {
      if (++values > max_json_values) return false;
    }
  }
  return true;
}

bool is_request_field(std::string_view name) {
  static constexpr std::string_view known[] = {"schema", "cluster", "app", "nonce", "payloads", "sender", "signature"};
  return std::find(std::begin(known), std::end(known), name) != std::end(known);
}

std::optional<std::uint64_t> read_nonce(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_string()) return parse_decimal(value.get_ref<const std::string&>());
  return std::nullopt;
}

/// "0x" and an even number of digits.
std::optional<Bytes> read_hex(const Json& value) {
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (!text.starts_with("0x")) return std::nullopt;
  return from_hex(text);
}

/// Text that may be parsed, parsed. `what` is how complaints call it, `wanted` what to send instead.
Result<Json> parse(std::string_view text, const std::string& what, std::string_view wanted) {
  if (!within_json_bounds(text)) {
    return Error{"bad-json", what + " is nested deeper than 8 or has more than 262,144 values",
                 "send fewer requests a call, or canonical bytes as application/octet-stream"};
  }
  auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return Error{"bad-json", what + " is not JSON", std::string(wanted)};
  }
  return json;
}

class RequestReader {
 public:
  RequestReader(const SigningDomain& domain, const Parameters& parameters, const SignatureScheme& scheme)
      : domain_(domain), parameters_(parameters), scheme_(scheme) {}

  Result<SubmittedRequest> read(const Json& item, const std::string& where) const {
    if (!item.is_object()) return bad_field(where, "an object");
    for (const auto& [key, value] : item.items()) {
      if (!is_request_field(key)) return bad_field(where, "an object without \"" + key.substr(0, 40) + "\"");
    }
    if (item.contains("schema") && item["schema"] != request_schema) return bad_field(where + ".schema", "1");
    std::optional<ClusterId> cluster = domain_.cluster;
    if (item.contains("cluster")) {
      cluster = item["cluster"].is_string() ? fixed_from_hex<ClusterId>(item["cluster"].get_ref<const std::string&>())
                                            : std::nullopt;
      if (!cluster) return bad_field(where + ".cluster", "\"0x\" and a cluster id of 32 bytes");
    }
    auto app = item.value("app", Json(default_app));
    if (!app.is_string()) return bad_field(where + ".app", "a string");
    const auto& name = app.get_ref<const std::string&>();
    // The canonical form has one byte for its length; whether the name is good is the node's to say.
    if (name.size() > max_app_bytes) return bad_field(where + ".app", "at most 32 characters of a-z, 0-9, _ and -");
    auto nonce = read_nonce(item.value("nonce", Json()));
    if (!nonce) return bad_field(where + ".nonce", "a whole number below 2^64, also as a string");
    auto payloads = read_payloads(item.value("payloads", Json()), where);
    if (!payloads) return payloads.error();
    return read_signed(item, where, *cluster, name, *nonce, *payloads);
  }

 private:
  Error other_cluster(const std::string& where, const ClusterId& cluster) const {
    return {"other-cluster",
            where + " was signed for cluster " + to_hex0x(cluster.view()) + ", and this is cluster " +
                to_hex0x(domain_.cluster.view()),
            "it was signed for cluster " + to_hex0x(cluster.view().first(8)) + "…: submit it there, or sign it anew"};
  }

  Result<std::vector<Bytes>> read_payloads(const Json& list, const std::string& where) const {
    if (!list.is_array()) return bad_field(where + ".payloads", "an array of \"0x…\" strings");
    if (list.size() > max_payloads) return bad_field(where + ".payloads", "an array of at most 4,096");
    std::vector<Bytes> out;
    out.reserve(list.size());
    std::size_t total = 0;
    for (const auto& value : list) {
      auto payload = read_hex(value);
      if (!payload) {
        return bad_field(where + ".payloads[" + std::to_string(out.size()) + "]",
                         "\"0x\" and an even number of digits");
      }
      total += payload->size();
      if (total > parameters_.request_max_bytes) {
        return Error{"request-too-large",
                     where + " is over " + std::to_string(parameters_.request_max_bytes) + " bytes",
                     "split it into several requests"};
      }
      out.push_back(std::move(*payload));
    }
    return out;
  }

  Result<SubmittedRequest> read_signed(const Json& item, const std::string& where, const ClusterId& cluster,
                                       const std::string& app, std::uint64_t nonce,
                                       const std::vector<Bytes>& payloads) const {
    auto signature = read_hex(item.value("signature", Json()));
    if (!signature || (signature->size() != 64 && signature->size() != 65)) {
      return bad_field(where + ".signature", "\"0x\" and 64 bytes (r, s) or 65 (r, s, v) in hexadecimal");
    }
    std::optional<PublicKey> sender;
    if (item.contains("sender")) {
      if (item["sender"].is_string()) sender = fixed_from_hex<PublicKey>(item["sender"].get_ref<const std::string&>());
      if (!sender) return bad_field(where + ".sender", "\"0x\" and a compressed public key of 33 bytes");
    } else if (signature->size() == 64) {
      return bad_field(where + ".sender", "given when the signature has no v (64 bytes)");
    }
    // Only once it is clear that it has the form of a request.
    if (cluster != domain_.cluster) return SubmittedRequest{nullptr, other_cluster(where, cluster)};
    if (!sender) {
      auto digest =
          request_digest(domain_, app, nonce, static_cast<std::uint32_t>(payloads.size()), payloads_root(payloads));
      sender = scheme_.recover(digest, Signature::from(*signature));
      if (!sender) {
        return SubmittedRequest{nullptr,
                                {"bad-signature", "no key can be recovered from the signature of " + where,
                                 "sign the EIP-712 digest; s must be low and v 27 or 28"}};
      }
    }
    auto rs = CompactSignature::from(ByteView(*signature).first(64));
    return SubmittedRequest{make_request(domain_, app, nonce, *sender, payloads, rs), {}};
  }

  const SigningDomain& domain_;
  const Parameters& parameters_;
  const SignatureScheme& scheme_;
};

}  // namespace

Result<SubmittedRequest> read_json_request(std::string_view text, const SigningDomain& domain,
                                           const Parameters& parameters, const SignatureScheme& scheme) {
  const auto json = parse(text, "it", request_form);
  if (!json) return json.error();
  return RequestReader(domain, parameters, scheme).read(*json, "the request");
}

Result<std::vector<SubmittedRequest>> read_json_requests(std::string_view body, const SigningDomain& domain,
                                                         const Parameters& parameters, const SignatureScheme& scheme) {
  auto parsed =
      parse(body, "the body", R"(send {"requests":[{"app","nonce","payloads":["0x…"],"sender","signature"}]})");
  if (!parsed) return parsed.error();
  const auto& json = *parsed;
  RequestReader reader(domain, parameters, scheme);
  std::vector<SubmittedRequest> out;
  if (!json.is_object() || !json.contains("requests")) {
    auto one = reader.read(json, "the request");
    if (!one) return one.error();
    out.push_back(std::move(*one));
    return out;
  }
  const auto& list = json["requests"];
  if (json.size() != 1) return bad_field("the body", "{\"requests\":[…]} and nothing else");
  if (!list.is_array() || list.empty()) return bad_field("requests", "an array of one or more");
  if (list.size() > max_submit_requests) return too_many();
  out.reserve(list.size());
  for (const auto& item : list) {
    auto one = reader.read(item, "requests[" + std::to_string(out.size()) + "]");
    if (!one) return one.error();
    out.push_back(std::move(*one));
  }
  return out;
}

Result<std::vector<SubmittedRequest>> read_binary_requests(std::string_view body, const SigningDomain& domain,
                                                           const Parameters& parameters) {
  Reader in(as_bytes(body));
  std::vector<SubmittedRequest> out;
  while (in.left() > 0) {
    if (out.size() == max_submit_requests) return too_many();
    auto request = read_request(in, domain, parameters.request_max_bytes);
    if (!in.ok() || !request) {
      return Error{"bad-request", "request " + std::to_string(out.size()) + " can't be read: " + std::string(in.why()),
                   "send canonical requests, one after the other"};
    }
    out.push_back({std::move(request), {}});
  }
  if (out.empty()) return Error{"bad-request", "the body is empty", "send at least one request"};
  return out;
}

}  // namespace zell
