#pragma once
// The HTTP server of a node, on the node's libuv loop.

#include <uv.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "node/base/result.h"
#include "node/http/node_api.h"

namespace zell {

struct HttpOptions {
  std::string address = "127.0.0.1";       ///< an IPv4 or IPv6 address
  std::uint16_t port = 0;                  ///< 0: any free one
  std::vector<std::string> allowed_hosts;  ///< names in Host headers beside loopback's, lower case
  std::size_t max_connections = 256;       ///< more are told "too-many-connections", some 32 at a time; beyond, closed
  std::size_t max_streams = 64;            ///< of these connections; more are told "too-many-streams"
  std::size_t max_body_bytes = 8 << 20;
  std::size_t max_total_body_bytes = 64 << 20;       ///< of all connections together; past it "busy"
  std::size_t max_total_response_bytes = 128 << 20;  ///< waiting to be taken by slow clients; past it "busy"
  std::chrono::milliseconds receive_timeout{
      30'000};  ///< for a whole head, idle time before it included; again for a body
  std::chrono::milliseconds send_timeout{120'000};  ///< for a whole answer to be taken, or the next piece of a stream
  std::chrono::milliseconds keep_alive_every{15'000};  ///< of silence in a stream
};

/// Loop thread only.
class HttpServer {
 public:
  /// Listens at once. `loop` and `node` must outlive it. Codes: "port-taken", "bad-address", "io".
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(uv_loop_t* loop, NodeApi& node, HttpOptions options);
  /// Ends streams, answers what waits with "stopped", cancels it at the node, closes all connections. The loop must run
  /// on until the handles that it was given are closed (uv_run returns).
  ~HttpServer();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] std::size_t streams() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zell
