// What a ClientSession does at whichever node can.

#include <algorithm>

#include "client/deadline.h"
#include "client/session.h"

namespace zell {

Result<ProvenRequest> ClientSession::prove_anywhere(const std::variant<Index, RequestId>& what, std::size_t first,
                                                    bool only_first) {
  std::optional<Error> last;
  for (auto node : candidates(first, only_first)) {
    auto proven = prove(node, what);
    if (auto good = usable(); !good) return good.error();
    if (proven) return proven;
    // One node's not knowing it outweighs another's not answering.
    bool tells = proven.error().code == "unknown-request" || proven.error().code == "not-final";
    if (!last || tells) last = proven.error();
  }
  return nobody(last);
}

Result<Outcome> ClientSession::wait(const RequestId& id, RequestState state, std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds pause_between{100};
  Deadline deadline(timeout);
  Outcome outcome;
  outcome.id = id;
  std::optional<Error> last;
  for (std::size_t turn = 0;; ++turn) {
    bool answered = false;
    for (auto node : candidates(turn % nodes.size())) {
      auto status = wait_at(node, state, std::min(deadline.left(), options.patience), outcome);
      if (auto good = usable(); !good) return good.error();
      if (!status) {
        last = status.error();
        continue;
      }
      answered = true;
      if (outcome.state == RequestState::refused || outcome.state >= state) return outcome;
    }
    if (candidates(0).empty() || (deadline.passed() && !answered)) return nobody(last);
    if (deadline.passed()) {
      outcome.timed_out = true;
      return outcome;
    }
    if (!pause(std::min(pause_between, deadline.left()))) return usable().error();
  }
}

Status ClientSession::wait_at(std::size_t node, RequestState state, std::chrono::milliseconds timeout,
                              Outcome& outcome) {
  auto claim = lookup(node, outcome.id, state, timeout);
  if (!claim && claim.error().code == "unknown-request") return Ok{};
  if (!claim) return claim.error();
  outcome.node = nodes[node].name;
  outcome.reason = claim->reason;
  outcome.hint = claim->hint;
  outcome.index = claim->index;
  outcome.state = claim->state;
  if (claim->state != RequestState::finalised) return Ok{};
  outcome.state = RequestState::locked;  // until it is proven
  auto proven = prove_claim(node, outcome.id, claim->index);
  if (!proven) return proven.error();
  outcome.state = RequestState::finalised;
  outcome.certificate = proven->certificate;
  return Ok{};
}

}  // namespace zell
