#pragma once
// The listening side of a control socket (mode 0600): a JSON line in, a JSON line out, as often as the client likes.

#include <uv.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "node/base/result.h"

namespace zell {

/// With more, the oldest that waits for no reply is closed: who connects and says nothing keeps nobody out.
inline constexpr std::size_t max_supervisor_connections = 64;

/// Loop thread only.
class SupervisorSocket {
 public:
  /// May be called once, now or later, on the loop thread; also after the client has left.
  using Reply = std::function<void(std::string line)>;
  using Handler = std::function<void(const std::string& line, Reply reply)>;

  /// Replaces a socket that is left over. REQUIRES: no other process uses it (the supervisor's lock). Code "io".
  [[nodiscard]] static Result<std::unique_ptr<SupervisorSocket>> listen(uv_loop_t& loop,
                                                                        const std::filesystem::path& socket,
                                                                        Handler handler);
  ~SupervisorSocket();
  SupervisorSocket(const SupervisorSocket&) = delete;
  SupervisorSocket& operator=(const SupervisorSocket&) = delete;

  /// Lets go of all handles once what was replied is written; removes the socket's file.
  void close();

 private:
  struct Connection;
  struct Impl;
  explicit SupervisorSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zell
