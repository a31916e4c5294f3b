#pragma once
// The only code that allows a vote. Each rule is PROTOCOL.md's "When a node may vote"; a refusal says which one.

#include <string_view>

#include "node/consensus/ordered_log.h"
#include "node/types/durable_state.h"

namespace zell {

/// Empty when allowed, else the rule that forbids it.
using Refusal = std::string_view;

/// LOCK(state.view, point), for a batch of the leader's proposal (or for the base itself). `point` ends this node's
/// chain or lies on it.
[[nodiscard]] Refusal may_lock(const DurableState& state, const OrderedLog& log, const LogPoint& point);
/// FINAL(state.view, certificate.point) on a lock certificate whose bodies are here.
[[nodiscard]] Refusal may_final(const DurableState& state, const OrderedLog& log, const Certificate& certificate);
/// Reporting the highest lock in a ViewChange for state.view.
[[nodiscard]] Refusal may_report_lock(const DurableState& state);
/// The highest lock, as a ViewChange reports it: "no lock" is view 0 and the epoch's first point.
[[nodiscard]] Lock reported_lock(const DurableState& state);

}  // namespace zell
