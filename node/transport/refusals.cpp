#include "node/transport/refusals.h"

namespace zell {
namespace {

/// The ordinary ends of a connection are counted only.
bool belongs_in_log(Cause cause) {
  return cause != Cause::ended && cause != Cause::replaced && cause != Cause::knocked;
}

std::string describe(const CloseReason& reason, const std::string& name) {
  std::string out = "connection with " + name + " closed: " + std::string(to_string(reason.cause)) + ": " +
                    std::string(explain(reason.cause));
  if (reason.they_said) {
    out += ", as " + std::string(to_string(*reason.they_said)) + ": " + std::string(explain(*reason.they_said));
  }
  return out;
}

}  // namespace

void Refusals::note(std::uint64_t now_ms, const CloseReason& reason, std::optional<NodeId> who,
                    const std::string& name) {
  ++counts_[reason.cause];
  if (!belongs_in_log(reason.cause)) return;
  const auto [place, first] = lines_.try_emplace({reason.cause, who});
  auto& line = place->second;
  if (!first && now_ms - line.logged_ms < period_ms_) {
    ++line.since;
    return;
  }
  auto text = describe(reason, name);
  if (line.since > 0) text += " (" + std::to_string(line.since) + " more like it since the last line)";
  line = {now_ms, 0};
  log_(std::move(text));
}

std::map<std::string, std::uint64_t> Refusals::counts() const {
  std::map<std::string, std::uint64_t> out;
  for (const auto& [cause, count] : counts_) out.emplace(to_string(cause), count);
  return out;
}

}  // namespace zell
