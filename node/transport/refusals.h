#pragma once
// Counts closed connections by cause, and says so in the log, but not more often than is useful.

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "node/transport/connection.h"

namespace zell {

class Refusals {
 public:
  Refusals(std::uint32_t period_ms, std::function<void(std::string)> log)
      : period_ms_(period_ms), log_(std::move(log)) {}

  /// `who` is the proven or dialled member, or nullopt for a stranger; `name` is what to call it in the log. The first
  /// of a cause and peer is logged, later ones at most once a period, with how many there were.
  void note(std::uint64_t now_ms, const CloseReason& reason, std::optional<NodeId> who, const std::string& name);
  /// By the cause's name.
  [[nodiscard]] std::map<std::string, std::uint64_t> counts() const;

 private:
  struct Line {
    std::uint64_t logged_ms = 0;
    std::uint64_t since = 0;  ///< not logged since then
  };
  std::uint32_t period_ms_;
  std::function<void(std::string)> log_;
  std::map<Cause, std::uint64_t> counts_;
  std::map<std::pair<Cause, std::optional<NodeId>>, Line> lines_;  ///< at most causes x (members + 1)
};

}  // namespace zell
