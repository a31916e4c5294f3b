#include "tests/simulation/checks.h"

#include "node/crypto/hash.h"
#include "node/wire/signed_structures.h"

namespace zell::simulation {
namespace {

std::string name(NodeId node) {
  return "n" + std::to_string(node.value + 1);
}

[[noreturn]] void violated(const std::string& rule, NodeId node, const std::string& detail) {
  throw Violation(rule + ": " + name(node) + ", " + detail);
}

}  // namespace

void Checks::finalised(NodeId node, const Batch& batch) {
  auto& at = final_at_[node];
  if (batch.header.first.value != at.value + 1) {
    violated("finality skips or repeats", node, "index " + std::to_string(batch.header.first.value));
  }
  for (const auto& request : *batch.requests) {
    at = at.next();
    if (at.value <= log_.size()) {
      if (log_[at.value - 1]->canonical != request->canonical)
        violated("two histories", node, "index " + std::to_string(at.value));
      continue;
    }
    if (!submitted_.contains(sha256(request->canonical)))
      violated("final but never submitted", node, std::to_string(at.value));
    if (!nonces_.emplace(request->sender, request->nonce).second)
      violated("not exactly once", node, std::to_string(at.value));
    final_ids_.insert(request->id);
    log_.push_back(request);
    range_.append(leaf_hash(request->header()));
    roots_.push_back(range_.root());
  }
  if (batch.header.end != LogPoint{at, roots_[at.value - 1]}) violated("bodies give another root", node, "");
}

void Checks::restarted(NodeId node, Index finalised, bool remembers) {
  auto& stored = stored_[node];
  if (remembers && finalised < stored) violated("what was stored as final is gone", node, "");
  stored = finalised;
  final_at_[node] = finalised;
}

Index Checks::final_of(NodeId node) const {
  auto found = final_at_.find(node);
  return found == final_at_.end() ? Index{} : found->second;
}

void Checks::forgot(NodeId node) {
  if (auto last = voted_.find(node); last != voted_.end()) forgotten_[node] = last->second;
}

void Checks::signed_by(NodeId node, const Message& message, const DurableState& durable) {
  auto slot = [&](int kind, View view, Index index, const Hash& root) {
    auto [at, fresh] = slots_.emplace(Slot{node, kind, view, index}, root);
    if (!fresh && at->second != root) violated("two signatures for one slot", node, std::string(name_of(message)));
  };
  auto not_below = [&](View view) {
    if (view < durable.view) violated("signed below the durable view", node, std::string(name_of(message)));
  };
  if (const auto* vote = std::get_if<Vote>(&message)) {
    slot(static_cast<int>(vote->phase), vote->view, vote->point.index, vote->point.root);
    not_below(vote->view);
    if (auto lost = forgotten_.find(node); lost != forgotten_.end() && vote->view <= lost->second)
      violated("votes again in a view that it has forgotten", node, std::to_string(vote->view.value));
    voted_[node] = std::max(voted_[node], vote->view);
    if (vote->view > durable.view) violated("vote sent before its view was durable", node, "");
    const auto& last = vote->phase == Phase::lock ? durable.last_lock : durable.last_final;
    if (!last || last->index < vote->point.index) violated("vote sent before it was durable", node, "");
    if (vote->phase == Phase::final) {
      Rank rank{vote->view, vote->point.index};
      if (!durable.highest_lc || durable.highest_lc->rank() < rank) violated("FINAL without a durable LC", node, "");
      finals_[node] = std::max(finals_[node], rank);
    }
  } else if (const auto* proposal = std::get_if<Proposal>(&message)) {
    slot(3, proposal->header.view, proposal->header.first, proposal->header.end.root);
    if (durable.tip.index < proposal->header.end.index) violated("proposal sent before it was durable", node, "");
  } else if (const auto* change = std::get_if<ViewChange>(&message)) {
    const auto& part = change->signed_part;
    not_below(part.view);
    if (part.view > durable.view) violated("ViewChange sent before its view was durable", node, "");
    Rank durable_rank = durable.highest_lc ? durable.highest_lc->rank() : Rank{};
    if (part.lock.rank() > durable_rank) violated("reported a lock that is not durable", node, "");
    if (part.lock.rank() < reported_[node]) violated("a reported lock fell", node, "");
    if (part.lock.rank() < finals_[node]) violated("reported a lock below its own FINAL", node, "");
    reported_[node] = part.lock.rank();
  } else if (const auto* news = std::get_if<NewView>(&message)) {
    Hash what = news->base.point.root;
    slot(5, news->view, {}, what);
    if (durable.view < news->view || !durable.active) violated("NewView sent before it was durable", node, "");
  } else if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
    slot(6, heartbeat->view, {heartbeat->counter}, heartbeat->tip.root);
    not_below(heartbeat->view);
  } else if (const auto* challenge = std::get_if<Challenge>(&message)) {
    if (challenge->signed_part.view > durable.view) violated("challenged a view that is not durable", node, "");
  } else if (const auto* answer = std::get_if<ViewAnswer>(&message)) {
    if (answer->view > durable.view) violated("answered a view that is not durable", node, "");
  }
}

void Checks::accused(NodeId guilty, const std::set<NodeId>& faulty) {
  if (!faulty.contains(guilty)) violated("evidence names an honest node", guilty, "");
}

}  // namespace zell::simulation
