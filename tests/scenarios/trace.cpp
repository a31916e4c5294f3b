#include "tests/scenarios/trace.h"

namespace zell::scenarios {

void Trace::sent(const Process& from, const Message& message, bool, const std::vector<ProcessId>& to) {
  auto text = names_.message(message);  // also while quiet: later lines speak of the same points
  std::string names;
  std::size_t others = 0;
  bool itself = false;
  for (auto id : to) {
    const auto& process = cluster_->processes()[id];
    itself = itself || &process == &from;
    if (&process == &from) continue;
    ++others;
    names += " " + process.name;
  }
  if (others > 1 && others + 1 == cluster_->processes().size()) names = " others";
  if (others == 0) names = itself ? " itself" : " nobody";
  say(from.name + " ->" + names + ": " + text);
}

void Trace::waits_for_disk(const Process& process, const Send& send) {
  say(process.name + " holds until its disk has it: " + names_.message(*send.message));
}

void Trace::dropped_unsent(const Process& process, const Send& send) {
  say(process.name + " never sends: " + names_.message(*send.message));
}

void Trace::happened(const Process& process, const Event& event) {
  say(process.name + ": " + names_.event(event));
}

void Trace::refused(const Process& from, const Process& to, const Packet& packet) {
  say(to.name + " refuses " + from.name + "'s " + names_.message(*packet.message) + " (" + packet.refusal + ")");
}

}  // namespace zell::scenarios
