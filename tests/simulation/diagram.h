#pragma once
// The last steps of a run as a sequence diagram: a column for each node, time downwards.

#include <deque>
#include <string>

#include "tests/simulation/journal.h"

namespace zell::simulation {

/// Keeps the newest of what a run tells.
class Recorder : public Journal {
 public:
  explicit Recorder(std::size_t keep) : keep_(keep) {}
  void say(Instant now, const std::string& text) override;
  void arrived(Instant sent, Instant now, NodeId from, NodeId to, const Message& message) override;

  /// One line for each step.
  [[nodiscard]] std::string account() const;
  [[nodiscard]] std::string as_text(std::size_t nodes) const;
  [[nodiscard]] std::string as_svg(std::size_t nodes) const;

 private:
  struct Step {
    Instant sent, at;
    bool is_message = false;
    NodeId from, to;
    std::string text;
  };
  void keep(Step step);

  std::size_t keep_;
  std::deque<Step> steps_;
};

}  // namespace zell::simulation
