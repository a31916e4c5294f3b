#pragma once
// A listening TCP socket.

#include <cstdint>
#include <string>

#include "node/base/result.h"

namespace zell {

struct Listener {
  int fd = -1;             ///< non-blocking, close-on-exec; the caller closes it
  std::uint16_t port = 0;  ///< the one that was chosen, if 0 was asked for
};

/// `address`: an IPv4 or IPv6 address. Codes: "port-taken", "bad-address", "io".
[[nodiscard]] Result<Listener> listen_on(const std::string& address, std::uint16_t port);

}  // namespace zell
