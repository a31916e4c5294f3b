// Folders, cluster.toml, ports, and which cluster is meant.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>

#include "cluster/cluster_file.h"
#include "cluster/registry.h"
#include "cluster/unique_fd.h"
#include "tests/unit/cluster/scratch.h"

namespace zell {
namespace {

ClusterFile sample_file() {
  ClusterFile file;
  file.name = "dev";
  file.base_port = 7'100;
  file.seed = 18'446'744'073'709'551'615ULL;
  file.nodes = {{"n1", 3, ports_of(7'100, 0)}, {"n2", 18'446'744'073'709'551'000ULL, ports_of(7'100, 1)}};
  return file;
}

/// Listens on a free port of loopback.
std::pair<UniqueFd, std::uint16_t> listen_anywhere() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return {std::move(fd), ntohs(address.sin_port)};
}

void put_cluster(const Environment& environment, const std::string& name) {
  auto file = sample_file();
  file.name = name;
  const auto root = root_of(environment, name, false);
  std::filesystem::create_directories(root);
  REQUIRE(write_file(root / "cluster.toml", render_cluster_file(file)).ok());
}

TEST_CASE("cluster.toml reads back as what was written, numbers beyond 2^63 too") {
  auto file = sample_file();
  CHECK(*parse_cluster_file(render_cluster_file(file), "cluster.toml") == file);
  file.seed.reset();
  file.ephemeral = true;
  CHECK(*parse_cluster_file(render_cluster_file(file), "cluster.toml") == file);
}

TEST_CASE("a cluster.toml that is not understood is refused with what is wrong") {
  const auto code = [](std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    auto parsed = parse_cluster_file(text, "cluster.toml");
    INFO(text);
    REQUIRE_FALSE(parsed.ok());
    return parsed.error().code;
  };
  const auto good = render_cluster_file(sample_file());
  CHECK(code(good, "schema = 1", "schema = 2") == "newer-schema");
  CHECK(code(good, "base_port", "base_prot") == "unknown-key");
  CHECK(code(good, "stake = \"3\"", "stake = 0") == "out-of-range");
  CHECK(code(good, "\"n2\"", "\"n1\"") == "duplicate-node");
  CHECK(code(good, "api_port = 7101", "api_port = 70000") == "out-of-range");
  CHECK(code(good, "name = \"dev\"", "name = \"../dev\"") == "bad-name");
  CHECK(code(good, "name = \"dev\"", "name = ") == "bad-toml");
  CHECK(parse_cluster_file("schema = 1\nname = \"dev\"\nbase_port = 7100\nnode = []\n", "x").error().code ==
        "out-of-range");
}

TEST_CASE("an existing cluster says how it differs from what is asked for") {
  const auto file = sample_file();
  CHECK(differences(file, {}).empty());
  CHECK(differences(file, {.nodes = 2, .stakes = {}, .seed = file.seed, .base_port = 7'100, .ephemeral = {}}).empty());
  const ClusterWishes other{.nodes = 4, .stakes = {{1, 1}}, .seed = 5, .base_port = 7'200, .ephemeral = true};
  CHECK(differences(file, other).size() == 5);
  CHECK(differences(file, other).front() == "it has 2 nodes, not 4");
}

TEST_CASE("stakes are whole numbers from 1 whose sum stays below 2^64") {
  CHECK(*parse_stakes("3,1,1,1") == std::vector<std::uint64_t>{3, 1, 1, 1});
  for (const auto* text :
       {"", "0", "3,0", "1,,1", "1,-1", "a", "1.5", "18446744073709551615,1", "18446744073709551616"}) {
    INFO(text);
    CHECK_FALSE(parse_stakes(text).ok());
  }
  std::string many = "1";
  for (int i = 0; i < 31; ++i) many += ",1";
  CHECK_FALSE(parse_stakes(many).ok());
}

TEST_CASE("cluster names are safe as folder names") {
  for (const auto* name : {"dev", "a", "my-cluster-2", "0123456789012345678901234567890a"}) {
    CHECK(check_cluster_name(name).ok());
  }
  for (const auto* name : {"", "Dev", "a/b", "..", ".", "-x", "a b", "012345678901234567890123456789012"}) {
    INFO(name);
    CHECK_FALSE(check_cluster_name(name).ok());
  }
}

TEST_CASE("ports of all nodes of a cluster differ and stay inside its block") {
  std::set<std::uint16_t> seen;
  for (std::size_t k = 0; k < max_cluster_nodes; ++k) {
    const auto ports = ports_of(7'100, k);
    CHECK(seen.insert(ports.api).second);
    CHECK(seen.insert(ports.peer).second);
    CHECK(ports.peer < 7'100 + port_block);
  }
  CHECK(ports_of(7'100, 0).api == 7'101);
  CHECK(check_base_port(7'100).ok());
  CHECK_FALSE(check_base_port(80).ok());
  CHECK_FALSE(check_base_port(65'500).ok());
}

TEST_CASE("a port that is taken is told with the process that has it") {
  auto [fd, port] = listen_anywhere();
  CHECK_FALSE(port_is_free(port));
  const auto mine = "(pid " + std::to_string(::getpid()) + ")";
  REQUIRE(port_holder(port).has_value());
  CHECK(port_holder(port)->find(mine) != std::string::npos);
  const NodePorts ports{port, port};
  const auto error = check_ports_free(std::span(&ports, 1), "zell up --base-port 7200").error();
  CHECK(error.code == "port-taken");
  CHECK(error.what.find(mine) != std::string::npos);
  CHECK(error.hint == "zell up --base-port 7200");
  fd.reset();
  CHECK(port_is_free(port));
  CHECK_FALSE(port_holder(port).has_value());
}

TEST_CASE("a new cluster's ports are none of a stopped cluster's") {
  const std::uint16_t taken[] = {7'100, 7'250};
  const auto base = find_base_port(4, taken);
  REQUIRE(base.ok());
  CHECK(*base >= 7'400);
}

TEST_CASE("sockets are in a private folder, and their paths are never too long") {
  Scratch scratch;
  auto path = make_socket_path(scratch.environment, "dev.sock");
  REQUIRE(path.ok());
  CHECK(*path == scratch.environment.runtime_dir / "zell" / "dev.sock");
  struct stat status{};
  REQUIRE(::stat(path->parent_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);

  auto deep = scratch.environment;
  deep.runtime_dir = scratch.path / std::string(100, 'x');
  CHECK(make_socket_path(deep, "dev.sock")->parent_path() ==
        scratch.environment.temporary / ("zell-" + std::to_string(::getuid())));

  ::chmod(path->parent_path().c_str(), 0755);
  CHECK(make_socket_path(scratch.environment, "dev.sock").error().code == "too-open");
}

TEST_CASE("one cluster is picked without being named, several are listed") {
  Scratch scratch;
  const auto& environment = scratch.environment;
  CHECK(choose_cluster(environment, {}, true).error().code == "no-cluster");
  put_cluster(environment, "dev");
  CHECK(choose_cluster(environment, {}, true)->file.name == "dev");
  CHECK(choose_cluster(environment, {}, false).error().code == "not-running");
  put_cluster(environment, "other");
  const auto several = choose_cluster(environment, {}, true).error();
  CHECK(several.code == "several-clusters");
  CHECK(several.what.find("dev, other") != std::string::npos);
  CHECK(choose_cluster(environment, {"other", {}}, true)->file.name == "other");
  CHECK(choose_cluster(environment, {"othre", {}}, true).error().hint.find("other") != std::string::npos);
  CHECK(choose_cluster(environment, {"../dev", {}}, true).error().code == "bad-name");

  auto lock = SupervisorLock::take(root_of(environment, "dev", false) / "supervisor.lock");
  REQUIRE(lock.ok());
  REQUIRE(lock->publish({::getpid(), "/nowhere.sock", 1}).ok());
  // An open-file lock belongs to its open file, so that it is seen from the same process, too.
  CHECK(choose_cluster(environment, {}, false)->file.name == "dev");
}

TEST_CASE("a cluster whose files are damaged is listed and named, and does not hide the others") {
  Scratch scratch;
  const auto& environment = scratch.environment;
  put_cluster(environment, "whole");
  put_cluster(environment, "cut");
  std::filesystem::resize_file(root_of(environment, "cut", false) / "cluster.toml", 20);
  std::filesystem::create_directories(root_of(environment, "empty", false));
  const auto known = list_clusters(environment);
  REQUIRE(known.clusters.size() == 1);
  CHECK(known.clusters[0].file.name == "whole");
  REQUIRE(known.damaged.size() == 2);
  CHECK(known.damaged[0].name == "cut");
  CHECK(known.damaged[0].error.what.find("cluster.toml") != std::string::npos);
  CHECK(known.damaged[1].name == "empty");
  for (const auto& damaged : known.damaged) {
    const auto error = choose_cluster(environment, {damaged.name, {}}, true).error();
    CHECK(error.code == "damaged-cluster");
    CHECK(error.hint.find("zell cluster rm " + damaged.name) != std::string::npos);
  }
  CHECK(choose_cluster(environment, {}, true)->file.name == "whole");
  std::filesystem::remove_all(root_of(environment, "whole", false));
  CHECK(choose_cluster(environment, {}, true).error().code == "damaged-cluster");
}

TEST_CASE("a supervisor that was killed is told from one that stopped") {
  Scratch scratch;
  put_cluster(scratch.environment, "dev");
  const auto file = root_of(scratch.environment, "dev", false) / "supervisor.lock";
  {
    auto lock = SupervisorLock::take(file);
    REQUIRE(lock.ok());
    CHECK(look_at_lock(file).state == RunState::starting);
    REQUIRE(lock->publish({4242, "/x.sock", 1}).ok());
    CHECK(look_at_lock(file).state == RunState::running);
    CHECK(SupervisorLock::take(file).error().code == "locked");
  }
  CHECK(look_at_lock(file).state == RunState::died);
  const auto dead = choose_cluster(scratch.environment, {}, false).error();
  CHECK(dead.what.find("pid 4242") != std::string::npos);
  CHECK(dead.hint == "zell up dev");
  {
    auto lock = SupervisorLock::take(file);
    REQUIRE(lock.ok());
    lock->withdraw();
  }
  CHECK(look_at_lock(file).state == RunState::stopped);
}

}  // namespace
}  // namespace zell
