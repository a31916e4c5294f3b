// A real process that is killed: the kernel closes its sockets in an order of its own.

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "tests/unit/transport/mesh_fixture.h"

namespace zell::test {
namespace {

/// A member in a process of its own, which says on which port it listens and then runs until it is killed.
class MemberProcess {
 public:
  MemberProcess(const Genesis& genesis, std::uint16_t self, std::uint16_t peer, std::uint16_t peer_port) {
    int ends[2] = {};
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) run(ends[1], genesis, self, {NodeId{peer}, Endpoint{"127.0.0.1", peer_port}});
    ::close(ends[1]);
    REQUIRE(::read(ends[0], &port_, sizeof port_) == sizeof port_);
    ::close(ends[0]);
  }
  MemberProcess(const MemberProcess&) = delete;
  MemberProcess& operator=(const MemberProcess&) = delete;
  ~MemberProcess() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  [[noreturn]] static void run(int out, const Genesis& genesis, std::uint16_t self,
                               const std::pair<NodeId, Endpoint>& peer) {
    ::alarm(60);  // it ends also where the test that made it could not end it
    Loop loop;
    Node node(loop, genesis, self);
    if (!node.transport->start().ok()) ::_exit(1);
    node.transport->set_peer(peer.first, peer.second);
    const auto port = node.transport->port();
    if (::write(out, &port, sizeof port) != sizeof port) ::_exit(1);
    uv_run(loop.uv(), UV_RUN_DEFAULT);
    ::_exit(1);
  }
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

TEST_CASE("a killed process is found refused within a second, by the side that dials and by the side that is dialled") {
  const auto killed = static_cast<std::uint16_t>(GENERATE(0, 2));
  const auto genesis = make_genesis(3);
  Loop loop;
  Node survivor(loop, genesis, 1);
  REQUIRE(survivor.transport->start().ok());
  for (int round = 0; round < 10; ++round) {
    MemberProcess process(genesis, killed, 1, survivor.transport->port());
    survivor.transport->set_peer({killed}, {"127.0.0.1", process.port()});
    REQUIRE(loop.run_until([&] { return survivor.up(killed); }));
    survivor.downs.clear();
    process.kill();
    REQUIRE(loop.run_until([&] { return !survivor.downs.empty() && survivor.downs.back().second; },
                           std::chrono::milliseconds(1'000)));
    CHECK(survivor.downs.size() <= 2);
  }
}

}  // namespace
}  // namespace zell::test
