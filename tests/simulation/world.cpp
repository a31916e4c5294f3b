#include "tests/simulation/world.h"

#include <algorithm>

#include "node/crypto/hash.h"
#include "tests/simulation/plan_text.h"
#include "tests/simulation/world_impl.h"

namespace zell::simulation {

World::World(const Plan& plan, Journal* journal)
    : plan_(plan),
      journal_(journal),
      network_random_(plan.seed ^ 0x11),
      disk_random_(plan.seed ^ 0x22'0000),
      chaos_random_(plan.seed ^ 0x33'0000'0000),
      client_random_(plan.seed ^ 0x44'0000'0000'0000),
      secrets_(make_secrets()),
      genesis_(make_genesis()),
      witness_(genesis_, chains_, outcome_.seen),
      request_cache_(make_request_cache(1'024)),
      verifier_(genesis_, scheme(), request_cache_.get()),
      observer_(plan_, genesis_, verifier_, outcome_.seen) {
  make_liars();
  make_hosts();
}

std::vector<SecretKey> World::make_secrets() const {
  std::vector<SecretKey> out;
  for (std::uint16_t i = 0; i < plan_.nodes; ++i) out.push_back(dev_secret_key(plan_.seed, name(NodeId{i})));
  return out;
}

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

void World::make_hosts() {
  auto add = [this](std::uint16_t id) {
    hosts_.emplace_back();
    auto& host = hosts_.back();
    host.place = hosts_.size() - 1;
    host.id = {id};
    if (plan_.real_disks)
      host.disk.real = std::make_unique<RealDisk>(plan_.seed + host.place, genesis_, host.id);
    else
      host.disk.store = make_memory_store(genesis_, Standing::member);
  };
  for (std::uint16_t i = 0; i < plan_.nodes; ++i) add(i);
  for (const auto& liar : plan_.liars) {
    if (liar.behaviours[static_cast<std::size_t>(Behaviour::twins)]) add(liar.node.value);
  }
  links_.resize(hosts_.size() * hosts_.size());
  touch_.assign(hosts_.size(), 0);
  for (std::size_t i = 0; i < hosts_.size(); ++i) touch_[i] = i % 3;
}

void World::make_liars() {
  liars_.resize(plan_.nodes);
  for (std::uint16_t i = 0; i < plan_.nodes; ++i) {
    if (!plan_.accountable({i})) blamable_.insert({i});
  }
  std::shared_ptr<Gang> together;
  for (const auto& liar : plan_.liars) {
    if (!together || !plan_.collude) {
      Surroundings around{
          chains_,
          [this](Phase phase, View view, const LogPoint& point) { return foreign_certificate(phase, view, point); },
          [this](std::uint64_t which) { return checks_.some_final(which); },
          [this](const RequestPtr& request) { checks_.submitted(request); }};
      together = std::make_shared<Gang>(plan_.seed + liar.node.value, genesis_, scheme(), std::move(around));
    }
    together->admit(liar.node, secret(liar.node));
    liars_[liar.node.value] = std::make_unique<Liar>(plan_, liar, together);
  }
}

/// The same members, with the same keys, in another cluster.
Certificate World::foreign_certificate(Phase phase, View view, const LogPoint& point) const {
  auto domain = verifier_.domain();
  domain.cluster.bytes[0] ^= 1;
  Certificate out{phase, view, point, {}};
  for (std::uint16_t i = 0; i < plan_.nodes; ++i) {
    out.signatures.push_back({{i}, scheme().sign(secret({i}), vote_digest(domain, phase, view, point))});
  }
  return out;
}

bool World::finished() {
  if (!healed_ || now() < last_submission_) return false;
  while (first_unfinal_ < requests_.size() && checks_.is_final(requests_[first_unfinal_]->id)) ++first_unfinal_;
  if (first_unfinal_ < requests_.size()) return false;
  return std::all_of(hosts_.begin(), hosts_.end(), [this](const Host& host) {
    return !honest(host.id) || checks_.final_of(host.id) == checks_.highest_final();
  });
}

std::string World::where_all_stand() const {
  std::string where;
  for (const auto& host : hosts_) {
    auto status = host.replica->status();
    where += " " + name(host) + ": view " + std::to_string(status.view.value) + (status.active ? "" : " (moving)") +
             (status.standing == Standing::learner ? " (learner)" : "") + " final " +
             std::to_string(status.finalised.index.value) + "/" + std::to_string(status.sequenced.index.value);
  }
  return where;
}

void World::count_what_happened() {
  auto& seen = outcome_.seen;
  for (const auto& liar : plan_.liars) {
    for (const auto& [what, n] : liars_[liar.node.value]->told()) seen["lies: " + what] += n;
  }
  if (hosts_.size() > plan_.nodes) seen["lies: twins"] += hosts_.size() - plan_.nodes;
  observer_.count_most();
  seen["runs: calm"] += plan_.calm;
  seen["runs: with disks that power cuts tear"] += plan_.real_disks;
  seen["runs: with users who never stop"] += plan_.steady;
  seen["runs: watched for patience long after healing"] += plan_.watch_patience;
  seen["runs: that changed views"] += outcome_.view_changes > 0;
  seen["runs: with " + std::to_string(plan_.liars.size()) + " liars"] += 1;
  seen["runs: with liars that collude"] += plan_.collude && plan_.liars.size() > 1;
}

Outcome World::run() {
  try {
    schedule_requests();
    for (auto& host : hosts_) start(host);
    schedule_chaos();
    at(plan_.chaos, [this] { heal(); });
    Instant limit = now() + plan_.chaos + plan_.heal_limit;
    while (!finished()) {
      if (schedule_.run_next(limit)) continue;
      throw Violation("no progress after healing: " + std::to_string(checks_.final_count()) + " final, " +
                      std::to_string(requests_.size()) + " submitted;" + where_all_stand());
    }
  } catch (const Violation& violation) {
    outcome_.violation = violation.what();
  }
  outcome_.trace = sha256(trace_.bytes());
  outcome_.final_requests = checks_.final_count();
  count_what_happened();
  return outcome_;
}

Outcome run(const Plan& plan, Journal* journal) {
  return World(plan, journal).run();
}

}  // namespace zell::simulation
