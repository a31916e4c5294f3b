#include "node/runtime/event_log.h"

namespace zell {

void EventLog::on_event(const Event& event, Instant now) {
  now_ = now;
  std::visit([this](const auto& value) { write(value); }, event);
}

void EventLog::on_refused(NodeId from, const Error& why, Instant now) {
  now_ = now;
  note("message refused: " + why.code, from, why.what);
}

std::string EventLog::name_of(NodeId node) const {
  return node.value < genesis_.size() ? genesis_.members[node.value].name : std::to_string(node.value);
}

void EventLog::write(const Finalised& event) {
  if (!log_.enabled(LogLevel::debug)) return;
  const auto& header = event.batch->header;
  log_.write(LogLevel::debug, "consensus", "finalised",
             {{"first", header.first.value},
              {"last", header.end.index.value},
              {"view", header.view.value},
              {"bytes", std::uint64_t{event.batch->request_bytes}},
              {"root", to_hex0x(header.end.root.view())}});
}

void EventLog::write(const ViewChanged& event) {
  if (event.active) {
    log_.write(LogLevel::info, "consensus", "view entered",
               {{"view", event.view.value}, {"leader", name_of(event.leader)}, {"base", event.base.value}});
  } else {
    log_.write(LogLevel::info, "consensus", "moved to view",
               {{"view", event.view.value}, {"leader", name_of(event.leader)}});
  }
}

void EventLog::write(const Challenged& event) {
  log_.write(LogLevel::warn, "consensus", "challenging the leader",
             {{"view", event.view.value},
              {"leader", name_of(genesis_.leader(event.view))},
              {"reason", to_string(event.reason)}});
}

void EventLog::write(const Noted& event) {
  note(event.what, event.about, {});
}

void EventLog::write(const Stopped& event) {
  log_.write(LogLevel::error, "consensus", "stopped taking part; reads go on",
             {{"code", event.code}, {"why", event.why}});
}

void EventLog::note(std::string_view what, std::optional<NodeId> about, std::string_view detail) {
  auto found = notes_.find(what);
  if (found != notes_.end() && now_ - found->second.last < std::chrono::seconds(1)) {
    ++found->second.unsaid;
    return;
  }
  auto& noting = found != notes_.end() ? found->second : notes_[std::string(what)];
  log_.write(LogLevel::warn, "consensus", what,
             {{"about", about ? name_of(*about) : "-"}, {"detail", detail}, {"since_last", noting.unsaid}});
  noting = {now_, 0};
}

}  // namespace zell
