// Making clusters, and judging what state they are in.

#include "cluster/make.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "cluster/cluster_view.h"
#include "cluster/log_tail.h"
#include "cluster/registry.h"
#include "cluster/user_keys.h"
#include "node/config/genesis_file.h"
#include "node/config/node_config.h"
#include "node/storage/store.h"
#include "tests/unit/cluster/scratch.h"

namespace zell {
namespace {

ClusterPlan plan(const Scratch& scratch, const ClusterWishes& wishes, const std::string& name = "dev") {
  auto made = plan_cluster(name, root_of(scratch.environment, name, false), wishes, {});
  INFO((made ? std::string() : made.error().what));
  REQUIRE(made.ok());
  return *made;
}

int mode_of(const std::filesystem::path& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return static_cast<int>(status.st_mode & 0777);
}

TEST_CASE("a cluster is made whole: every node can open what it starts from, and nobody else its secrets") {
  Scratch scratch;
  ClusterWishes wishes;
  wishes.stakes = {{3, 1}};
  const auto wanted = plan(scratch, wishes);
  REQUIRE(make_cluster(wanted, scratch.environment).ok());
  const ClusterPaths paths{wanted.root};
  CHECK(*read_cluster_file(paths.cluster_file()) == wanted.file);
  CHECK(mode_of(paths.root) == 0700);
  CHECK(mode_of(paths.keys() / "alice.json") == 0600);
  auto genesis = load_genesis(paths.genesis());
  REQUIRE(genesis.ok());
  CHECK(genesis->genesis.members[0].stake == 3);
  for (const auto& node : wanted.file.nodes) {
    auto config = load_node_config(paths.node_config(node.name));
    REQUIRE(config.ok());
    CHECK(config->api.port == node.ports.api);
    CHECK(open_node_key(*config, genesis->genesis).ok());
    CHECK(mode_of(config->key_file) == 0600);
    auto store = open_store(config->data_folder, genesis->genesis, *find_self(*config, genesis->genesis));
    REQUIRE(store.ok());
    auto recovered = (*store)->recover([](const Batch&) {});
    REQUIRE(recovered.ok());
    // Its vote state was made with it; one that lost its own would be a learner.
    CHECK(recovered->state.standing == Standing::member);
  }
}

TEST_CASE("a cluster is never made over another, and what was not made leaves nothing") {
  Scratch scratch;
  ClusterWishes wishes;
  wishes.nodes = 1;
  const auto wanted = plan(scratch, wishes);
  REQUIRE(make_cluster(wanted, scratch.environment).ok());
  CHECK(make_cluster(wanted, scratch.environment).error().code == "exists");

  auto impossible = plan(scratch, wishes, "other");
  impossible.file.nodes[0].stake = 0;
  CHECK_FALSE(make_cluster(impossible, scratch.environment).ok());
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(scratch.environment.clusters()))
    ++entries;
  CHECK(entries == 1);
}

TEST_CASE("what an interrupted making left is removed by the next one") {
  Scratch scratch;
  ClusterWishes wishes;
  wishes.nodes = 1;
  const auto wanted = plan(scratch, wishes);
  const auto parent = wanted.root.parent_path();
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  REQUIRE(::waitpid(gone, nullptr, 0) == gone);
  const auto abandoned = parent / (".making-dev-" + std::to_string(gone));
  const auto under_way = parent / (".making-other-" + std::to_string(::getppid()));
  for (const auto& folder : {abandoned, under_way}) std::filesystem::create_directories(folder / "n1");
  REQUIRE(make_cluster(wanted, scratch.environment).ok());
  CHECK_FALSE(std::filesystem::exists(abandoned));
  CHECK(std::filesystem::exists(under_way));
}

TEST_CASE("a seed gives the same keys, and no seed different ones") {
  Scratch scratch;
  const auto address = [&](const std::string& name, std::optional<std::uint64_t> seed) {
    ClusterWishes wishes;
    wishes.nodes = 1;
    wishes.seed = seed;
    const auto wanted = plan(scratch, wishes, name);
    REQUIRE(make_cluster(wanted, scratch.environment).ok());
    return find_user_key(scratch.environment, ClusterPaths{wanted.root}.keys(), "alice")->key.address;
  };
  CHECK(address("a", 5) == address("b", 5));
  CHECK(address("c", 6) != address("d", 5));
  CHECK(address("e", {}) != address("f", {}));
}

TEST_CASE("wishes that make no cluster are refused") {
  Scratch scratch;
  const auto code = [&](const ClusterWishes& wishes, const std::string& name = "dev") {
    return plan_cluster(name, scratch.path / "x", wishes, {}).error().code;
  };
  CHECK(code({.nodes = 0, .stakes = {}, .seed = {}, .base_port = {}, .ephemeral = {}}) == "bad-count");
  CHECK(code({.nodes = 32, .stakes = {}, .seed = {}, .base_port = {}, .ephemeral = {}}) == "bad-count");
  CHECK(code({.nodes = 3, .stakes = {{1, 1}}, .seed = {}, .base_port = {}, .ephemeral = {}}) == "bad-stake");
  CHECK(code({.nodes = {}, .stakes = {}, .seed = {}, .base_port = 80, .ephemeral = {}}) == "bad-port");
  CHECK(code({}, "Dev") == "bad-name");
}

TEST_CASE("a key is found by name, the cluster's before the person's, and the nearest is offered") {
  Scratch scratch;
  const auto own = scratch.environment.keys();
  const auto cluster = scratch.path / "cluster-keys";
  const auto put = [](const std::filesystem::path& folder, const std::string& name) {
    REQUIRE(save_key(folder, name, encrypt_key(generate_secret_key(), "", light_scrypt, true)).ok());
  };
  put(own, "alice");
  put(own, "carol");
  put(cluster, "alice");
  CHECK(find_user_key(scratch.environment, cluster, "alice")->of_cluster);
  CHECK_FALSE(find_user_key(scratch.environment, {}, "alice")->of_cluster);
  CHECK(find_user_key(scratch.environment, cluster, (own / "carol.json").string())->key.name == "carol");
  const auto error = find_user_key(scratch.environment, cluster, "carl").error();
  CHECK(error.code == "no-such-key");
  CHECK(error.hint.find("carol") != std::string::npos);
}

/// Nodes with these stakes, all up in view 0 under the first.
ClusterView view_of(const std::vector<std::uint64_t>& stakes) {
  ClusterView view;
  for (std::size_t k = 0; k < stakes.size(); ++k) {
    const auto name = "n" + std::to_string(k + 1);
    view.genesis.members.push_back({name, {}, stakes[k]});
    NodeView node;
    node.node = {name, stakes[k], {}};
    node.process.name = name;
    node.process.state = ProcessState::running;
    node.process.pid = 1;
    node.says = NodeSays{};
    node.says->active = true;
    node.says->leader = "n1";
    node.says->standing = "member";
    view.nodes.push_back(std::move(node));
  }
  return view;
}

TEST_CASE("further faults are counted by stake, the heaviest first") {
  CHECK(view_of({1}).further_faults() == 0);
  CHECK(view_of({1, 1, 1, 1}).further_faults() == 1);
  CHECK(view_of({1, 1, 1, 1, 1, 1, 1}).further_faults() == 2);
  CHECK(view_of({3, 1, 1, 1}).further_faults() == 0);
  CHECK(view_of({2, 2, 2, 2, 2, 2, 1}).further_faults() == 2);
  auto degraded = view_of({1, 1, 1, 1});
  degraded.nodes[3].process.state = ProcessState::killed;
  CHECK(degraded.serving());
  CHECK(degraded.further_faults() == 0);
}

TEST_CASE("a cluster serves when enough stake takes part and is led by one of those") {
  auto view = view_of({1, 1, 1, 1});
  CHECK(view.leader() == 0);
  view.nodes[0].process.state = ProcessState::paused;
  view.nodes[0].says.reset();
  CHECK_FALSE(view.leader().has_value());
  CHECK_FALSE(view.serving());
  view.nodes[1].says->view = 1;
  view.nodes[1].says->leader = "n2";
  CHECK(view.leader() == 1);
  CHECK(view.view() == 1);
  // It leads nobody until more than two thirds are in its view.
  CHECK_FALSE(view.serving());
  for (const auto k : {2, 3}) view.nodes[k].says = view.nodes[1].says;
  CHECK(view.serving());
  view.nodes[3].says->active = false;
  CHECK_FALSE(view.serving());
  view.nodes[3].says->active = true;
  // A learner follows, and does not count.
  view.nodes[2].says->standing = "learner";
  CHECK(view.nodes[2].state() == "learner");
  CHECK_FALSE(view.serving());
  CHECK(view.further_faults() == 0);
}

TEST_CASE("a node is connected when it reaches members of more than two thirds of the stake, itself among them") {
  auto view = view_of({3, 1, 1, 1});
  CHECK_FALSE(view.connected(1));
  view.nodes[1].says->connected = {"n3", "n4"};
  CHECK_FALSE(view.connected(1));
  view.nodes[1].says->connected = {"n1", "n3"};
  CHECK(view.connected(1));
  view.nodes[1].says.reset();
  CHECK_FALSE(view.connected(1));
  CHECK(view_of({1}).connected(0));
}

TEST_CASE("a node's state is what its process does, and then what it says") {
  auto node = view_of({1}).nodes[0];
  CHECK(node.state() == "up");
  node.says->stopped_code = "storage-failed";
  CHECK(node.state() == "failed");
  CHECK_FALSE(node.votes());
  node.says->stopped_code = "disk-full";
  CHECK(node.state() == "out of disk");
  CHECK_FALSE(node.votes());
  node.says.reset();
  CHECK(node.state() == "starting");
  node.no_answer = "timed out";
  CHECK(node.state() == "no answer");
  node.process.state = ProcessState::exited;
  node.process.exit_code = 5;
  CHECK(node.state() == "exited (5)");
}

TEST_CASE("who leads since when and why is what the nodes of the highest view remember") {
  auto view = view_of({1, 1, 1, 1});
  for (auto& node : view.nodes) node.says->view_since_unix_ms = 1'000;
  REQUIRE(view.leadership().has_value());
  CHECK(view.leadership()->before.empty());
  const std::vector<ComplaintSeen> because{{"n3", "unresponsive"}, {"n4", "stalled"}};
  view.nodes[0].process.state = ProcessState::killed;
  for (const auto k : {1, 2, 3}) {
    auto& says = *view.nodes[k].says;
    says.view = 1;
    says.leader = "n2";
    says.view_since_unix_ms = 5'000 + k;
    if (k == 3) says.view_because = because;
  }
  // n2 was started again: it counts from then and has forgotten why.
  view.nodes[1].says->view_since_unix_ms = 9'000;
  const auto leads = view.leadership();
  REQUIRE(leads.has_value());
  CHECK(leads->leader == 1);
  CHECK(leads->view == 1);
  CHECK(leads->since_unix_ms == 5'002);
  CHECK(leads->before == "n1");
  CHECK(leads->because == because);
  view.nodes[1].process.state = ProcessState::killed;
  CHECK_FALSE(view.leadership().has_value());
}

TEST_CASE("the stake that is needed is the least that is a quorum") {
  for (const auto& stakes :
       std::vector<std::vector<std::uint64_t>>{{1}, {1, 1}, {1, 1, 1}, {1, 1, 1, 1}, {3, 1, 1, 1}, {5, 3, 2, 1, 1}}) {
    const auto view = view_of(stakes);
    const auto total = view.genesis.total_stake(), needed = view.needed_stake();
    CHECK(3 * needed > 2 * total);
    CHECK(3 * (needed - 1) <= 2 * total);
    CHECK(view.voting_stake() == total);
  }
}

void append(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::app) << text;
}

std::vector<std::string> texts(const std::vector<LogLine>& lines) {
  std::vector<std::string> out;
  for (const auto& line : lines) out.push_back(std::to_string(line.source) + " " + line.text);
  return out;
}

using Texts = std::vector<std::string>;

TEST_CASE("logs of several nodes are one stream by time, and a line without a time stays with the one before it") {
  Scratch scratch;
  const auto a = scratch.path / "n1" / "log", b = scratch.path / "n2" / "log";
  append(a, "2026-11-22T10:00:00.001Z one\n  more of one\n2026-11-22T10:00:00.003Z three\n");
  append(b, "2026-11-22T10:00:00.002Z two\n");
  LogTail tail({{"n1", a}, {"n2", b}});
  CHECK(texts(tail.read_last(3)) ==
        Texts{"0   more of one", "1 2026-11-22T10:00:00.002Z two", "0 2026-11-22T10:00:00.003Z three"});
  CHECK(tail.read_new().empty());
}

TEST_CASE("following a log sees whole lines, new files and logs that were begun anew") {
  Scratch scratch;
  const auto log = scratch.path / "n1" / "log";
  std::filesystem::create_directories(log.parent_path());
  LogTail tail({{"n1", log}});
  CHECK(tail.read_last(10).empty());
  CHECK_FALSE(*tail.wait(-1));  // once without an event: something may have been written before the watch began
  append(log, "half");
  CHECK_FALSE(*tail.wait(-1));
  CHECK(tail.read_new().empty());
  append(log, " and half\nnext");
  CHECK_FALSE(*tail.wait(-1));
  CHECK(texts(tail.read_new()) == Texts{"0 half and half"});
  append(log, "\n");
  std::filesystem::rename(log, log.string() + ".1");
  append(log, "anew\n");
  CHECK_FALSE(*tail.wait(-1));
  CHECK(texts(tail.read_new()) == Texts{"0 next", "0 anew"});
}

}  // namespace
}  // namespace zell
