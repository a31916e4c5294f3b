// counted_work [--json]: what each node does for a request that is finalised, in calm clusters of growing size.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "node/base/check.h"
#include "tests/bench/loopback.h"
#include "tests/bench/made_up_log.h"
#include "tests/simulation/scheme.h"

namespace zell::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t rounds = 12;  // each of one batch, taken in by another follower
constexpr std::size_t large_batch = 256;
const NodeId leader{0};

/// Of all members together, and of the leader among them.
struct Counted {
  Work all, of_leader;
  std::vector<std::uint64_t> hops;
};

struct Field {
  std::string_view name, heading;
  std::uint64_t Work::* value;
};
constexpr Field fields[] = {
    {"signatures", "signs", &Work::signatures},
    {"vote_checks", "votes", &Work::vote_checks},
    {"certificate_checks", "in certs", &Work::certificate_checks},
    {"proposal_checks", "proposals", &Work::proposal_checks},
    {"request_checks", "requests", &Work::request_checks},
    {"messages", "messages", &Work::messages},
    {"bytes", "bytes", &Work::bytes},
    {"commits", "commits", &Work::commits},
};

Work operator-(Work a, const Work& b) {
  for (const auto& field : fields) a.*field.value -= b.*field.value;
  return a;
}

/// Each round submits `batch` requests to one node at once. An idle leader proposes the first that reaches it alone, so
/// 1 + 256 requests make a batch of one and a full one.
Counted run(const Genesis& genesis, std::size_t batch) {
  const auto& scheme = simulation::cheap_scheme();
  const auto user = dev_secret_key(1, "alice");
  const Bytes payload(payload_bytes, 7);
  Loopback cluster(genesis, scheme);
  Counted out;
  for (std::size_t round = 0; round < rounds; ++round) {
    const NodeId entry{static_cast<std::uint16_t>(1 + round % (genesis.size() - 1))};
    for (std::size_t i = 1; i <= batch; ++i) {
      const auto nonce = round * (1 + large_batch) + i;  // whatever the batch, a round's first request is the same
      cluster.submit(entry, sign_request(cluster.domain(), scheme, user, default_app, nonce, std::span(&payload, 1)));
    }
    cluster.run();
    auto hops = cluster.take_hops(entry);
    ZELL_CHECK(hops.size() == batch);
    out.hops.insert(out.hops.end(), hops.end() - static_cast<std::ptrdiff_t>(std::min(batch, large_batch)), hops.end());
  }
  for (std::size_t i = 0; i < genesis.size(); ++i) {
    const NodeId node{static_cast<std::uint16_t>(i)};
    const auto& work = cluster.work_of(node);
    ZELL_CHECK(cluster.finalised(node).value == rounds * batch && work.other_checks == 0);
    for (const auto& field : fields) out.all.*field.value += work.*field.value;
  }
  out.of_leader = cluster.work_of(leader);
  return out;
}

struct Row {
  std::size_t nodes, batch;
  Counted counted;

  [[nodiscard]] double requests() const { return static_cast<double>(rounds * batch); }
  /// For a finalised request: of a node on average, and of the leader.
  [[nodiscard]] double of_node(const Field& field) const {
    return static_cast<double>(counted.all.*field.value) / requests() / static_cast<double>(nodes);
  }
  [[nodiscard]] double of_leader(const Field& field) const {
    return static_cast<double>(counted.of_leader.*field.value) / requests();
  }
  [[nodiscard]] std::uint64_t hops() const { return *std::max_element(counted.hops.begin(), counted.hops.end()); }
};

std::vector<Row> measure(std::size_t nodes) {
  Parameters parameters;
  parameters.batch_max_requests = large_batch;
  const auto genesis = make_members(nodes, simulation::cheap_scheme(), parameters);
  auto lone = run(genesis, 1);
  auto full = run(genesis, 1 + large_batch);
  full.all = full.all - lone.all;  // without the batches of one
  full.of_leader = full.of_leader - lone.of_leader;
  return {{nodes, 1, std::move(lone)}, {nodes, large_batch, std::move(full)}};
}

void print_head() {
  fmt::print("For each finalised request of one payload of {} bytes. hops: from its submission to finality there.\n\n",
             payload_bytes);
  fmt::print("{:31}---- signatures checked ---------------\n", "");
  fmt::print("{:>5} {:>5}  {:8}", "nodes", "batch", "");
  for (const auto& field : fields) fmt::print(" {:>9}", field.heading);
  fmt::print(" {:>4}\n", "hops");
}

std::string shown(double value) {
  return value < 1'000 ? fmt::format("{:.4g}", value) : fmt::format("{:.0f}", value);
}

void print_row(const Row& row) {
  fmt::print("{:>5} {:>5}  {:8}", row.nodes, row.batch, "a node");
  for (const auto& field : fields) fmt::print(" {:>9}", shown(row.of_node(field)));
  fmt::print(" {:>4}\n{:13}{:8}", row.hops(), "", "leader");
  for (const auto& field : fields) fmt::print(" {:>9}", shown(row.of_leader(field)));
  fmt::print("\n");
}

Json json_of(const Row& row) {
  Json node, leads;
  for (const auto& field : fields) {
    node[std::string(field.name)] = row.of_node(field);
    leads[std::string(field.name)] = row.of_leader(field);
  }
  return {{"nodes", row.nodes}, {"batch", row.batch}, {"hops", row.hops()}, {"a_node", node}, {"leader", leads}};
}

}  // namespace
}  // namespace zell::bench

int main(int argc, char** argv) {
  using namespace zell::bench;
  const bool as_json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc > 1 && !as_json) {
    std::cerr << "usage: counted_work [--json]\n";
    return 2;
  }
  Json rows = Json::array();
  if (!as_json) print_head();
  for (std::size_t nodes : {4, 7, 10, 16, 31, 100}) {
    for (const auto& row : measure(nodes)) {
      if (as_json) {
        rows.push_back(json_of(row));
      } else {
        print_row(row);
      }
    }
  }
  if (as_json) std::cout << Json{{"schema", 1}, {"kind", "counted-work"}, {"rows", rows}}.dump(2) << '\n';
  return 0;
}
