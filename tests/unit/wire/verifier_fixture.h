#pragma once

#include <catch2/catch.hpp>

#include "tests/unit/wire/test_cluster.h"

namespace zell::testing {

/// A cluster of four with equal stakes, its verifier, and a log of twelve requests.
struct VerifierFixture {
  TestCluster cluster;
  std::unique_ptr<RequestCache> cache = make_request_cache(1'000);
  Verifier verifier{cluster.genesis, TestCluster::scheme(), cache.get()};
  TestLog log = [this] {
    TestLog out;
    for (std::uint64_t nonce = 1; nonce <= 12; ++nonce) out.append(cluster.request(nonce));
    return out;
  }();

  std::string code(Message message) const {
    auto out = verifier.check(std::move(message));
    return out.ok() ? "ok" : out.error().code;
  }
  Proposal proposal(View view, std::uint64_t from, std::uint64_t to) const {
    return {cluster.signed_header(log.header(view, from, to)), log.requests(from, to), {}, {}, {}};
  }
  /// A proposal of requests that need not be good; the header is signed over their true root.
  Proposal proposal_of(const Requests& requests) const {
    TestLog other;
    for (const auto& request : requests) other.append(request);
    return {
        cluster.signed_header(other.header({0}, 1, requests.size())), other.requests(1, requests.size()), {}, {}, {}};
  }
  std::optional<std::uint32_t> first_bad(const Requests& requests) const {
    auto out = verifier.check(proposal_of(requests));
    REQUIRE(out.ok());
    return std::get<Proposal>((*out)->get()).first_bad;
  }
};

inline Request changed(const RequestPtr& request) {
  return *request;
}
inline RequestPtr shared(Request request) {
  return std::make_shared<const Request>(std::move(request));
}

}  // namespace zell::testing
