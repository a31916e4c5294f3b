#pragma once
// One question and its answer over a Unix socket: a line each. Supervisors and nodes both speak it.

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "node/base/result.h"

namespace zell {

inline constexpr std::size_t max_answer_bytes_per_line = 64 << 10;

/// Sends `line` (without its newline) and returns the first line that comes back. Blocks for at most `timeout`.
/// Codes: "unreachable" (nobody listens, or it hung up), "timeout", "path-too-long", "bad-answer" (too long).
[[nodiscard]] Result<std::string> ask(const std::filesystem::path& socket, std::string_view line,
                                      std::chrono::milliseconds timeout);

/// Whether somebody listens on the socket, so far as that can be told without saying anything. Never blocks.
[[nodiscard]] bool is_answered(const std::filesystem::path& socket);

/// A command to a node's control socket. Its answer is the line, JSON. Codes: ask()'s, "bad-answer", and those that the
/// node answers with.
[[nodiscard]] Result<std::string> ask_node(const std::filesystem::path& socket, std::string_view command,
                                           std::chrono::milliseconds timeout);

}  // namespace zell
