#include "tests/simulation/faulty.h"

#include "node/crypto/hash.h"
#include "node/crypto/log_tree.h"
#include "node/wire/request_codec.h"

namespace zell::simulation {
namespace {

bool is_own(const Proposal& proposal, const Genesis& genesis, NodeId self) {
  return genesis.leader(proposal.header.view) == self;
}

}  // namespace

std::vector<Message> Liar::tell(const Message& message, NodeId to) const {
  bool odd = to.value % 2 == 1;
  switch (fault_) {
    case Fault::mute:
      if (std::holds_alternative<Proposal>(message) || std::holds_alternative<Heartbeat>(message)) return {};
      break;
    case Fault::equivocate:
      if (const auto* proposal = std::get_if<Proposal>(&message);
          proposal && odd && is_own(*proposal, genesis_, self_)) {
        return other_proposal(*proposal, false);
      }
      break;
    case Fault::invalid_proposal:
      if (const auto* proposal = std::get_if<Proposal>(&message); proposal && is_own(*proposal, genesis_, self_)) {
        return other_proposal(*proposal, true);
      }
      break;
    case Fault::hide_lock:
      if (const auto* change = std::get_if<ViewChange>(&message); change && change->signed_part.node == self_) {
        ViewChange lie;
        lie.signed_part = {self_, change->signed_part.view, {View{}, {Index{}, empty_root()}}, {}};
        return {sign(lie)};
      }
      break;
    case Fault::double_vote:
      if (const auto* vote = std::get_if<Vote>(&message); vote && vote->signer == self_) {
        Vote lie = *vote;
        lie.point.root = sha256(lie.point.root.view());
        lie.signature = {};
        return {message, sign(lie)};
      }
      break;
    case Fault::none:
    case Fault::censor:
      break;
  }
  return {message};
}

bool Liar::ignores(const Message& message) const {
  return fault_ == Fault::censor && std::holds_alternative<Forward>(message);
}

/// Another batch in the same place: its requests in reverse order, or the first with a broken signature.
std::vector<Message> Liar::other_proposal(const Proposal& proposal, bool invalid) const {
  auto requests = std::make_shared<Requests>(proposal.requests->rbegin(), proposal.requests->rend());
  if (invalid) {
    Request broken = *requests->front();
    broken.signature.bytes[40] ^= 1;
    broken.canonical[broken.header_bytes - 24] ^= 1;
    broken.leaf = leaf_hash(broken.header());
    requests->front() = std::make_shared<const Request>(std::move(broken));
  } else if (requests->size() == 1) {
    return {};  // it can only keep silent
  }
  Proposal lie = proposal;
  lie.requests = requests;
  lie.header.signature = {};
  // The root must follow from the parent's log, which a liar knows as well as anyone; it is known only at the empty log
  // here.
  if (proposal.header.first.value != 1) return {};
  std::vector<Hash> leaves;
  for (const auto& request : *requests) leaves.push_back(request->leaf);
  lie.header.end.root = tree_root(leaves);
  return {sign(lie)};
}

}  // namespace zell::simulation
