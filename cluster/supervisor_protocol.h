#pragma once
// What is said over a supervisor's control socket: JSON, a line each way.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/result.h"

namespace zell {

enum class ProcessState : std::uint8_t { stopped, running, paused, stopping, killed, exited };
[[nodiscard]] std::string_view to_string(ProcessState state);

struct ProcessReport {
  std::string name;
  ProcessState state = ProcessState::stopped;
  std::int64_t pid = 0;                  ///< 0 unless it runs
  std::optional<int> exit_code;          ///< when it ended by itself
  std::optional<int> signal;             ///< when a signal ended it
  std::int64_t since_unix_ms = 0;        ///< of the last change of state
  std::filesystem::path control_socket;  ///< of the node
  [[nodiscard]] bool alive() const { return pid != 0; }
};

enum class SupervisorCommand : std::uint8_t { status, kill, stop, start, restart, pause, resume, down };
[[nodiscard]] std::string_view to_string(SupervisorCommand command);

struct SupervisorRequest {
  SupervisorCommand command = SupervisorCommand::status;
  std::vector<std::string> nodes;  ///< none with status and down
};
struct SupervisorAnswer {
  std::int64_t pid = 0;
  std::vector<std::string> changed;  ///< what the command was done to; the other nodes were in that state already
  std::vector<ProcessReport> nodes;  ///< all of them, in genesis order
};

[[nodiscard]] std::string encode_request(const SupervisorRequest& request);
/// Code "bad-request".
[[nodiscard]] Result<SupervisorRequest> decode_request(std::string_view line);
[[nodiscard]] std::string encode_answer(const Result<SupervisorAnswer>& answer);
/// The answer, or the error that the supervisor sent; code "bad-answer" for neither.
[[nodiscard]] Result<SupervisorAnswer> decode_answer(std::string_view line);

/// Asks a running supervisor; answers come once the command is done (a killed node is dead). Codes: ask()'s, and the
/// supervisor's "no-such-node", "busy".
[[nodiscard]] Result<SupervisorAnswer> ask_supervisor(const std::filesystem::path& socket,
                                                      const SupervisorRequest& request,
                                                      std::chrono::milliseconds timeout);

}  // namespace zell
