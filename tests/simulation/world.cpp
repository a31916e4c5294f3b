#include <algorithm>

#include "node/crypto/hash.h"
#include "tests/simulation/world_impl.h"

namespace zell::simulation {

Genesis World::make_genesis() const {
  Genesis genesis;
  genesis.cluster_name = "simulation";
  genesis.chain_id = 0;
  for (std::uint16_t i = 0; i < plan_.nodes; ++i) {
    genesis.members.push_back({"n" + std::to_string(i + 1), *scheme().public_key(secret({i})), plan_.stakes[i]});
  }
  genesis.parameters.view_timeout_ms = 400;
  genesis.parameters.view_timeout_cap_ms = 4'000;
  genesis.parameters.heartbeat_ms = 100;
  genesis.parameters.censorship_timeout_ms = 400;
  genesis.parameters.batches_in_flight = 4;
  genesis.parameters.batch_max_requests = 8;
  genesis.parameters.forward_quota = 16;
  return genesis;
}

bool World::finished() const {
  if (!healed_ || now() < last_submission_ || checks_.final_count() < requests_.size()) return false;
  for (const auto& request : requests_) {
    if (!checks_.is_final(request->id)) return false;
  }
  for (const auto& node : nodes_) {
    if (honest(node.id) && checks_.final_of(node.id) != checks_.highest_final()) return false;
  }
  return true;
}

std::string World::where_all_stand() const {
  std::string where;
  for (const auto& node : nodes_) {
    auto status = node.replica->status();
    where += " " + name(node.id) + ": view " + std::to_string(status.view.value) + (status.active ? "" : " (moving)") +
             " final " + std::to_string(status.finalised.index.value) + "/" +
             std::to_string(status.sequenced.index.value);
  }
  return where;
}

void World::count_what_happened() {
  for (const auto& [what, n] : liar_.told()) outcome_.seen["lies: " + what] += n;
  outcome_.seen["runs: calm"] += plan_.calm;
  outcome_.seen["runs: watched for patience long after healing"] += plan_.watch_patience;
  outcome_.seen["runs: that changed views"] += outcome_.view_changes > 0;
  outcome_.seen["runs: with fault " + std::string(to_string(plan_.fault))] += 1;
}

Outcome World::run() {
  for (std::uint16_t i = 0; i < plan_.nodes; ++i) {
    nodes_.emplace_back();
    nodes_.back().id = {i};
    nodes_.back().disk.store = make_memory_store(genesis_, Standing::member);
  }
  group_.assign(plan_.nodes, 0);
  schedule_requests();
  try {
    for (std::uint16_t i = 0; i < plan_.nodes; ++i) start({i});
    schedule_chaos();
    at(plan_.chaos, [this] { heal(); });
    Instant limit = now() + plan_.chaos + plan_.heal_limit;
    while (!finished()) {
      if (schedule_.run_next(limit)) continue;
      throw Violation("no progress after healing: " + std::to_string(checks_.final_count()) + " of " +
                      std::to_string(requests_.size()) + " final;" + where_all_stand());
    }
  } catch (const Violation& violation) {
    outcome_.violation = violation.what();
  }
  outcome_.trace = sha256(trace_);
  outcome_.final_requests = checks_.final_count();
  count_what_happened();
  return outcome_;
}

Outcome run(const Plan& plan, const std::function<void(const std::string&)>& log) {
  return World(plan, log).run();
}

}  // namespace zell::simulation
