#include "node/http/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>

namespace zell {

namespace {

Error listen_error(int error, const std::string& where) {
  if (error == EADDRINUSE) return {"port-taken", where + " is in use by another process", "choose another port"};
  if (error == EADDRNOTAVAIL || error == EACCES) {
    return {"bad-address", "can't listen on " + where + ": " + std::strerror(error),
            "use 127.0.0.1 and a port above 1023"};
  }
  return {"io", "can't listen on " + where + ": " + std::strerror(error), ""};
}

}  // namespace

Result<Listener> listen_on(const std::string& address, std::uint16_t port) {
  auto where = address + " port " + std::to_string(port);
  sockaddr_storage name{};
  bool v4 = uv_ip4_addr(address.c_str(), port, reinterpret_cast<sockaddr_in*>(&name)) == 0;
  if (!v4 && uv_ip6_addr(address.c_str(), port, reinterpret_cast<sockaddr_in6*>(&name)) != 0) {
    return Error{"bad-address", address + " is no IP address", "use 127.0.0.1"};
  }
  int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(errno, where);
  int on = 1;
  socklen_t size = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  // SO_REUSEADDR: a restarted node gets its port back while old connections linger in TIME_WAIT.
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd, reinterpret_cast<sockaddr*>(&name), size) != 0 || listen(fd, SOMAXCONN) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    auto error = listen_error(errno, where);
    close(fd);
    return error;
  }
  auto bound = v4 ? reinterpret_cast<sockaddr_in*>(&name)->sin_port : reinterpret_cast<sockaddr_in6*>(&name)->sin6_port;
  return Listener{fd, ntohs(bound)};
}

}  // namespace zell
