#pragma once
// Who listens to a run.

#include <string>

#include "node/wire/messages.h"

namespace zell::simulation {

class Journal {
 public:
  virtual ~Journal() = default;
  /// A noteworthy step.
  virtual void say(Instant now, const std::string& text) = 0;
  /// A message that was sent arrives.
  virtual void arrived(Instant sent, Instant now, NodeId from, NodeId to, const Message& message) = 0;
};

}  // namespace zell::simulation
