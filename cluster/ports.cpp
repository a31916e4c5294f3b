#include "cluster/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace zell {
namespace {

constexpr std::string_view listen_state = "0A";  // TCP_LISTEN in /proc/net/tcp

/// The socket inode of whoever listens on `port` in one of /proc/net's tables.
std::optional<std::string> listener_inode(const char* table, std::uint16_t port) {
  std::ifstream in(table);
  std::string line;
  std::getline(in, line);  // the heading
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
    const auto colon = local.rfind(':');
    if (!fields || state != listen_state || colon == std::string::npos) continue;
    unsigned found = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
    if (found == port) return inode;
  }
  return std::nullopt;
}

bool has_socket(const std::filesystem::path& process, const std::string& link) {
  std::error_code error;
  for (std::filesystem::directory_iterator fd(process / "fd", error), end; !error && fd != end; fd.increment(error)) {
    std::error_code unreadable;
    if (std::filesystem::read_symlink(fd->path(), unreadable) == link) return true;
  }
  return false;
}

}  // namespace

NodePorts ports_of(std::uint16_t base_port, std::size_t node) {
  const auto api = static_cast<std::uint16_t>(base_port + 1 + node);
  return {api, static_cast<std::uint16_t>(api + peer_port_offset)};
}

Status check_base_port(std::uint64_t base_port) {
  if (base_port >= 1'024 && base_port <= 65'400) return Ok{};
  return Error{"bad-port", "a base port is from 1024 to 65400, because a cluster uses the 81 ports after it",
               "zell up --base-port 7200"};
}

bool port_is_free(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  // As a server does it: connections of an earlier one that linger in TIME_WAIT don't count.
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free =
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(fd, 1) == 0;
  ::close(fd);
  return free;
}

std::optional<std::string> port_holder(std::uint16_t port) {
  auto inode = listener_inode("/proc/net/tcp", port);
  if (!inode) inode = listener_inode("/proc/net/tcp6", port);
  if (!inode) return std::nullopt;
  const auto link = "socket:[" + *inode + "]";
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    const auto pid = it->path().filename().string();
    if (!std::all_of(pid.begin(), pid.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
    if (!has_socket(it->path(), link)) continue;
    std::string name;
    std::ifstream(it->path() / "comm") >> name;
    return (name.empty() ? "a process" : name) + " (pid " + pid + ")";
  }
  return std::nullopt;
}

Result<std::uint16_t> find_base_port(std::size_t nodes, std::span<const std::uint16_t> taken, std::uint16_t first) {
  // The range from 32,768 on is the kernel's own, for outgoing connections.
  for (std::uint16_t base = first; base < 32'000; base += port_block) {
    const auto clashes = [base](std::uint16_t other) { return other < base + port_block && base < other + port_block; };
    if (std::any_of(taken.begin(), taken.end(), clashes)) continue;
    bool free = true;
    for (std::size_t k = 0; k < nodes && free; ++k) {
      const auto ports = ports_of(base, k);
      free = port_is_free(ports.api) && port_is_free(ports.peer);
    }
    if (free) return base;
  }
  return Error{"port-taken", "no free block of ports from " + std::to_string(first) + " to 32000", "zell cluster ls"};
}

Status check_ports_free(std::span<const NodePorts> ports, std::string hint) {
  for (const auto& pair : ports) {
    for (const auto port : {pair.api, pair.peer}) {
      if (port_is_free(port)) continue;
      return Error{"port-taken",
                   "port " + std::to_string(port) + " is used by " + port_holder(port).value_or("another process"),
                   std::move(hint)};
    }
  }
  return Ok{};
}

}  // namespace zell
