#include "node/wire/request_codec.h"

#include <algorithm>

#include "node/base/check.h"
#include "node/crypto/log_tree.h"

namespace zell {
namespace {

// version, app length, nonce, sender, payload count, payloads root, r || s.
constexpr std::size_t header_bytes_without_app = 1 + 1 + 8 + 33 + 4 + 32 + 64;

/// Fields that the header spells out; false if the bytes end before it does or the version is unknown.
bool read_header(Reader& in, Request& out) {
  if (in.u8() != request_version) in.fail("a request's version is unknown");
  out.app.assign(as_text(in.raw(in.u8())));
  out.nonce = in.u64();
  out.sender = in.fixed<PublicKey>();
  out.payload_count = in.u32();
  out.payloads_root = in.fixed<Hash>();
  out.signature = in.fixed<CompactSignature>();
  return in.ok();
}

void skip_payloads(Reader& in, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) (void)in.raw(in.u32());
}

void add_hashes(Request& request, const SigningDomain& domain) {
  request.digest = request_digest(domain, request.app, request.nonce, request.payload_count, request.payloads_root);
  request.id = request_id(request.digest, request.sender);
  request.leaf = leaf_hash(request.header());
}

template <class Payload>
Hash root_over(std::span<const Payload> payloads) {
  if (payloads.size() == 1) return leaf_hash(payloads.front());
  std::vector<Hash> leaves;
  leaves.reserve(payloads.size());
  for (const auto& payload : payloads) leaves.push_back(leaf_hash(payload));
  return tree_root(leaves);
}

}  // namespace

RequestPtr read_request(Reader& in, const SigningDomain& domain, std::uint32_t max_bytes, const RequestCache* known) {
  const ByteView whole = in.rest().first(std::min<std::size_t>(in.left(), max_bytes));
  Reader reader(whole);
  Request request;
  if (read_header(reader, request)) {
    request.header_bytes = static_cast<std::uint32_t>(whole.size() - reader.left());
    skip_payloads(reader, request.payload_count);
  }
  if (!reader.ok()) {
    in.fail(reader.why());
    return nullptr;
  }
  const ByteView canonical = in.raw(whole.size() - reader.left());
  if (known) {
    if (auto same = known->find(request.signature, canonical)) return same;
  }
  request.canonical.assign(canonical.begin(), canonical.end());
  add_hashes(request, domain);
  return std::make_shared<const Request>(std::move(request));
}

bool is_app(std::string_view app) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !app.empty() && app.size() <= max_app_bytes && std::all_of(app.begin(), app.end(), allowed);
}

Status check_request_header(const Request& request) {
  if (!is_app(request.app))
    return Error{"bad-app", "the app's name is not allowed", "use 1 to 32 of a-z, 0-9, _ and -"};
  if (request.payload_count == 0) return Error{"no-payloads", "the request has no payload", "sign at least one"};
  if (request.payload_count > max_payloads) {
    return Error{"too-many-payloads", "the request has " + std::to_string(request.payload_count) + " payloads",
                 "at most " + std::to_string(max_payloads) + " fit in one request"};
  }
  return Ok{};
}

Status check_request_body(const Request& request) {
  const auto payloads = payloads_of(request);
  if (root_over(std::span<const ByteView>(payloads)) != request.payloads_root) {
    return Error{"bad-payloads-root", "the payloads are not those that the request's header names",
                 "sign the RFC 6962 root over the payloads"};
  }
  return Ok{};
}

Status check_request_size(const Request& request, const Parameters& parameters) {
  if (request.canonical.size() > parameters.request_max_bytes) {
    return Error{"request-too-large", "the request has " + std::to_string(request.canonical.size()) + " bytes",
                 "at most " + std::to_string(parameters.request_max_bytes) + " are allowed in this cluster"};
  }
  return Ok{};
}

// The size comes before the body: what is too large anyway is not hashed.
Status check_request_form(const Request& request, const Parameters& parameters) {
  if (auto status = check_request_header(request); !status) return status;
  if (auto status = check_request_size(request, parameters); !status) return status;
  return check_request_body(request);
}

Status check_request_signature(const Request& request, const SignatureScheme& scheme) {
  if (!scheme.verify(request.sender, request.digest, request.signature)) {
    return Error{"bad-signature", "the signature is not the sender's for this request in this cluster",
                 "sign the ZellRequest with this cluster's id and a low s"};
  }
  return Ok{};
}

Hash payloads_root(std::span<const Bytes> payloads) {
  return root_over(payloads);
}

void write_request_header(Writer& out, std::string_view app, std::uint64_t nonce, const PublicKey& sender,
                          std::uint32_t payload_count, const Hash& root, const CompactSignature& signature) {
  out.u8(request_version);
  out.u8(static_cast<std::uint8_t>(app.size()));
  out.raw(as_bytes(app));
  out.u64(nonce);
  out.fixed(sender);
  out.u32(payload_count);
  out.fixed(root);
  out.fixed(signature);
}

RequestPtr make_request(const SigningDomain& domain, std::string_view app, std::uint64_t nonce, const PublicKey& sender,
                        std::span<const Bytes> payloads, const CompactSignature& signature) {
  ZELL_CHECK(app.size() <= 255);
  auto request = std::make_shared<Request>();
  request->app.assign(app);
  request->nonce = nonce;
  request->sender = sender;
  request->payload_count = static_cast<std::uint32_t>(payloads.size());
  request->payloads_root = payloads_root(payloads);
  request->signature = signature;

  Writer out;
  std::size_t size = header_bytes_without_app + app.size();
  for (const auto& payload : payloads) size += 4 + payload.size();
  out.reserve(size);
  write_request_header(out, app, nonce, sender, request->payload_count, request->payloads_root, signature);
  request->header_bytes = static_cast<std::uint32_t>(out.size());
  for (const auto& payload : payloads) out.sized(payload);
  request->canonical = out.take();
  add_hashes(*request, domain);
  return request;
}

RequestPtr sign_request(const SigningDomain& domain, const SignatureScheme& scheme, const SecretKey& secret,
                        std::string_view app, std::uint64_t nonce, std::span<const Bytes> payloads) {
  const auto sender = scheme.public_key(secret);
  ZELL_CHECK(sender.has_value());
  const Hash digest =
      request_digest(domain, app, nonce, static_cast<std::uint32_t>(payloads.size()), payloads_root(payloads));
  return make_request(domain, app, nonce, *sender, payloads, compact(scheme.sign(secret, digest)));
}

std::vector<ByteView> payloads_of(const Request& request) {
  Reader in(request.body());
  std::vector<ByteView> out;
  out.reserve(std::min<std::size_t>(request.payload_count, max_payloads));
  for (std::uint32_t i = 0; i < request.payload_count && in.ok(); ++i) out.push_back(in.raw(in.u32()));
  ZELL_CHECK(in.at_end());
  return out;
}

}  // namespace zell
