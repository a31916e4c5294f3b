// measure GENESIS lone COUNT        one request at a time, each waited for: latency from sending to the answer
// "finalised" measure GENESIS saturate COUNT    requests signed ahead, many in flight on all nodes: requests/s until
// all are final
//
// GENESIS is a running cluster's genesis.toml. Figures are of this machine, in this run, with the load on the same
// cores.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "client/http.h"
#include "node/config/genesis_file.h"
#include "node/wire/request_codec.h"

namespace {

using namespace zell;
using Clock = std::chrono::steady_clock;

struct Cluster {
  Genesis genesis;
  std::vector<std::string> urls;
};

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<RequestPtr> sign_ahead(const Genesis& genesis, std::size_t count) {
  const auto domain = SigningDomain::of(genesis);
  const auto& scheme = secp256k1_scheme();
  auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
  std::vector<RequestPtr> out;
  for (std::size_t i = 0; i < count; ++i) {
    auto secret = dev_secret_key(1, "bench" + std::to_string(i % 64));
    Bytes payload(128, static_cast<std::uint8_t>(i));
    out.push_back(sign_request(domain, scheme, secret, default_app, static_cast<std::uint64_t>(now.count()) + i,
                               std::span(&payload, 1)));
  }
  return out;
}

/// True if all of them were answered as finalised. Busy nodes are asked again.
bool submit(HttpClient& http, const std::string& url, std::span<const RequestPtr> requests) {
  std::string body;
  for (const auto& request : requests) body.append(as_text(request->canonical));
  HttpCall call;
  call.timeout = std::chrono::seconds(60);
  call.content_type = "application/octet-stream";
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    auto reply = http.post(url + "/v1/requests?wait=finalised&timeout_ms=30000", body, call);
    if (!reply.ok()) {
      std::fprintf(stderr, "%s: %s\n", url.c_str(), reply.error().what.c_str());
      return false;
    }
    if (reply->status == 429 || reply->status == 503) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      continue;
    }
    std::size_t final = 0;
    for (std::size_t at = 0; (at = reply->body.find("\"finalised\"", at)) != std::string::npos; ++at) ++final;
    if (final == requests.size()) return true;
  }
  return false;
}

int lone(const Cluster& cluster, std::size_t count) {
  auto requests = sign_ahead(cluster.genesis, count);
  HttpClient http;
  std::vector<double> took;
  for (std::size_t i = 0; i < count; ++i) {
    auto start = Clock::now();
    if (!submit(http, cluster.urls[i % cluster.urls.size()], std::span(&requests[i], 1))) return 1;
    took.push_back(ms_since(start));
  }
  std::sort(took.begin(), took.end());
  std::printf(
      "lone request, submit to final at the node asked, over HTTP: p50 %.2f ms, p99 %.2f ms, max %.2f ms (%zu)\n",
      took[count / 2], took[count * 99 / 100], took.back(), count);
  return 0;
}

int saturate(const Cluster& cluster, std::size_t count) {
  constexpr std::size_t chunk = 256, clients = 16;
  auto requests = sign_ahead(cluster.genesis, count);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  auto start = Clock::now();
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < clients; ++t) {
    threads.emplace_back([&, t] {
      HttpClient http;
      while (!failed) {
        auto first = next.fetch_add(chunk);
        if (first >= count) return;
        auto part = std::span(requests).subspan(first, std::min(chunk, count - first));
        if (!submit(http, cluster.urls[t % cluster.urls.size()], part)) failed = true;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  if (failed) return 1;
  double seconds = ms_since(start) / 1'000;
  std::printf(
      "saturated: %zu single-signature requests of 128 B final in %.2f s: %.0f requests/s (%zu nodes, %u cores)\n",
      count, seconds, static_cast<double>(count) / seconds, cluster.urls.size(), std::thread::hardware_concurrency());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: measure GENESIS lone|saturate COUNT\n");
    return 2;
  }
  auto file = load_genesis(argv[1]);
  if (!file.ok()) {
    std::fprintf(stderr, "%s\n", file.error().what.c_str());
    return 2;
  }
  Cluster cluster{file->genesis, {}};
  for (const auto& endpoints : file->endpoints) cluster.urls.push_back(endpoints.api);
  std::size_t count = std::strtoull(argv[3], nullptr, 10);
  if (count == 0 || (std::strcmp(argv[2], "lone") != 0 && std::strcmp(argv[2], "saturate") != 0)) return 2;
  return std::strcmp(argv[2], "lone") == 0 ? lone(cluster, count) : saturate(cluster, count);
}
