#pragma once
// One attempt to reach an endpoint: look its name up, connect, give up after a while.

#include <functional>
#include <memory>
#include <optional>

#include "node/base/result.h"
#include "node/transport/stream.h"
#include "node/transport/transport.h"

namespace zell {

/// A numeric address and port as a socket address; nullopt if the host is a name.
[[nodiscard]] std::optional<sockaddr_storage> numeric_address(const Endpoint& endpoint);
/// Also looks names up, which may block: for the start only. Code: "bad-address".
[[nodiscard]] Result<sockaddr_storage> resolve_now(uv_loop_t* loop, const Endpoint& endpoint);

/// Loop thread. Given up on destruction.
class Dial {
 public:
  /// `done` is called once, never before start() returns, with 0 and a connected stream or with a libuv error code. It
  /// may destroy this.
  using Done = std::function<void(int status, std::unique_ptr<Stream> stream)>;
  Dial(const StreamContext& context, Endpoint endpoint, std::uint32_t timeout_ms, Done done);
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;
  void start();

 private:
  struct Lookup;
  int look_up();
  int connect(const sockaddr& address);
  void finish(int status);
  /// Reports in a callback of its own, so that done is never called from start().
  void finish_later(int status);

  const StreamContext& context_;
  const Endpoint endpoint_;
  const std::uint32_t timeout_ms_;
  Done done_;
  std::unique_ptr<Stream> stream_;
  Lookup* lookup_ = nullptr;   ///< owned by libuv's request until it calls back
  int status_ = UV_ETIMEDOUT;  ///< what timer_ reports
  Timer timer_;
};

}  // namespace zell
