#pragma once
// Writes down what happens, a line each.

#include "tests/scenarios/cluster.h"
#include "tests/scenarios/names.h"

namespace zell::scenarios {

class Trace : public Observer {
 public:
  explicit Trace(Names& names) : names_(names) {}

  /// REQUIRES: before anything is sent.
  void set_cluster(const Cluster* cluster) { cluster_ = cluster; }
  void say(const std::string& line) {
    if (!quiet_) text_ += line + "\n";
  }
  void set_quiet(bool quiet) { quiet_ = quiet; }
  [[nodiscard]] std::string take() { return std::exchange(text_, {}); }

  void sent(const Process& from, const Message& message, bool signs, const std::vector<ProcessId>& to) override;
  void waits_for_disk(const Process& process, const Send& send) override;
  void dropped_unsent(const Process& process, const Send& send) override;
  void happened(const Process& process, const Event& event) override;
  void refused(const Process& from, const Process& to, const Packet& packet) override;

 private:
  Names& names_;
  const Cluster* cluster_ = nullptr;
  bool quiet_ = false;
  std::string text_;
};

}  // namespace zell::scenarios
