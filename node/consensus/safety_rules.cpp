#include "node/consensus/safety_rules.h"

#include "node/crypto/log_tree.h"

namespace zell {
namespace {

bool may_sign(const DurableState& state) {
  return state.standing != Standing::learner;
}

}  // namespace

Refusal may_lock(const DurableState& state, const OrderedLog& log, const LogPoint& point) {
  if (!may_sign(state)) return "a learner does not vote";
  if (!state.active) return "not active in the view";
  if (point.index.value == 0) return "the empty log needs no lock";
  if (!log.range_at(point)) return "not a point of this log at or above what is final";
  // What must be extended: the last LOCK of this view; or a longer LC of this view, even on another branch; or the
  // base.
  LogPoint anchor = state.last_lock.value_or(state.base);
  if (state.highest_lc && state.highest_lc->view == state.view && state.highest_lc->point.index > anchor.index) {
    anchor = state.highest_lc->point;
  }
  if (state.last_lock && point.index <= state.last_lock->index) return "not above the last LOCK of this view";
  if (!state.last_lock && point.index < state.base.index) return "below the base of this view";
  if (point.index < anchor.index) return "below what it must extend";
  if (!log.on_chain(anchor)) return "does not extend the last LOCK or the base of this view";
  return {};
}

Refusal may_final(const DurableState& state, const OrderedLog& log, const Certificate& certificate) {
  if (!may_sign(state)) return "a learner does not vote";
  if (!state.active) return "not active in the view";
  if (certificate.view != state.view) return "the certificate is of another view";
  if (!log.range_at(certificate.point)) return "the bodies are not here, or it is below what is final";
  if (state.last_final) {
    if (certificate.point.index <= state.last_final->index) return "not above the last FINAL of this view";
    if (!log.on_chain(*state.last_final)) return "does not extend the last FINAL of this view";
  }
  return {};
}

Refusal may_report_lock(const DurableState& state) {
  if (state.standing == Standing::learner) return "a learner does not report locks";
  if (state.standing == Standing::rejoined) return "rejoined: no certificate of its view or above yet";
  if (state.active) return "already active in the view";
  return {};
}

Lock reported_lock(const DurableState& state) {
  if (!state.highest_lc) return {View{}, {Index{}, empty_root()}};
  return state.highest_lc->lock();
}

}  // namespace zell
