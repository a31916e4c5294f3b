#include "cluster/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "node/config/nearest.h"

namespace zell {
namespace {

/// What to do about a folder that open_cluster() refused.
Error damage(const std::string& name, const Error& error) {
  return {"damaged-cluster", error.what, "mend it, or zell cluster rm " + name + " (its data goes)"};
}

void add_clusters_in(const std::filesystem::path& folder, KnownClusters& out) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    if (!check_cluster_name(name)) continue;
    auto cluster = open_cluster(it->path());
    if (cluster) {
      out.clusters.push_back(std::move(*cluster));
    } else {
      const ClusterPaths paths{it->path()};
      out.damaged.push_back({name, paths, look_at_lock(paths.supervisor_lock()), damage(name, cluster.error())});
    }
  }
}

std::string names_of(const std::vector<FoundCluster>& clusters) {
  std::string out;
  for (const auto& cluster : clusters) out += (out.empty() ? "" : ", ") + cluster.file.name;
  return out;
}

Result<FoundCluster> named(const Environment& environment, const std::string& name) {
  if (auto good = check_cluster_name(name); !good) return good.error();
  const auto known = list_clusters(environment);
  std::vector<std::string_view> names;
  for (const auto& cluster : known.clusters) {
    if (cluster.paths.root.filename() == name) return cluster;
    names.push_back(cluster.file.name);
  }
  for (const auto& cluster : known.damaged) {
    if (cluster.name == name) return cluster.error;
  }
  const auto near = nearest_word(name, names);
  auto hint = near.empty() ? "zell up " + name : "did you mean " + std::string(near) + "? (zell cluster ls)";
  return Error{"no-cluster", "no cluster is called '" + name + "'", std::move(hint)};
}

Result<FoundCluster> only_one(const KnownClusters& known, bool also_stopped) {
  const auto& clusters = known.clusters;
  std::vector<FoundCluster> running;
  for (const auto& cluster : clusters) {
    if (cluster.running()) running.push_back(cluster);
  }
  const auto& eligible = running.empty() && also_stopped ? clusters : running;
  if (eligible.size() == 1) return eligible.front();
  if (eligible.size() > 1) {
    return Error{"several-clusters", fmt::format("there are {} clusters: {}", eligible.size(), names_of(eligible)),
                 fmt::format("--cluster {}, or export ZELL_CLUSTER={}", eligible[0].file.name, eligible[0].file.name)};
  }
  if (clusters.empty() && !known.damaged.empty()) return known.damaged.front().error;
  if (clusters.empty()) return Error{"no-cluster", "there is no cluster", "zell up"};
  if (clusters.size() == 1) return check_running(clusters.front()).error();
  return Error{"not-running", fmt::format("no cluster runs; there are {}", names_of(clusters)),
               "zell up " + clusters.front().file.name};
}

}  // namespace

std::filesystem::path root_of(const Environment& environment, std::string_view name, bool ephemeral) {
  return (ephemeral ? environment.ephemeral_clusters() : environment.clusters()) / name;
}

KnownClusters list_clusters(const Environment& environment) {
  KnownClusters out;
  add_clusters_in(environment.clusters(), out);
  add_clusters_in(environment.ephemeral_clusters(), out);
  std::sort(out.clusters.begin(), out.clusters.end(),
            [](const auto& a, const auto& b) { return a.file.name < b.file.name; });
  std::sort(out.damaged.begin(), out.damaged.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

Result<FoundCluster> open_cluster(const std::filesystem::path& root) {
  std::error_code error;
  const ClusterPaths paths{std::filesystem::absolute(root, error)};
  auto file = read_cluster_file(paths.cluster_file());
  if (!file) return file.error();
  return FoundCluster{std::move(*file), paths, look_at_lock(paths.supervisor_lock())};
}

Status check_running(const FoundCluster& cluster) {
  const auto& name = cluster.file.name;
  switch (cluster.lock.state) {
    case RunState::running:
      return Ok{};
    case RunState::starting:
      return Error{"not-running", "cluster " + name + " is only starting", "zell cluster wait " + name};
    case RunState::died:
      return Error{
          "not-running",
          fmt::format("cluster {} is dead: its supervisor (pid {}) was killed, and its nodes with it; data is kept",
                      name, cluster.lock.info ? cluster.lock.info->pid : 0),
          "zell up " + name};
    case RunState::stopped:
      break;
  }
  return Error{"not-running", "cluster " + name + " is stopped", "zell up " + name};
}

Result<FoundCluster> choose_cluster(const Environment& environment, const ClusterChoice& choice, bool also_stopped) {
  if (choice.folder.empty() && choice.name.empty()) return only_one(list_clusters(environment), also_stopped);
  auto cluster = choice.folder.empty() ? named(environment, choice.name) : open_cluster(choice.folder);
  if (!cluster || also_stopped) return cluster;
  if (auto running = check_running(*cluster); !running) return running.error();
  return cluster;
}

}  // namespace zell
