#include "cli/node_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.h"
#include "cluster/selectors.h"

namespace zell::cli {

std::vector<std::string> ChosenNodes::names() const {
  std::vector<std::string> out;
  for (const auto k : positions) out.push_back(cluster.file.nodes[k].name);
  return out;
}

Result<ChosenNodes> choose_nodes(const Globals& globals, const std::string& selector,
                                 const std::function<bool(const NodeView&)>& eligible) {
  auto cluster = choose_cluster(Environment::of_process(), globals.choice(), false);
  if (!cluster) return cluster.error();
  auto view = view_cluster(*cluster, std::chrono::milliseconds(1'000));
  if (!view) return view.error();
  std::vector<Candidate> candidates;
  for (const auto& node : view->nodes) candidates.push_back({node.node.name, eligible(node), false});
  if (const auto leader = view->leader()) candidates[*leader].leader = true;
  Prng random(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
  auto positions = resolve_selector(selector, candidates, view->genesis.tolerated_faults(), random);
  if (!positions) return positions.error();
  ChosenNodes out{std::move(*cluster), std::move(*view), std::move(*positions)};
  const auto names = out.names();
  const auto plain = fmt::format("{}", fmt::join(names, ","));
  if (selector != plain && !globals.json)
    talk(ink_err(Ink::dim, fmt::format("{} is {}", selector, fmt::join(names, ", "))));
  return out;
}

}  // namespace zell::cli
