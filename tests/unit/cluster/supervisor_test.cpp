// A supervisor of fake nodes (a shell that waits): what it starts, what it hears, and that nothing outlives it.

#include "cluster/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "cluster/cluster_file.h"
#include "cluster/control_channel.h"
#include "cluster/launch.h"
#include "cluster/registry.h"
#include "cluster/supervisor_socket.h"
#include "tests/unit/cluster/scratch.h"

namespace zell {
namespace {

using namespace std::chrono_literals;

/// Ends when the lifeline does, as a node would.
const std::vector<std::string> obedient{"/bin/sh", "-c", "read -r line <&3"};

/// A cluster's folder and, in a child process of this test, its supervisor.
class Running {
 public:
  explicit Running(const std::vector<std::string>& node_command, std::size_t nodes = 3, int owner_fd = -1,
                   bool ephemeral = false, int not_inherited = -1) {
    root = root_of(scratch.environment, "dev", false);
    ClusterFile file;
    file.name = "dev";
    file.base_port = 7'100;
    file.ephemeral = ephemeral;
    for (std::size_t k = 0; k < nodes; ++k) {
      file.nodes.push_back({"n" + std::to_string(k + 1), 1, ports_of(7'100, k)});
      std::filesystem::create_directories(root / file.nodes.back().name);
    }
    REQUIRE(write_file(root / "cluster.toml", render_cluster_file(file)).ok());
    start(node_command, owner_fd, not_inherited);
  }
  ~Running() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    wait();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void start(const std::vector<std::string>& node_command, int owner_fd = -1, int not_inherited = -1) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      ::close(ends[0]);
      if (not_inherited >= 0) ::close(not_inherited);
      SupervisorOptions options{root, node_command, ends[1], owner_fd, 300ms};
      ::_exit(run_supervisor(options, scratch.environment) ? 0 : 1);
    }
    ::close(ends[1]);
    UniqueFd ready(ends[0]);
    std::string line;
    for (char c; ::read(ready.get(), &c, 1) == 1 && c != '\n';) line += c;
    first = decode_answer(line);
  }
  Result<SupervisorAnswer> ask_for(SupervisorCommand command, std::vector<std::string> nodes = {}) {
    const auto lock = look_at_lock(root / "supervisor.lock");
    if (!lock.info) return Error{"unreachable", "no supervisor", ""};
    return ask_supervisor(lock.info->control_socket, {command, std::move(nodes)}, 10s);
  }
  int wait() {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    pid = -1;
    return status;
  }

  Scratch scratch;
  std::filesystem::path root;
  pid_t pid = -1;
  Result<SupervisorAnswer> first{Error{}};
};

char process_letter(std::int64_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(in, line);
  const auto name_end = line.rfind(')');
  return name_end == std::string::npos ? '-' : line[name_end + 2];
}

TEST_CASE("a supervisor starts all nodes and reports each death as it was") {
  Running cluster(obedient);
  REQUIRE(cluster.first.ok());
  REQUIRE(cluster.first->nodes.size() == 3);
  for (const auto& node : cluster.first->nodes) CHECK(node.state == ProcessState::running);

  const auto killed = cluster.ask_for(SupervisorCommand::kill, {"n1"});
  REQUIRE(killed.ok());
  CHECK(killed->changed == std::vector<std::string>{"n1"});
  CHECK(killed->nodes[0].state == ProcessState::killed);
  CHECK(killed->nodes[0].signal == SIGKILL);
  CHECK(killed->nodes[1].state == ProcessState::running);
  // Killing it again changes nothing, and says so.
  CHECK(cluster.ask_for(SupervisorCommand::kill, {"n1"})->changed.empty());

  const auto started = cluster.ask_for(SupervisorCommand::start, {"n1", "n2"});
  CHECK(started->changed == std::vector<std::string>{"n1"});
  CHECK(started->nodes[0].alive());
  CHECK(cluster.ask_for(SupervisorCommand::stop, {"n3"})->nodes[2].state == ProcessState::stopped);
  const auto old_pid = started->nodes[1].pid;
  const auto restarted = cluster.ask_for(SupervisorCommand::restart, {"n2"});
  CHECK(restarted->nodes[1].alive());
  CHECK(restarted->nodes[1].pid != old_pid);
  CHECK(cluster.ask_for(SupervisorCommand::kill, {"n9"}).error().code == "no-such-node");
  REQUIRE(cluster.ask_for(SupervisorCommand::down).ok());
  CHECK(cluster.wait() == 0);
}

TEST_CASE("a paused node is stopped, goes on when resumed, and down ends it all the same") {
  Running cluster(obedient);
  REQUIRE(cluster.first.ok());
  const auto paused = cluster.ask_for(SupervisorCommand::pause, {"n2", "n3"});
  CHECK(paused->nodes[1].state == ProcessState::paused);
  CHECK(process_letter(paused->nodes[1].pid) == 'T');
  CHECK(cluster.ask_for(SupervisorCommand::resume, {"n2"})->nodes[1].state == ProcessState::running);
  const auto down = cluster.ask_for(SupervisorCommand::down);
  REQUIRE(down.ok());
  for (const auto& node : down->nodes) CHECK_FALSE(node.alive());
  CHECK(cluster.wait() == 0);
  CHECK(look_at_lock(cluster.root / "supervisor.lock").state == RunState::stopped);
}

TEST_CASE("a node that ignores SIGTERM is killed after the grace") {
  Scratch scratch;
  const auto ignoring = scratch.path / "ignoring";
  REQUIRE(::mkfifo(ignoring.c_str(), 0600) == 0);
  Running cluster({"/bin/sh", "-c", "trap '' TERM; echo yes >" + ignoring.string() + "; read -r line <&3; exit 0"}, 1);
  REQUIRE(cluster.first.ok());
  std::string word;
  std::ifstream(ignoring) >> word;
  CHECK(word == "yes");
  const auto stopped = cluster.ask_for(SupervisorCommand::stop, {"n1"});
  REQUIRE(stopped.ok());
  CHECK(stopped->nodes[0].state == ProcessState::killed);
  CHECK(stopped->nodes[0].signal == SIGKILL);
}

TEST_CASE("SIGTERM brings the cluster down in good order") {
  Running cluster(obedient);
  REQUIRE(cluster.first.ok());
  ::kill(cluster.pid, SIGTERM);
  CHECK(cluster.wait() == 0);
  for (const auto& node : cluster.first->nodes) CHECK(process_letter(node.pid) == '-');
}

TEST_CASE("when its owner goes, so does the cluster") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  Running cluster(obedient, 1, read_end.get(), false, write_end.get());
  REQUIRE(cluster.first.ok());
  write_end.reset();
  CHECK(cluster.wait() == 0);
  CHECK(process_letter(cluster.first->nodes[0].pid) == '-');
}

TEST_CASE("no node outlives a supervisor that is killed") {
  Running cluster(obedient);
  REQUIRE(cluster.first.ok());
  const auto paused = cluster.ask_for(SupervisorCommand::pause, {"n3"});
  // This process becomes the reaper of the orphans, so that their deaths can be awaited.
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  ::kill(cluster.pid, SIGKILL);
  cluster.wait();
  // The fake nodes have no parent-death signal, only the lifeline: the paused one can't see it before it goes on.
  ::kill(static_cast<pid_t>(paused->nodes[2].pid), SIGCONT);
  for (const auto& node : paused->nodes) {
    int status = 0;
    CHECK(::waitpid(static_cast<pid_t>(node.pid), &status, 0) == node.pid);
  }
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
  CHECK(look_at_lock(cluster.root / "supervisor.lock").state == RunState::died);
  // And the cluster can be started again.
  cluster.start(obedient);
  CHECK(cluster.first.ok());
}

TEST_CASE("a second supervisor on the same cluster refuses") {
  Running cluster(obedient, 1);
  REQUIRE(cluster.first.ok());
  SupervisorOptions options{cluster.root, obedient, -1, -1, 300ms};
  CHECK(run_supervisor(options, cluster.scratch.environment).error().code == "locked");
}

TEST_CASE("a program that can't be run is an error at the start, and nothing is left") {
  Running cluster({"/nowhere/zell"}, 2);
  REQUIRE_FALSE(cluster.first.ok());
  CHECK(cluster.first.error().code == "spawn-failed");
  CHECK(WEXITSTATUS(cluster.wait()) == 1);
}

TEST_CASE("an ephemeral cluster's folder goes when it stops") {
  Running cluster(obedient, 1, -1, true);
  REQUIRE(cluster.first.ok());
  REQUIRE(cluster.ask_for(SupervisorCommand::down).ok());
  CHECK(cluster.wait() == 0);
  CHECK_FALSE(std::filesystem::exists(cluster.root));
}

TEST_CASE("a supervisor whose folder is removed, moved away or replaced stops its nodes and touches nothing there") {
  const auto how = GENERATE(std::string("removed"), std::string("moved"), std::string("replaced"));
  CAPTURE(how);
  Running cluster(obedient, 2, -1, true);
  REQUIRE(cluster.first.ok());
  const auto elsewhere = cluster.scratch.path / "elsewhere";
  if (how == "removed") {
    std::filesystem::remove_all(cluster.root);
  } else {
    std::filesystem::rename(cluster.root, elsewhere);
  }
  if (how == "replaced") {
    std::filesystem::create_directories(cluster.root);
    std::ofstream(cluster.root / "supervisor.lock") << "another's";
  }
  CHECK(cluster.wait() == 0);
  for (const auto& node : cluster.first->nodes) CHECK(process_letter(node.pid) == '-');
  // Ephemeral or not: what is there now is not its own.
  CHECK(std::filesystem::exists(cluster.root) == (how == "replaced"));
  CHECK(std::filesystem::exists(elsewhere) == (how != "removed"));
}

TEST_CASE("garbage on the control socket is answered with an error, and the supervisor goes on") {
  Running cluster(obedient, 1);
  REQUIRE(cluster.first.ok());
  const auto socket = look_at_lock(cluster.root / "supervisor.lock").info->control_socket;
  for (const auto* line : {"", "{}", "garbage", "{\"command\":7}", "{\"command\":\"dance\"}", "[1]",
                           "{\"command\":\"kill\",\"nodes\":3}"}) {
    auto answer = ask(socket, line, 5s);
    INFO(line);
    REQUIRE(answer.ok());
    CHECK(decode_answer(*answer).error().code == "bad-request");
  }
  CHECK_FALSE(ask(socket, std::string(200'000, 'x'), 5s).ok());
  CHECK(cluster.ask_for(SupervisorCommand::status).ok());
}

/// Connected, and says nothing more than half a line.
UniqueFd half_a_line(const std::filesystem::path& socket) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::send(fd.get(), "{\"comm", 6, MSG_NOSIGNAL) == 6);
  return fd;
}

TEST_CASE("connections that say nothing on the control socket keep nobody out") {
  Running cluster(obedient, 1);
  REQUIRE(cluster.first.ok());
  const auto socket = look_at_lock(cluster.root / "supervisor.lock").info->control_socket;
  std::vector<UniqueFd> silent;
  for (std::size_t k = 0; k < 2 * max_supervisor_connections; ++k) silent.push_back(half_a_line(socket));
  CHECK(cluster.ask_for(SupervisorCommand::status).ok());
  // The oldest had to go, the newest are still there.
  char byte = 0;
  CHECK(::recv(silent.front().get(), &byte, 1, 0) == 0);
  CHECK(::recv(silent.back().get(), &byte, 1, MSG_DONTWAIT) < 0);
}

TEST_CASE("questions without end whose answers nobody reads are cut off") {
  Running cluster(obedient, 1);
  REQUIRE(cluster.first.ok());
  const auto socket = look_at_lock(cluster.root / "supervisor.lock").info->control_socket;
  auto flood = half_a_line(socket);
  std::string questions;
  for (int k = 0; k < 1'000; ++k) questions += "\n{\"command\":\"status\"}";
  ssize_t sent = 0;
  for (int k = 0; k < 10'000 && sent >= 0; ++k)
    sent = ::send(flood.get(), questions.data(), questions.size(), MSG_NOSIGNAL);
  CHECK(sent < 0);
  CHECK(cluster.ask_for(SupervisorCommand::status).ok());
}

}  // namespace
}  // namespace zell
