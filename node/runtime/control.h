#pragma once
// The control socket: one JSON line in, one JSON line out. Only this user can reach it.

#include <uv.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "node/base/result.h"

namespace zell {

inline constexpr std::size_t max_control_path_bytes = 107;  ///< sun_path, less its terminating zero
inline constexpr std::size_t max_control_line_bytes = 4'096;
inline constexpr std::size_t max_control_connections = 16;

struct ControlOptions {
  std::filesystem::path socket;
  unsigned idle_timeout_ms = 10'000;  ///< a connection that sends no whole line for so long is closed
};

/// The members of the answer beside "ok", as JSON text of one object; or why not. Called with the command's name.
using ControlHandler = std::function<Result<std::string>(std::string_view command)>;

/// Answers {"command": NAME} with one line: what the handler returns, or {"ok":false,"error":{code,reason,hint}}.
[[nodiscard]] std::string answer_control_line(std::string_view line, const ControlHandler& handler);

/// Answers lines. Loop thread only.
class ControlServer {
 public:
  /// Makes the folder (0700) if it is missing, and the socket (0600). Removes a socket that nobody listens on.
  /// Codes: "bad-path" (over max_control_path_bytes), "in-use" (somebody listens), "too-open" (others may write to the
  /// folder), "io".
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> start(uv_loop_t& loop, ControlOptions options,
                                                                    ControlHandler handler);
  ~ControlServer();  ///< REQUIRES: close() has said that it is done

  /// Ends all connections, once what was answered is written, and removes the socket. Then calls `closed` from the
  /// loop.
  void close(std::function<void()> closed);

  struct Impl;  ///< public for its connections' sake; defined in control.cpp

 private:
  explicit ControlServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zell
