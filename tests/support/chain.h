#pragma once
// A small cluster without nodes: keys, a genesis, and a log of signed requests with certificates. For tests.

#include <map>
#include <string>
#include <vector>

#include "node/crypto/keys.h"
#include "node/crypto/log_tree.h"
#include "node/wire/request_codec.h"
#include "node/wire/signed_structures.h"

namespace zell::testing {

class Chain {
 public:
  explicit Chain(std::uint64_t seed = 1, std::size_t members = 4) {
    genesis.cluster_name = "test";
    for (std::size_t i = 0; i < members; ++i) {
      auto name = "n" + std::to_string(i + 1);
      node_keys.push_back(dev_secret_key(seed, name));
      genesis.members.push_back({name, *secp256k1_scheme().public_key(node_keys.back()), 1});
    }
    domain = SigningDomain::of(genesis);
  }

  RequestPtr request(std::uint64_t nonce, const std::string& payload, const std::string& app = "default") const {
    std::vector<Bytes> payloads{Bytes(payload.begin(), payload.end())};
    return sign_request(domain, secp256k1_scheme(), user_key, app, nonce, payloads);
  }

  /// Signed by the first `signers` members (by default as few as make a quorum of equal stakes).
  Certificate certify(const LogPoint& point, Phase phase = Phase::final, View view = {},
                      std::size_t signers = 0) const {
    if (signers == 0) signers = node_keys.size() * 2 / 3 + 1;
    Certificate certificate{phase, view, point, {}};
    auto digest = vote_digest(domain, phase, view, point);
    for (std::size_t i = 0; i < signers; ++i) {
      certificate.signatures.push_back(
          {NodeId{static_cast<std::uint16_t>(i)}, secp256k1_scheme().sign(node_keys[i], digest)});
    }
    return certificate;
  }

  /// Appends a batch; `certified`: a finality certificate ends it.
  void append(Requests requests, bool certified = true) {
    auto parent = tip();
    for (const auto& one : requests) {
      range.append(one->leaf);
      leaves.push_back(one->leaf);
      all.push_back(one);
    }
    auto batch = std::make_shared<Batch>();
    batch->header.first = parent.index.next();
    batch->header.parent_root = parent.root;
    batch->header.end = tip();
    for (const auto& one : requests) batch->request_bytes += static_cast<std::uint32_t>(one->canonical.size());
    batch->requests = std::make_shared<Requests>(std::move(requests));
    batches.push_back(batch);
    if (certified) certificates[tip().index.value] = certify(tip());
  }
  /// `batches` batches of `each` requests with payloads "add 1", "add 2", ….
  void grow(std::size_t count, std::size_t each, const std::string& app = "default") {
    for (std::size_t i = 0; i < count; ++i) {
      Requests requests;
      for (std::size_t k = 0; k < each; ++k) {
        auto nonce = next_nonce++;
        requests.push_back(request(nonce, "add " + std::to_string(nonce), app));
      }
      append(std::move(requests));
    }
  }

  LogPoint tip() const { return {Index{range.size()}, range.root()}; }
  Hash root_at(std::uint64_t index) const { return tree_root(std::span(leaves).first(index)); }

  Genesis genesis;
  std::vector<SecretKey> node_keys;
  SecretKey user_key = dev_secret_key(1, "alice");
  SigningDomain domain;
  CompactRange range;
  std::vector<Hash> leaves;
  Requests all;
  std::vector<BatchPtr> batches;
  std::map<std::uint64_t, Certificate> certificates;  ///< by index
  std::uint64_t next_nonce = 1;
};

}  // namespace zell::testing
