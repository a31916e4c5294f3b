#pragma once
// What the core says, as lines of the log.

#include <map>
#include <string>

#include "node/consensus/io.h"
#include "node/runtime/log.h"

namespace zell {

/// Loop thread only. What it is given outlives it.
class EventLog {
 public:
  EventLog(Log& log, const Genesis& genesis) : log_(log), genesis_(genesis) {}

  void on_event(const Event& event, Instant now);
  /// A message was refused before it reached the core.
  void on_refused(NodeId from, const Error& why, Instant now);

 private:
  void write(const RequestUpdate&) {}  // clients hear of these; the log would be all of them
  void write(const Finalised& event);
  void write(const ViewChanged& event);
  void write(const Challenged& event);
  void write(const Noted& event);
  void write(const Stopped& event);
  /// At most one line a second for each `what`, with how often it came since the last: others can make us say these.
  void note(std::string_view what, std::optional<NodeId> about, std::string_view detail);
  [[nodiscard]] std::string name_of(NodeId node) const;

  struct Noting {
    Instant last;
    std::uint64_t unsaid = 0;
  };
  Log& log_;
  const Genesis& genesis_;
  Instant now_{};
  std::map<std::string, Noting, std::less<>> notes_;  ///< by literals of ours and error codes: bounded by their number
};

}  // namespace zell
