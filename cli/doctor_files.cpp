// Folders, sockets, ports, what is left over, clusters.

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "cli/doctor.h"
#include "cluster/cluster_view.h"
#include "cluster/control_channel.h"
#include "cluster/user_keys.h"

namespace zell::cli {
namespace {

constexpr std::chrono::milliseconds view_timeout{1'000};

/// `closed`: nobody else may enter; else nobody else may write.
void examine_folder(const std::string& check, const std::filesystem::path& folder, bool closed, Findings& out) {
  struct stat status{};
  if (::lstat(folder.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    return out.push_back({check, Health::fail, folder.string() + ": " + std::generic_category().message(errno), ""});
  }
  if (!S_ISDIR(status.st_mode) && !(S_ISLNK(status.st_mode) && !closed)) {
    return out.push_back({check, Health::fail, folder.string() + " is no folder", "move it away"});
  }
  if (status.st_uid != ::getuid()) {
    return out.push_back({check, Health::fail, folder.string() + " belongs to another user", "move it away"});
  }
  const auto loose = closed ? 0077U : 0022U;
  if (!S_ISLNK(status.st_mode) && (status.st_mode & loose) != 0) {
    return out.push_back({check, Health::fail,
                          fmt::format("others may {} {} (mode {:04o})", closed ? "enter" : "write in", folder.string(),
                                      status.st_mode & 07777U),
                          fmt::format("chmod {} '{}'", closed ? "700" : "go-w", folder.string())});
  }
  out.push_back(
      {check, Health::ok, folder.string() + (closed ? " is closed to others" : " is written by nobody else"), ""});
}

std::vector<std::filesystem::path> socket_folders(const Environment& environment) {
  const auto own = "zell-" + std::to_string(::getuid());
  std::vector<std::filesystem::path> out;
  if (!environment.runtime_dir.empty()) out.push_back(environment.runtime_dir / "zell");
  out.push_back(environment.temporary / own);
  if (environment.temporary != "/tmp") out.push_back(std::filesystem::path("/tmp") / own);
  return out;
}

void examine_stale_sockets(const Environment& environment, bool fix, Findings& out) {
  std::vector<std::filesystem::path> stale;
  for (const auto& folder : socket_folders(environment)) {
    std::error_code error;
    for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      std::error_code unreadable;
      if (it->is_socket(unreadable) && it->path().extension() == ".sock" && !is_answered(it->path())) {
        stale.push_back(it->path());
      }
    }
  }
  if (stale.empty()) return out.push_back({"stale-sockets", Health::ok, "none", ""});
  const auto count = fmt::format("{} socket{} that nobody listens on", stale.size(), stale.size() == 1 ? "" : "s");
  if (!fix) {
    return out.push_back({"stale-sockets", Health::warn, fmt::format("{}, e.g. {}", count, stale.front().string()),
                          "zell doctor --fix"});
  }
  for (const auto& socket : stale) {
    std::error_code error;
    std::filesystem::remove(socket, error);
    if (error) {
      return out.push_back({"stale-sockets", Health::fail, socket.string() + ": " + error.message(), "remove it"});
    }
  }
  out.push_back({"stale-sockets", Health::ok, "removed " + count, ""});
}

void examine_dead(const FoundCluster& cluster, bool fix, Findings& out) {
  const auto& name = cluster.file.name;
  const auto root = cluster.paths.root.string();
  if (!cluster.file.ephemeral) {
    return out.push_back({"stale-clusters", Health::warn,
                          fmt::format("the supervisor of cluster {} was killed; its data is kept", name),
                          fmt::format("zell up {}, or zell cluster rm {}", name, name)});
  }
  if (!fix) {
    return out.push_back({"stale-clusters", Health::warn,
                          fmt::format("ephemeral cluster {} was killed before it could remove itself ({})", name, root),
                          "zell doctor --fix"});
  }
  const auto lock = SupervisorLock::take(cluster.paths.supervisor_lock());  // it may have been started meanwhile
  if (!lock && lock.error().code != "locked") {
    return out.push_back({"stale-clusters", Health::fail, lock.error().what, lock.error().hint});
  }
  if (!lock) return out.push_back({"stale-clusters", Health::ok, "cluster " + name + " runs again", ""});
  std::error_code error;
  std::filesystem::remove_all(cluster.paths.root, error);
  if (error) return out.push_back({"stale-clusters", Health::fail, root + ": " + error.message(), "remove it"});
  out.push_back({"stale-clusters", Health::ok, "removed ephemeral cluster " + name, ""});
}

}  // namespace

void examine_folders(const Environment& environment, Findings& out) {
  examine_folder("keys-folder", environment.keys(), true, out);
  const char* variable = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (variable != nullptr && *variable == '/') {
    examine_folder("config-folder", std::filesystem::path(variable) / "zell", false, out);
  } else if (home != nullptr) {
    examine_folder("config-folder", std::filesystem::path(home) / ".config" / "zell", false, out);
  }
  auto keys = list_user_keys(environment, {});
  if (!keys) return out.push_back({"keys", Health::fail, keys.error().what, keys.error().hint});
  for (const auto& broken : keys->broken) {
    out.push_back({"keys", Health::fail, broken.error.what, broken.error.hint});
  }
  if (!keys->broken.empty()) return;
  const auto count = keys->keys.size();
  out.push_back({"keys", Health::ok, fmt::format("{} of your own, all readable", count), ""});
}

void examine_sockets(const Environment& environment, Findings& out) {
  const auto& folder = environment.runtime_dir;
  struct stat status{};
  if (folder.empty()) {
    out.push_back(
        {"runtime-folder", Health::ok,
         fmt::format("XDG_RUNTIME_DIR is not set; sockets are in {}", socket_folders(environment).front().string()),
         ""});
  } else if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    out.push_back({"runtime-folder", Health::warn,
                   fmt::format("XDG_RUNTIME_DIR is {}, which is no folder", folder.string()), "unset XDG_RUNTIME_DIR"});
  } else if (status.st_uid != ::getuid() || (status.st_mode & 0077) != 0) {
    out.push_back(
        {"runtime-folder", Health::warn,
         fmt::format("XDG_RUNTIME_DIR is {}, which is not yours alone", folder.string()),
         status.st_uid == ::getuid() ? fmt::format("chmod 700 '{}'", folder.string()) : "log in as yourself"});
  } else {
    out.push_back({"runtime-folder", Health::ok, folder.string() + " is yours alone", ""});
  }
  // NAME-1a2b3c4d-n31.sock, of the longest name.
  constexpr std::size_t longest_file = 32 + 9 + 9;
  const auto length = socket_folders(environment).front().string().size() + 1 + longest_file;
  if (length <= max_socket_path_bytes) {
    return out.push_back(
        {"socket-path", Health::ok, fmt::format("at most {} of {} bytes", length, max_socket_path_bytes), ""});
  }
  out.push_back({"socket-path", Health::warn,
                 fmt::format("up to {} bytes, and {} fit: sockets go to {} instead", length, max_socket_path_bytes,
                             socket_folders(environment).back().string()),
                 folder.empty() ? "set XDG_RUNTIME_DIR to a shorter path" : "a shorter XDG_RUNTIME_DIR"});
}

void examine_ports(const KnownClusters& known, Findings& out) {
  constexpr std::size_t nodes = 4;
  std::vector<std::uint16_t> ours;
  for (const auto& cluster : known.clusters) ours.push_back(cluster.file.base_port);
  const auto next = find_base_port(nodes, ours);
  if (!next) return out.push_back({"ports", Health::fail, next.error().what, next.error().hint});
  std::string holders;
  for (std::size_t k = 0; k < nodes; ++k) {
    const auto ports = ports_of(first_base_port, k);
    for (const auto port : {ports.api, ports.peer}) {
      const bool is_ours = std::find(ours.begin(), ours.end(), first_base_port) != ours.end();
      if (is_ours || port_is_free(port)) continue;
      holders += fmt::format("{}{} by {}", holders.empty() ? "" : ", ", port,
                             port_holder(port).value_or("another user's process"));
    }
  }
  for (const auto& cluster : known.clusters) {
    if (cluster.lock.state == RunState::running || cluster.lock.state == RunState::starting) continue;
    std::vector<NodePorts> ports;
    for (std::size_t k = 0; k < cluster.file.nodes.size(); ++k) ports.push_back(ports_of(cluster.file.base_port, k));
    if (auto free = check_ports_free(ports, ""); !free) {
      out.push_back({"ports", Health::warn,
                     fmt::format("cluster {} can't start: {}", cluster.file.name, free.error().what),
                     "end that, or zell up another name"});
    }
  }
  const auto where = fmt::format("the next cluster gets {} to {}", *next + 1, *next + 81);
  if (holders.empty()) return out.push_back({"ports", Health::ok, where, ""});
  out.push_back({"ports", Health::warn, fmt::format("used: {}; {}", holders, where),
                 fmt::format("end that, or zell up --base-port {}", *next)});
}

void examine_stale(const Environment& environment, const KnownClusters& known, bool fix, Findings& out) {
  examine_stale_sockets(environment, fix, out);
  const auto before = out.size();
  for (const auto& cluster : known.clusters) {
    if (cluster.lock.state == RunState::died) examine_dead(cluster, fix, out);
  }
  for (const auto& cluster : known.damaged) {
    out.push_back({"stale-clusters", Health::fail, cluster.error.what, cluster.error.hint});
  }
  if (out.size() == before) out.push_back({"stale-clusters", Health::ok, "none", ""});
}

void examine_clusters(const KnownClusters& known, Findings& out) {
  for (const auto& cluster : known.clusters) {
    if (!cluster.running()) continue;
    const auto& name = cluster.file.name;
    const auto check = "cluster-" + name;
    auto view = view_cluster(cluster, view_timeout);
    if (!view) {
      out.push_back({check, Health::fail, view.error().what, view.error().hint});
      continue;
    }
    const auto voting = view->voting();
    const auto what = fmt::format("{} of {} nodes take part", voting, view->nodes.size());
    if (!view->serving()) {
      out.push_back({check, Health::fail, what + "; it serves no requests", "zell status " + name});
    } else if (voting < view->nodes.size()) {
      out.push_back({check, Health::warn,
                     fmt::format("{}; it serves, and tolerates {} further faults", what, view->further_faults()),
                     fmt::format("zell node start all --cluster {}", name)});
    } else {
      out.push_back({check, Health::ok, fmt::format("{}, led by {}", what, view->leader_name()), ""});
    }
  }
}

}  // namespace zell::cli
