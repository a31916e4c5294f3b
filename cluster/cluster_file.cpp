#include "cluster/cluster_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <limits>

#include "cluster/paths.h"
#include "node/config/strict_toml.h"

namespace zell {
namespace {

constexpr std::string_view bad_name = "must have 1 to 32 characters of a-z, 0-9 and -";
constexpr auto any_u64 = std::numeric_limits<std::uint64_t>::max();

ClusterNode read_node(const TomlValue& value, std::size_t position, Mistake& mistake) {
  StrictTable table(value, "[[node]] " + std::to_string(position + 1), {"name", "stake", "api_port", "peer_port"},
                    mistake);
  table.require({"name", "stake", "api_port", "peer_port"});
  ClusterNode node;
  table.read("name", node.name);
  table.read("stake", node.stake, 1, any_u64);
  table.read("api_port", node.ports.api, 1, 65'535);
  table.read("peer_port", node.ports.peer, 1, 65'535);
  if (auto good = check_cluster_name(node.name); !good) table.report("name", "bad-name", bad_name, "n1");
  return node;
}

ClusterFile read_cluster(const TomlValue& root, Mistake& mistake) {
  StrictTable table(root, "the file", {"schema", "name", "base_port", "seed", "ephemeral", "node"}, mistake);
  table.require({"name", "base_port", "node"});
  ClusterFile file;
  table.read("name", file.name);
  table.read("base_port", file.base_port, 1'024, 65'400);
  table.read("ephemeral", file.ephemeral);
  if (table.has("seed")) table.read("seed", file.seed.emplace(), 0, any_u64);
  if (auto good = check_cluster_name(file.name); !good) table.report("name", "bad-name", bad_name, "dev");
  const auto& nodes = table.tables("node");
  if (nodes.empty() || nodes.size() > max_cluster_nodes) {
    table.report("node", "out-of-range", "must be 1 to 31 tables: a local cluster has no more nodes", "");
    return file;
  }
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    auto node = read_node(nodes[k], k, mistake);
    for (const auto& other : file.nodes) {
      if (other.name == node.name) table.report("node", "duplicate-node", "has two nodes called " + node.name, "");
    }
    file.nodes.push_back(std::move(node));
  }
  return file;
}

Status write_and_sync(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error{"io", std::generic_category().message(errno), ""};
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return Error{"io", std::generic_category().message(errno), ""};
  return Ok{};
}

}  // namespace

std::string render_cluster_file(const ClusterFile& file) {
  auto out = fmt::format(
      "# Made by zell with the cluster. Ports and keys are kept: change nothing here by hand.\n"
      "schema = {}\nname = \"{}\"\nbase_port = {}\n",
      cluster_file_schema, file.name, file.base_port);
  // TOML's integers end at 2^63 - 1.
  if (file.seed) out += fmt::format("seed = \"{}\"\n", *file.seed);
  if (file.ephemeral) out += "ephemeral = true\n";
  for (const auto& node : file.nodes) {
    out += fmt::format("\n[[node]]\nname = \"{}\"\nstake = \"{}\"\napi_port = {}\npeer_port = {}\n", node.name,
                       node.stake, node.ports.api, node.ports.peer);
  }
  return out;
}

Result<ClusterFile> parse_cluster_file(std::string_view text, const std::string& source) {
  auto root = parse_toml(text, source);
  if (!root) return root.error();
  Mistake mistake(source);
  check_schema(*root, cluster_file_schema, mistake);
  if (mistake.any()) return mistake.error();
  auto file = read_cluster(*root, mistake);
  if (mistake.any()) return mistake.error();
  return file;
}

Result<ClusterFile> read_cluster_file(const std::filesystem::path& path) {
  auto text = read_config_file(path);
  if (!text && text.error().code == "not-found") {
    return Error{"no-cluster", "there is no cluster in " + path.parent_path().string(), "zell cluster ls"};
  }
  if (!text) return text.error();
  return parse_cluster_file(*text, path.string());
}

Status write_file(const std::filesystem::path& path, std::string_view text) {
  const auto temporary = path.string() + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Error{"io", "cannot write " + temporary + ": " + std::generic_category().message(errno), ""};
  auto written = write_and_sync(fd, text);
  ::close(fd);
  if (!written) return Error{"io", "cannot write " + temporary + ": " + written.error().what, ""};
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error) return Error{"io", "cannot write " + path.string() + ": " + error.message(), ""};
  return Ok{};
}

std::vector<std::string> differences(const ClusterFile& file, const ClusterWishes& wishes) {
  std::vector<std::string> out;
  if (wishes.nodes && *wishes.nodes != file.nodes.size()) {
    out.push_back(fmt::format("it has {} nodes, not {}", file.nodes.size(), *wishes.nodes));
  }
  if (wishes.stakes) {
    std::vector<std::uint64_t> stakes;
    for (const auto& node : file.nodes) stakes.push_back(node.stake);
    if (stakes != *wishes.stakes) {
      out.push_back(fmt::format("its stakes are {}, not {}", fmt::join(stakes, ","), fmt::join(*wishes.stakes, ",")));
    }
  }
  if (wishes.seed && wishes.seed != file.seed) {
    out.push_back(file.seed ? fmt::format("its seed is {}, not {}", *file.seed, *wishes.seed)
                            : std::string("its keys are random, not made from a seed"));
  }
  if (wishes.base_port && *wishes.base_port != file.base_port) {
    out.push_back(fmt::format("its base port is {}, not {}", file.base_port, *wishes.base_port));
  }
  if (wishes.ephemeral && *wishes.ephemeral != file.ephemeral) out.push_back("it is not ephemeral");
  return out;
}

Result<std::vector<std::uint64_t>> parse_stakes(std::string_view text) {
  const auto refuse = [&](std::string why) {
    return Error{"bad-stake", "--stake " + std::string(text) + ": " + std::move(why), "zell up --stake 3,1,1,1"};
  };
  std::vector<std::uint64_t> stakes;
  std::uint64_t total = 0;
  for (std::string_view rest = text;;) {
    const auto comma = rest.find(',');
    const auto item = rest.substr(0, comma);
    std::uint64_t stake = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), stake);
    if (error != std::errc{} || end != item.data() + item.size()) return refuse("a stake is a whole number");
    if (stake == 0) return refuse("a stake is at least 1");
    if (stake > std::numeric_limits<std::uint64_t>::max() - total) return refuse("their sum must be below 2^64");
    total += stake;
    stakes.push_back(stake);
    if (stakes.size() > max_cluster_nodes) return refuse("a local cluster has at most 31 nodes");
    if (comma == std::string_view::npos) return stakes;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace zell
