#include "cli/connect.h"

#include <fmt/format.h>

#include "cli/output.h"
#include "node/config/genesis_file.h"
#include "node/config/nearest.h"

namespace zell::cli {
namespace {

constexpr std::chrono::seconds supervisor_timeout{5};

Error no_such_node(const FoundCluster& cluster, const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& node : cluster.file.nodes) names.push_back(node.name);
  const auto near = nearest_word(name, names);
  return {"no-such-node", "no node is called '" + name + "'",
          near.empty() ? "zell status" : "did you mean " + std::string(near) + "?"};
}

}  // namespace

Result<Connected> connect(const Globals& globals, const std::string& only, bool all_nodes, ClientOptions options) {
  auto cluster = choose_cluster(Environment::of_process(), globals.choice(), false);
  if (!cluster) return cluster.error();
  auto genesis = load_genesis(cluster->paths.genesis());
  if (!genesis) return genesis.error();
  auto answer = ask_supervisor(cluster->lock.info->control_socket, {}, supervisor_timeout);
  if (!answer) return answer.error();
  std::vector<std::size_t> asked;
  bool known = only.empty();
  for (const bool running : {true, false}) {
    for (std::size_t k = 0; k < answer->nodes.size(); ++k) {
      const auto& process = answer->nodes[k];
      if (!only.empty() && process.name != only) continue;
      known = true;
      const bool runs = process.state == ProcessState::running;
      if (runs == running && (runs || all_nodes)) asked.push_back(k);
    }
  }
  if (!known) return no_such_node(*cluster, only);
  if (asked.empty()) {
    return Error{"not-running", only.empty() ? "no node of " + cluster->file.name + " runs" : only + " does not run",
                 "zell node start " + (only.empty() ? std::string("all") : only)};
  }
  std::vector<ClientNode> nodes;
  for (const auto k : asked) nodes.push_back({cluster->file.nodes[k].name, cluster->file.nodes[k].api_url()});
  options.on_fault = [](const NodeFault& fault) {
    talk(ink_err(Ink::red, fmt::format("{} lied ({}): {}", fault.node, fault.field, fault.what)));
  };
  return Connected{std::move(*cluster), std::move(answer->nodes), std::move(asked),
                   Client(std::move(genesis->genesis), std::move(nodes), std::move(options))};
}

Result<Index> newest_final(Client& client) {
  Index newest;
  std::optional<Error> failure;
  bool answered = false;
  for (std::size_t k = 0; k < client.nodes().size(); ++k) {
    auto certificate = client.newest_certificate(k);
    if (!certificate) {
      if (certificate.error().code == "safety-violation") return certificate.error();
      failure = certificate.error();
      continue;
    }
    answered = true;
    if (*certificate) newest = std::max(newest, (*certificate)->point.index);
  }
  if (!answered) return *failure;
  return newest;
}

}  // namespace zell::cli
