#include "cluster/cluster_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "client/http.h"
#include "node/config/genesis_file.h"

namespace zell {
namespace {

using Json = nlohmann::json;

MemberSet voting_members(const ClusterView& view) {
  MemberSet out;
  for (std::size_t k = 0; k < view.nodes.size(); ++k) out[k] = view.nodes[k].votes();
  return out;
}

std::optional<NodeSays> parse_status(std::string_view body) {
  const auto json = Json::parse(body, nullptr, false);
  try {
    NodeSays out;
    out.view = json.at("view").get<std::uint64_t>();
    out.active = json.at("active").get<bool>();
    out.leader = json.at("leader").get<std::string>();
    out.standing = json.at("standing").get<std::string>();
    const auto& rejoins = json.at("rejoins_above");
    if (!rejoins.is_null()) out.rejoins_above = rejoins.get<std::uint64_t>();
    out.sequenced = json.at("sequenced").at("index").get<std::uint64_t>();
    out.locked = json.at("locked").at("index").get<std::uint64_t>();
    out.finalised = json.at("finalised").at("index").get<std::uint64_t>();
    out.behind = json.at("behind").get<std::uint64_t>();
    out.evidence = json.at("evidence_count").get<std::uint64_t>();
    out.view_since_unix_ms = json.at("view_since_unix_ms").get<std::int64_t>();
    // A node that was started before this program was replaced may not tell.
    for (const auto& complaint : json.value("view_because", Json::array())) {
      out.view_because.push_back({complaint.at("node").get<std::string>(), complaint.at("reason").get<std::string>()});
    }
    out.challenging = !json.at("challenging").is_null();
    out.stopped_code = json.at("stopped_code").get<std::string>();
    out.stopped_why = json.at("stopped_why").get<std::string>();
    for (const auto& peer : json.at("peers")) {
      if (peer.at("up").get<bool>()) out.connected.push_back(peer.at("name").get<std::string>());
    }
    return out;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void ask_for_status(NodeView& node, std::chrono::milliseconds timeout) {
  const auto begin = std::chrono::steady_clock::now();
  const auto response = http_get(node.node.api_url() + "/v1/status", timeout);
  node.answered_after = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  if (!response) {
    // One that is only starting refuses the connection.
    if (response.error().code != "unreachable") node.no_answer = response.error().what;
    return;
  }
  if (response->status == 200) node.says = parse_status(response->body);
  if (!node.says)
    node.no_answer = "it answers " + std::to_string(response->status) + ", and no status that makes sense";
}

}  // namespace

std::string NodeView::state() const {
  switch (process.state) {
    case ProcessState::running:
      if (!says) return no_answer.empty() ? "starting" : "no answer";
      if (says->stopped_code == "disk-full") return "out of disk";
      if (!says->stopped_code.empty()) return "failed";
      return says->standing == "learner" ? "learner" : "up";
    case ProcessState::exited:
      return "exited (" + std::to_string(process.exit_code.value_or(0)) + ")";
    default:
      return std::string(to_string(process.state));
  }
}

bool NodeView::votes() const {
  return state() == "up";
}

std::optional<std::size_t> ClusterView::leader() const {
  std::optional<std::size_t> best;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (!nodes[k].votes() || !nodes[k].says->active) continue;
    if (!best || nodes[k].says->view > nodes[*best].says->view) best = k;
  }
  if (!best) return std::nullopt;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (nodes[k].node.name == nodes[*best].says->leader && nodes[k].votes()) return k;
  }
  return std::nullopt;
}

std::optional<Leadership> ClusterView::leadership() const {
  const auto leads = leader();
  if (!leads) return std::nullopt;
  Leadership out;
  out.leader = *leads;
  for (const auto& node : nodes) {
    if (node.votes() && node.says->active) out.view = std::max(out.view, node.says->view);
  }
  for (const auto& node : nodes) {
    if (!node.votes() || node.says->view != out.view) continue;
    // A node that was started again counts from then.
    const auto since = node.says->view_since_unix_ms;
    if (out.since_unix_ms == 0 || since < out.since_unix_ms) out.since_unix_ms = since;
    if (node.says->view_because.size() > out.because.size()) out.because = node.says->view_because;
  }
  if (out.view > 0) out.before = genesis.members[genesis.leader({out.view - 1}).value].name;
  return out;
}

std::string ClusterView::leader_name() const {
  const auto position = leader();
  return position ? nodes[*position].node.name : std::string();
}

std::uint64_t ClusterView::highest_final() const {
  std::uint64_t highest = 0;
  for (const auto& node : nodes) {
    if (node.says) highest = std::max(highest, node.says->finalised);
  }
  return highest;
}

std::uint64_t ClusterView::view() const {
  std::uint64_t highest = 0;
  for (const auto& node : nodes) {
    if (node.votes()) highest = std::max(highest, node.says->view);
  }
  return highest;
}

bool ClusterView::serving() const {
  const auto leads = leader();
  if (!leads) return false;
  const auto led_view = view();
  MemberSet led;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    led[k] = nodes[k].votes() && nodes[k].says->active && nodes[k].says->view == led_view;
  }
  return led[*leads] && genesis.is_quorum(led);
}

bool ClusterView::connected(std::size_t position) const {
  const auto& says = nodes[position].says;
  if (!says) return false;
  MemberSet reached;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    reached[k] = k == position ||
                 std::find(says->connected.begin(), says->connected.end(), nodes[k].node.name) != says->connected.end();
  }
  return genesis.is_quorum(reached);
}

std::size_t ClusterView::further_faults() const {
  auto left = voting_members(*this);
  std::size_t faults = 0;
  while (true) {
    std::optional<std::size_t> heaviest;
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      if (left[k] && (!heaviest || nodes[k].node.stake > nodes[*heaviest].node.stake)) heaviest = k;
    }
    if (!heaviest) return faults;
    left[*heaviest] = false;
    if (!genesis.is_quorum(left)) return faults;
    ++faults;
  }
}

std::size_t ClusterView::voting() const {
  return voting_members(*this).count();
}

std::uint64_t ClusterView::voting_stake() const {
  return genesis.stake_of(voting_members(*this));
}

bool ClusterView::equal_stakes() const {
  return std::all_of(nodes.begin(), nodes.end(),
                     [&](const NodeView& node) { return node.node.stake == nodes.front().node.stake; });
}

Result<ClusterView> view_cluster(const FoundCluster& cluster, std::chrono::milliseconds timeout) {
  auto genesis = load_genesis(cluster.paths.genesis());
  if (!genesis) return genesis.error();
  ClusterView out;
  out.cluster = cluster.file.name;
  out.genesis = std::move(genesis->genesis);
  for (const auto& node : cluster.file.nodes) {
    out.nodes.emplace_back();
    out.nodes.back().node = node;
    out.nodes.back().process.name = node.name;
  }
  if (!cluster.running()) return out;
  auto answer = ask_supervisor(cluster.lock.info->control_socket, {}, timeout);
  if (!answer) return answer.error();
  out.supervisor_pid = answer->pid;
  if (answer->nodes.size() != out.nodes.size()) {
    return Error{"bad-answer", "the supervisor runs other nodes than cluster.toml names", "zell down, then zell up"};
  }
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < out.nodes.size(); ++k) {
    auto& node = out.nodes[k];
    node.process = answer->nodes[k];
    if (node.process.state != ProcessState::running) continue;
    threads.emplace_back([&node, timeout] { ask_for_status(node, timeout); });
  }
  for (auto& thread : threads) thread.join();
  return out;
}

}  // namespace zell
