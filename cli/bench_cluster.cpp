#include "cli/bench_cluster.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "cli/output.h"
#include "cli/own_cluster.h"
#include "cluster/selectors.h"

namespace zell::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds view_timeout{5'000};
constexpr milliseconds start_timeout{60'000};
constexpr std::size_t default_nodes = 4;

Result<EphemeralCluster> start_own(std::size_t nodes) {
  if (!output_mode().json) talk(ink_err(Ink::dim, fmt::format("starting {} nodes for this bench …", nodes)));
  ClusterWishes wishes;
  wishes.nodes = nodes;
  return start_own_cluster("bench", std::move(wishes), start_timeout);
}

}  // namespace

Result<BenchCluster> find_bench_cluster(const Globals& globals, const BenchOptions& options) {
  BenchCluster out;
  if (options.nodes && names_a_cluster(globals)) {
    return Error{"usage", "--nodes makes a cluster for the bench, --cluster and --dir name one that is there",
                 "zell bench --help"};
  }
  auto found = options.nodes ? Result<FoundCluster>(Error{"not-running", "", ""})
                             : choose_cluster(Environment::of_process(), globals.choice(), false);
  if (!found) {
    const auto& code = found.error().code;
    const bool none = code == "not-running" || code == "no-cluster";
    if (!none || (!options.nodes && !globals.choice().name.empty()) || !globals.folder.empty()) return found.error();
    auto own = start_own(options.nodes.value_or(default_nodes));
    if (!own) return own.error();
    out.own.emplace(std::move(*own));
    out.cluster = out.own->cluster();
  } else {
    out.cluster = std::move(*found);
  }
  auto view = view_cluster(out.cluster, view_timeout);
  if (!view) return view.error();
  out.view = std::move(*view);
  if (!out.view.serving()) {
    return Error{"not-running", "the cluster " + out.cluster.file.name + " is not serving", "zell status"};
  }
  return out;
}

Result<std::vector<std::size_t>> choose_asked(const ClusterView& view, const std::string& selector) {
  std::vector<Candidate> candidates;
  for (const auto& node : view.nodes) candidates.push_back({node.node.name, node.votes(), false});
  if (const auto leader = view.leader()) candidates[*leader].leader = true;
  Prng random(static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()));
  auto chosen = resolve_selector(selector, candidates, view.genesis.tolerated_faults(), random);
  if (!chosen) return chosen;
  std::erase_if(*chosen, [&](std::size_t k) { return selector == "all" && !view.nodes[k].votes(); });
  for (const auto k : *chosen) {
    if (view.nodes[k].votes()) continue;
    return Error{"not-running", view.nodes[k].node.name + " is " + view.nodes[k].state(),
                 "zell node start " + view.nodes[k].node.name};
  }
  return chosen;
}

bool is_in_memory(const std::filesystem::path& folder) {
  struct statfs info{};
  return ::statfs(folder.c_str(), &info) == 0 && (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
}

}  // namespace zell::cli
