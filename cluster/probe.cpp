#include "cluster/probe.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "client/http.h"
#include "cluster/user_keys.h"
#include "node/config/genesis_file.h"
#include "node/wire/request_codec.h"

namespace zell {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds try_timeout{2'000};
constexpr milliseconds pause_between_tries{25};  // nodes that start refuse connections until they listen

milliseconds left_until(Clock::time_point deadline) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline - Clock::now()));
}

Result<RequestPtr> sign_probe(const FoundCluster& cluster) {
  auto genesis = load_genesis(cluster.paths.genesis());
  if (!genesis) return genesis.error();
  auto found = list_keys(cluster.paths.keys());
  if (!found) return found.error();
  if (found->keys.empty() && !found->broken.empty()) return found->broken.front().error;
  if (found->keys.empty()) {
    return Error{"no-such-key", "the cluster has lost its dev keys in " + cluster.paths.keys().string(),
                 "zell cluster rm"};
  }
  auto json = load_key_file(cluster.paths.keys() / (found->keys.front().name + ".json"));
  if (!json) return json.error();
  auto secret = decrypt_key(*json, "");
  if (!secret) return secret.error();
  const auto nonce =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
  const std::vector<Bytes> payloads{{'p', 'r', 'o', 'b', 'e'}};
  return sign_request(SigningDomain::of(genesis->genesis), secp256k1_scheme(), *secret, reserved_app,
                      static_cast<std::uint64_t>(nonce.count()), payloads);
}

struct Whereabouts {
  std::string state;
  std::uint64_t index = 0;
  std::string reason, hint;
};

std::optional<Whereabouts> read_result(const nlohmann::json& json) {
  try {
    return Whereabouts{json.at("state").get<std::string>(), json.value("index", std::uint64_t{0}),
                       json.value("reason", std::string()), json.value("hint", std::string())};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

/// One try at one node: where the request stands, or nullopt if the node can't tell now.
std::optional<Whereabouts> submit_to(HttpClient& http, const ClusterNode& node, const Request& request,
                                     milliseconds timeout) {
  const HttpCall call{timeout + milliseconds(500), "application/json", "application/octet-stream", 1 << 20};
  auto reply = http.post(node.api_url() + "/v1/requests?wait=finalised&timeout_ms=" + std::to_string(timeout.count()),
                         as_text(request.canonical), call);
  if (!reply || reply->status != 200) return std::nullopt;
  const auto json = nlohmann::json::parse(reply->body, nullptr, false);
  if (!json.is_object() || !json.contains("results") || json["results"].size() != 1) return std::nullopt;
  return read_result(json["results"][0]);
}

bool final_on(const ClusterNode& node, const std::string& id, Clock::time_point deadline) {
  HttpClient http;
  while (true) {
    const auto timeout = std::min(try_timeout, left_until(deadline));
    if (timeout.count() == 0) return false;
    const HttpCall call{timeout + milliseconds(500), "application/json", "", 1 << 20};
    auto reply = http.get(
        node.api_url() + "/v1/requests/" + id + "?wait=finalised&timeout_ms=" + std::to_string(timeout.count()), call);
    if (reply && reply->status == 200) {
      const auto standing = read_result(nlohmann::json::parse(reply->body, nullptr, false));
      if (standing && standing->state == "finalised") return true;
    } else {
      std::this_thread::sleep_for(pause_between_tries);
    }
  }
}

Result<Index> submit_until_final(const Request& request, const std::vector<ClusterNode>& nodes,
                                 Clock::time_point deadline, const std::function<Status()>& check) {
  HttpClient http;
  for (std::size_t k = 0;; ++k) {
    if (auto good = check(); !good) return good.error();
    const auto timeout = std::min(try_timeout, left_until(deadline));
    if (timeout.count() == 0) break;
    const auto standing = submit_to(http, nodes[k % nodes.size()], request, timeout);
    if (standing && standing->state == "finalised") return Index{standing->index};
    if (standing && standing->state == "refused" && standing->reason != "busy" && standing->reason != "learner" &&
        standing->reason != "stopped") {
      return Error{standing->reason, "a probe was refused: " + standing->reason, standing->hint};
    }
    if (!standing) std::this_thread::sleep_for(pause_between_tries);
  }
  return Error{"timeout", "no probe became final in time", "zell status; zell node logs"};
}

}  // namespace

Result<ProbeResult> probe_cluster(const FoundCluster& cluster, const std::vector<ClusterNode>& nodes,
                                  milliseconds timeout, const std::function<Status()>& check) {
  const auto begin = Clock::now();
  if (nodes.empty()) return Error{"unreachable", "no node of " + cluster.file.name + " runs", "zell node start all"};
  auto request = sign_probe(cluster);
  if (!request) return request.error();
  auto index = submit_until_final(**request, nodes, begin + timeout, check);
  if (!index) return index.error();
  std::vector<char> has_it(nodes.size(), 0);
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    threads.emplace_back([&, k] { has_it[k] = final_on(nodes[k], to_hex0x((*request)->id.view()), begin + timeout); });
  }
  for (auto& thread : threads) thread.join();
  std::string missing;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (!has_it[k]) missing += " " + nodes[k].name;
  }
  if (!missing.empty()) {
    return Error{"timeout", "a probe is final, but not yet on" + missing, "zell status; zell node logs"};
  }
  return ProbeResult{*index, nodes.size(), std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin)};
}

}  // namespace zell
