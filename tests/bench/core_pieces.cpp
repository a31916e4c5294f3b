// The core of each role, fed again what it was fed in a calm run of four nodes.

#include "node/base/check.h"
#include "tests/bench/loopback.h"
#include "tests/bench/made_up_log.h"
#include "tests/bench/piece.h"
#include "tests/simulation/scheme.h"

namespace zell::bench {
namespace {

constexpr std::size_t batch_count = 256, batches = 12;
// The first request of all is proposed alone, and the others wait meanwhile.
constexpr std::size_t request_count = 1 + batch_count * batches;
const NodeId leader{0}, entry{1}, follower{2};

/// The inputs of that role's core while all requests are submitted at once to `entry` and finalised in full batches.
std::vector<Arrival> record(const Genesis& genesis, NodeId role) {
  const auto& scheme = simulation::cheap_scheme();
  Loopback cluster(genesis, scheme);
  const Bytes payload(payload_bytes, 7);
  for (std::size_t i = 1; i <= request_count; ++i) {
    cluster.submit(entry, sign_request(cluster.domain(), scheme, dev_secret_key(1, "alice"), default_app, i,
                                       std::span(&payload, 1)));
  }
  cluster.run();
  for (auto node : {leader, entry, follower}) ZELL_CHECK(cluster.finalised(node).value == request_count);
  return cluster.inputs_of(role);
}

Run replay(NodeId role) {
  Parameters parameters;
  parameters.batch_max_requests = batch_count;
  auto genesis = std::make_shared<const Genesis>(make_members(4, simulation::cheap_scheme(), parameters));
  auto inputs = std::make_shared<const std::vector<Arrival>>(record(*genesis, role));
  return [genesis, inputs, role] {
    Replica core(*genesis, role, ReplicaOptions{}, fresh_member(), NonceWindows{});
    std::size_t finalised = 0, batches_final = 0;
    for (const auto& arrival : *inputs) {
      const auto effects = core.step(arrival.input, arrival.at);
      for (const auto& event : effects.events) {
        const auto* final = std::get_if<Finalised>(&event);
        if (!final) continue;
        finalised += final->batch->count();
        ++batches_final;
      }
    }
    ZELL_CHECK(finalised == request_count && batches_final == batches + 1);
  };
}

}  // namespace

std::vector<Piece> core_pieces() {
  return {
      {"core that leads", "request", request_count, 3, [] { return replay(leader); }},
      {"core that took the requests in", "request", request_count, 3, [] { return replay(entry); }},
      {"core that follows", "request", request_count, 3, [] { return replay(follower); }},
  };
}

}  // namespace zell::bench
