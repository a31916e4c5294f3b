#pragma once
// Starting a supervisor that outlives the command that starts it, and a node that does not outlive its supervisor.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "cluster/supervisor_protocol.h"
#include "cluster/unique_fd.h"
#include "node/base/result.h"

namespace zell {

/// Runs `command --ready-fd N [--owner-fd M]` in a session of its own, without a terminal, its output in `log`, and
/// returns its first answer: all nodes are started. With `owner` (the read end of a pipe), it goes down when that
/// reaches its end. Codes: the supervisor's own, "spawn-failed", "timeout" (10 s).
[[nodiscard]] Result<SupervisorAnswer> launch_supervisor(const std::vector<std::string>& command,
                                                         const std::filesystem::path& log, const UniqueFd* owner);

/// This very program, for starting another of it.
[[nodiscard]] std::filesystem::path own_program();

/// In a node: from now on this process is killed when its parent dies, and ends at once when `lifeline` reaches its end
/// (a thread waits for that; -1: none). `parent` 0: it does not matter. To end without
/// notice is safe: the protocol makes everything durable before it counts. Code "orphan" when the parent is gone
/// already.
[[nodiscard]] Status live_with_parent(pid_t parent, int lifeline);

}  // namespace zell
