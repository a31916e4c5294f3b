#include "cluster/make.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "node/config/genesis_file.h"
#include "node/config/node_config.h"
#include "node/crypto/keystore.h"
#include "node/storage/store.h"

namespace zell {
namespace {

constexpr std::size_t default_nodes = 4;
constexpr std::string_view loopback = "127.0.0.1";
/// ".making-NAME-PID": not a cluster's name.
constexpr std::string_view unfinished_prefix = ".making-";

SecretKey dev_key(const ClusterFile& file, std::string_view name) {
  return file.seed ? dev_secret_key(*file.seed, name) : generate_secret_key();
}

/// Runs work(0) .. work(count - 1) on all cores: making a key file costs tens of milliseconds, on purpose.
Status for_all(std::size_t count, const std::function<Status(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::optional<Error> failure;
  const auto worker = [&] {
    for (auto i = next++; i < count; i = next++) {
      if (auto done = work(i); !done) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = done.error();
        next = count;
      }
    }
  };
  std::vector<std::thread> threads;
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  for (std::size_t i = 1; i < std::min<std::size_t>(cores, count); ++i) threads.emplace_back(worker);
  worker();
  for (auto& thread : threads) thread.join();
  if (failure) return *failure;
  return Ok{};
}

Result<GenesisFile> make_genesis(const ClusterFile& file, const std::vector<SecretKey>& secrets) {
  GenesisFile out;
  out.genesis.cluster_name = file.name;
  for (std::size_t k = 0; k < file.nodes.size(); ++k) {
    const auto& node = file.nodes[k];
    const auto key = secp256k1_scheme().public_key(secrets[k]);
    ZELL_CHECK(key.has_value());
    out.genesis.members.push_back({node.name, *key, node.stake});
    out.endpoints.push_back({std::string(loopback) + ":" + std::to_string(node.ports.peer), node.api_url()});
  }
  if (auto valid = out.genesis.validate(); !valid) return valid.error();
  return out;
}

Status make_node(const ClusterPlan& plan, const ClusterPaths& building, const Genesis& genesis, std::size_t k,
                 const SecretKey& secret, const Environment& environment) {
  const ClusterPaths final_paths{plan.root};
  const auto& node = plan.file.nodes[k];
  if (auto made = ensure_private_folder(building.node(node.name)); !made) return made;
  if (auto saved = save_key(building.node(node.name), "key", encrypt_key(secret, "", light_scrypt, true)); !saved) {
    return saved;
  }
  auto socket = make_socket_path(environment, final_paths.socket_stem(plan.file.name) + "-" + node.name + ".sock");
  if (!socket) return socket.error();
  NodeConfig config;
  config.name = node.name;
  config.genesis_file = final_paths.genesis();
  config.data_folder = final_paths.node_data(node.name);
  config.key_file = final_paths.node(node.name) / "key.json";
  config.listen = {std::string(loopback), node.ports.peer};
  config.api = {std::string(loopback), node.ports.api};
  config.control_socket = *socket;
  config.log_file = final_paths.node_log(node.name);
  if (auto written = write_file(building.node_config(node.name), format_node_config(config)); !written) return written;
  return create_store(building.node_data(node.name), genesis, NodeId{static_cast<std::uint16_t>(k)});
}

Status make_in(const ClusterPlan& plan, const ClusterPaths& building, const Environment& environment) {
  std::vector<SecretKey> secrets;
  for (const auto& node : plan.file.nodes) secrets.push_back(dev_key(plan.file, node.name));
  auto genesis = make_genesis(plan.file, secrets);
  if (!genesis) return genesis.error();
  if (auto made = ensure_private_folder(building.keys()); !made) return made;
  const auto nodes = plan.file.nodes.size();
  auto all = for_all(nodes + std::size(dev_users), [&](std::size_t i) -> Status {
    if (i < nodes) return make_node(plan, building, genesis->genesis, i, secrets[i], environment);
    const auto user = dev_users[i - nodes];
    return save_key(building.keys(), user, encrypt_key(dev_key(plan.file, user), "", light_scrypt, true));
  });
  if (!all) return all;
  if (auto written = write_file(building.genesis(), format_genesis(*genesis)); !written) return written;
  return write_file(building.cluster_file(), render_cluster_file(plan.file));
}

/// What a `zell up` that was interrupted left: its process is gone.
void remove_abandoned(const std::filesystem::path& parent) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    if (!name.starts_with(unfinished_prefix)) continue;
    const auto digits = name.substr(name.rfind('-') + 1);
    pid_t maker = 0;
    const auto [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), maker);
    const bool whole = problem == std::errc{} && stop == digits.data() + digits.size() && maker > 0;
    if (!whole || ::kill(maker, 0) == 0 || errno != ESRCH) continue;
    std::error_code ignored;  // it is in nobody's way
    std::filesystem::remove_all(it->path(), ignored);
  }
}

}  // namespace

Result<ClusterPlan> plan_cluster(const std::string& name, std::filesystem::path root, const ClusterWishes& wishes,
                                 std::span<const std::uint16_t> taken_bases) {
  if (auto good = check_cluster_name(name); !good) return good.error();
  const auto count = wishes.nodes.value_or(wishes.stakes ? wishes.stakes->size() : default_nodes);
  if (count < 1 || count > max_cluster_nodes) {
    return Error{"bad-count", "a local cluster has 1 to 31 nodes, not " + std::to_string(count), "zell up -n 4"};
  }
  if (wishes.stakes && wishes.stakes->size() != count) {
    return Error{
        "bad-stake",
        "there are " + std::to_string(wishes.stakes->size()) + " stakes for " + std::to_string(count) + " nodes",
        "give one stake a node, and leave -n out"};
  }
  ClusterPlan plan;
  plan.root = std::move(root);
  plan.file.name = name;
  plan.file.seed = wishes.seed;
  plan.file.ephemeral = wishes.ephemeral.value_or(false);
  if (wishes.base_port) {
    if (auto good = check_base_port(*wishes.base_port); !good) return good.error();
    plan.file.base_port = *wishes.base_port;
  } else {
    auto found = find_base_port(count, taken_bases);
    if (!found) return found.error();
    plan.file.base_port = *found;
  }
  for (std::size_t k = 0; k < count; ++k) {
    plan.file.nodes.push_back(
        {"n" + std::to_string(k + 1), wishes.stakes ? (*wishes.stakes)[k] : 1, ports_of(plan.file.base_port, k)});
  }
  return plan;
}

Status make_cluster(const ClusterPlan& plan, const Environment& environment) {
  std::error_code error;
  if (std::filesystem::exists(plan.root, error)) {
    return Error{"exists", "there is something in " + plan.root.string() + " already",
                 "zell cluster rm " + plan.file.name};
  }
  const auto parent = plan.root.parent_path();
  std::filesystem::create_directories(parent, error);
  if (error) return Error{"io", "cannot make " + parent.string() + ": " + error.message(), ""};
  remove_abandoned(parent);
  const ClusterPaths building{
      parent / (std::string(unfinished_prefix) + plan.root.filename().string() + "-" + std::to_string(::getpid()))};
  std::filesystem::remove_all(building.root, error);
  auto made = ensure_private_folder(building.root);
  if (made) made = make_in(plan, building, environment);
  if (made) {
    std::filesystem::rename(building.root, plan.root, error);
    if (!error) return Ok{};
    made = Error{"io", "cannot make " + plan.root.string() + ": " + error.message(), ""};
  }
  std::error_code ignored;  // the first error is the one to tell
  std::filesystem::remove_all(building.root, ignored);
  return made;
}

}  // namespace zell
