#include "node/wire/codec.h"
#include "tests/simulation/describe.h"
#include "tests/simulation/world_impl.h"

namespace zell::simulation {

using std::chrono::milliseconds;

/// Puts each node into a group; only nodes of one group reach each other.
void World::rewire(const std::vector<int>& groups) {
  auto before = group_;
  group_ = groups;
  for (auto& a : nodes_) {
    for (auto& b : nodes_) {
      if (a.id == b.id || !a.replica || !b.replica) continue;
      bool was = before[a.id.value] == before[b.id.value];
      bool is = group_[a.id.value] == group_[b.id.value];
      if (was && !is) step(a.id, PeerDown{b.id, false});
      if (!was && is) step(a.id, PeerUp{b.id});
    }
  }
}

void World::send(NodeId id, const Send& send) {
  Message message = *send.message;
  if (send.sign) message = sign_message(std::move(message), id, secret(id), scheme(), verifier_.domain());
  if (honest(id) && send.sign && plan_.check_signatures) checks_.signed_by(id, message, nodes_[id.value].disk.durable);
  if (const auto* challenge = std::get_if<Challenge>(&message); challenge && honest(id))
    observer_.challenged(*challenge);
  if (const auto* news = std::get_if<NewView>(&message); news && send.sign && send.to != Send::To::one)
    note_new_view(*news);
  auto shared = std::make_shared<const Message>(message);
  bool to_self = send.to == Send::To::all || (send.to == Send::To::one && send.node == id);
  if (to_self) {
    at(Duration{1}, [this, id, shared, life = nodes_[id.value].life] {
      if (nodes_[id.value].life == life) step(id, Received{id, verifier_.own(*shared)});
    });
  }
  for (auto& other : nodes_) {
    if (other.id == id || (send.to == Send::To::one && send.node != other.id)) continue;
    if (honest(id)) {
      transmit(id, other.id, message);
    } else {
      for (const auto& lie : liar_.tell(message, other.id)) transmit(id, other.id, lie);
    }
  }
}

void World::transmit(NodeId from, NodeId to, const Message& message) {
  ++outcome_.messages;
  if (!linked(from, to)) return;
  bool lossy = !healed_;
  if (lossy && random_.chance(plan_.loss)) return;
  auto shared = std::make_shared<const Message>(message);
  int copies = lossy && random_.chance(plan_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    auto delay = between(plan_.delay_min, plan_.delay_max);
    if (lossy && random_.chance(plan_.spike)) delay *= 50;
    if (!honest(from)) delay += liar_.holds_back(message);
    at(delay, [this, from, to, shared, life = nodes_[to.value].life] {
      if (nodes_[to.value].life == life) deliver(from, to, shared);
    });
  }
}

void World::deliver(NodeId from, NodeId to, const std::shared_ptr<const Message>& message) {
  if (!linked(from, to)) return;
  auto& node = nodes_[to.value];
  if (node.paused) {
    at(milliseconds(20), [this, from, to, message, life = node.life] {
      if (nodes_[to.value].life == life) deliver(from, to, message);
    });
    return;
  }
  Message copy = *message;
  if (plan_.real_signatures) {
    DecodeContext context{verifier_.domain(), genesis_.parameters, genesis_.size()};
    auto decoded = decode_message(encode_message(*message, {}), context);
    if (!decoded.ok()) {
      if (honest(from)) throw Violation("an honest message does not decode: " + decoded.error().what);
      return;
    }
    copy = std::move(*decoded);
  }
  auto checked = verifier_.check(std::move(copy));
  if (!checked.ok()) {
    if (honest(from)) {
      throw Violation("an honest message is refused: " + std::string(name_of(*message)) + " of " + name(from) + ": " +
                      checked.error().what);
    }
    return;
  }
  if (plan_.say_messages) say("  " + name(from) + " -> " + name(to) + " " + describe(*message));
  if (honest(to)) return step(to, Received{from, *checked});
  if (auto heard = liar_.hear(*message)) {
    auto again = verifier_.check(std::move(*heard));
    if (again.ok()) step(to, Received{from, *again});
  }
  for (const auto& lie : liar_.blurt()) {
    for (const auto& other : nodes_) {
      if (other.id != to) transmit(to, other.id, lie);
    }
  }
}

void World::note_new_view(const NewView& news) {
  std::vector<std::optional<Certificate>> locks;
  for (const auto& node : nodes_) locks.push_back(node.disk.durable.highest_lc);
  observer_.new_view(news, checks_.highest_final(), locks);
}

/// What a liar builds its other logs on: the compact range at a point of its own.
std::optional<CompactRange> World::liars_log_at(const LogPoint& point) const {
  const auto& replica = nodes_[plan_.faulty.value].replica;
  if (!replica) return std::nullopt;
  auto leaves = liars_final_leaves_;
  for (const auto& batch : replica->unfinalised()) {
    leaves.resize(batch->header.first.value - 1);
    for (const auto& request : *batch->requests) leaves.push_back(request->leaf);
  }
  if (point.index.value > leaves.size()) return std::nullopt;
  CompactRange range;
  for (std::size_t i = 0; i < point.index.value; ++i) range.append(leaves[i]);
  if (range.root() != point.root) return std::nullopt;
  return range;
}

}  // namespace zell::simulation
