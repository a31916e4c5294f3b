#include "tests/bench/made_up_log.h"

#include "tests/bench/loopback.h"

namespace zell::bench {
namespace {

std::vector<Bytes> payloads_of_nonce(std::uint64_t nonce, std::size_t count) {
  std::vector<Bytes> out;
  for (std::size_t i = 0; i < count; ++i) out.emplace_back(payload_bytes, static_cast<std::uint8_t>(nonce + i));
  return out;
}

LogPoint point_of(const CompactRange& range) {
  return {{range.size()}, range.root()};
}

}  // namespace

const Genesis& four_members() {
  static const Genesis genesis = make_members(4, secp256k1_scheme(), {});
  return genesis;
}

const SigningDomain& four_members_domain() {
  static const SigningDomain domain = SigningDomain::of(four_members());
  return domain;
}

RequestPtr signed_request(std::uint64_t nonce, std::size_t payloads) {
  return sign_request(four_members_domain(), secp256k1_scheme(), dev_secret_key(1, "alice"), default_app, nonce,
                      payloads_of_nonce(nonce, payloads));
}

RequestPtr unsigned_request(std::uint64_t nonce, std::size_t payloads) {
  PublicKey sender;
  sender.bytes[0] = 2;
  return make_request(four_members_domain(), default_app, nonce, sender, payloads_of_nonce(nonce, payloads), {});
}

BatchPtr extend(CompactRange& range, Requests requests) {
  auto batch = std::make_shared<Batch>();
  batch->header.first = {range.size() + 1};
  batch->header.parent_root = range.root();
  for (const auto& request : requests) {
    range.append(request->leaf);
    batch->request_bytes += static_cast<std::uint32_t>(request->canonical.size());
  }
  batch->header.end = point_of(range);
  batch->header.signature =
      secp256k1_scheme().sign(dev_secret_key(1, "n1"), proposal_digest(four_members_domain(), batch->header));
  batch->requests = std::make_shared<const Requests>(std::move(requests));
  return batch;
}

Certificate certify(Phase phase, const LogPoint& point) {
  Certificate out{phase, {}, point, {}};
  const auto digest = vote_digest(four_members_domain(), phase, {}, point);
  for (std::uint16_t i = 0; i < 3; ++i) {
    out.signatures.push_back({{i}, secp256k1_scheme().sign(dev_secret_key(1, "n" + std::to_string(i + 1)), digest)});
  }
  return out;
}

}  // namespace zell::bench
