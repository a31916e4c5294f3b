// A node as a process of its own: the ready line, the control socket, its signals.

#include "node/runtime/run_node.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "node/crypto/keys.h"
#include "node/storage/store.h"
#include "tests/unit/runtime/loop_fixture.h"

namespace zell {
namespace {

/// run_node in a child process, which can't outlive this one.
class Child {
 public:
  explicit Child(const std::filesystem::path& folder) {
    config_.name = "n1";
    config_.data_folder = folder / "data";
    config_.listen = {"127.0.0.1", 0};
    config_.api = {"127.0.0.1", 0};
    config_.control_socket = folder / "run" / "n1.sock";
    config_.log_file = folder / "n1.log";
    secret_ = dev_secret_key(1, "n1");
    genesis_.genesis.cluster_name = "test";
    genesis_.genesis.members.push_back({"n1", *secp256k1_scheme().public_key(secret_), 1});
    genesis_.endpoints.push_back({});
    if (!std::filesystem::exists(config_.data_folder)) {
      REQUIRE(create_store(config_.data_folder, genesis_.genesis, NodeId{0}).ok());
    }
  }
  ~Child() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  NodeConfig& config() { return config_; }

  /// What the child wrote on its ready descriptor before it closed it.
  std::string start() {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(ends[0]);
      auto result = run_node(config_, genesis_, secret_, {"test", ends[1]});
      _exit(result.ok() ? 0 : result.error().code == "locked" ? 5 : 1);
    }
    close(ends[1]);
    std::string said;
    char c = 0;
    while (read(ends[0], &c, 1) == 1) said.push_back(c);
    close(ends[0]);
    return said;
  }
  void signal(int number) const { kill(pid_, number); }
  int exit_code() {
    int status = 0;
    REQUIRE(waitpid(std::exchange(pid_, -1), &status, 0) > 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1'000 + WTERMSIG(status);
  }
  [[nodiscard]] std::string command(std::string_view line) const {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, config_.control_socket.c_str(), sizeof address.sun_path - 1);
    std::string out;
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      (void)!write(fd, line.data(), line.size());
      char c = 0;
      while (read(fd, &c, 1) == 1 && c != '\n') out.push_back(c);
    }
    close(fd);
    return out;
  }

 private:
  NodeConfig config_;
  GenesisFile genesis_;
  SecretKey secret_;
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("a node process says that it is ready, answers its control socket, and ends with 0 on SIGTERM and SIGINT") {
  TestFolder folder;
  for (int number : {SIGTERM, SIGINT}) {
    Child child(folder.path());
    CHECK(child.start() == "ready\n");
    auto status = child.command("{\"command\":\"status\"}\n");
    CHECK(status.find("\"name\":\"n1\"") != std::string::npos);
    CHECK(status.find("\"ok\":true") != std::string::npos);
    CHECK(child.command("{\"command\":\"nonsense\"}\n").find("bad-command") != std::string::npos);
    child.signal(number);
    CHECK(child.exit_code() == 0);
    CHECK_FALSE(std::filesystem::exists(child.config().control_socket));
  }
}

TEST_CASE("the control socket's stop is answered, and ends the process with 0") {
  TestFolder folder;
  Child child(folder.path());
  CHECK(child.start() == "ready\n");
  CHECK(child.command("{\"command\":\"stop\"}\n") == "{\"ok\":true}");
  CHECK(child.exit_code() == 0);
}

TEST_CASE("a node process that was killed starts again; its stale control socket is replaced") {
  TestFolder folder;
  Child child(folder.path());
  CHECK(child.start() == "ready\n");
  child.signal(SIGKILL);
  CHECK(child.exit_code() == 1'000 + SIGKILL);
  CHECK(std::filesystem::exists(child.config().control_socket));
  CHECK(child.start() == "ready\n");
  child.signal(SIGTERM);
  CHECK(child.exit_code() == 0);
}

TEST_CASE("a second node process on one data folder is refused, and is never ready") {
  TestFolder folder;
  Child first(folder.path());
  CHECK(first.start() == "ready\n");
  Child second(folder.path());
  second.config().control_socket = folder.path() / "run" / "other.sock";
  second.config().log_file = folder.path() / "other.log";
  CHECK(second.start().empty());
  CHECK(second.exit_code() == 5);
  first.signal(SIGTERM);
  CHECK(first.exit_code() == 0);
}

}  // namespace zell
