// What counts as proof of a fault. Each rule is one that no honest node breaks, whatever crashes, restores, catch-up or
// rejoining it goes through: what it signs depends only on state that is durable before the signature leaves.

#include "node/wire/codec_parts.h"
#include "node/wire/request_codec.h"
#include "node/wire/signer_check.h"

namespace zell {
namespace {

Error no_proof(std::string what) {
  return {"bad-evidence", std::move(what), {}};
}

bool same_content(const ProposalHeader& a, const ProposalHeader& b) {
  return a.view == b.view && a.first == b.first && a.parent_root == b.parent_root && a.end == b.end;
}

bool is_range(const ProposalHeader& header) {
  return header.first.value >= 1 && header.first <= header.end.index;
}

/// An honest leader's proposals of a view tile one log, and are resent verbatim.
bool contradict(const TwoProposals& evidence) {
  const auto& [a, b, consistency, b_root_at_a] = evidence;
  if (b.first <= a.end.index) return !same_content(a, b);
  if (b.first == a.end.index.next()) return b.parent_root != a.end.root;
  return b_root_at_a.index == a.end.index && shown_to_diverge(a.end, b.end, b_root_at_a.root, consistency);
}

Result<NodeId> prove(const TwoProposals& evidence, const SignerCheck& signers) {
  const auto& a = evidence.a;
  const auto& b = evidence.b;
  if (a.view != b.view) return no_proof("the proposals are of different views");
  if (!is_range(a) || !is_range(b)) return no_proof("a proposal spans nothing");
  if (a.end.index > b.end.index) return no_proof("the proposals are in the wrong order");
  if (!contradict(evidence)) return no_proof("the proposals can be of one log");
  if (!signers.good(a) || !signers.good(b)) return no_proof("a proposal is not signed by its view's leader");
  return signers.genesis.leader(a.view);
}

// LOCKs of a view rise in index, on whatever branch; FINALs of a view also extend each other.
bool contradict(const TwoVotes& evidence) {
  const auto& a = evidence.a.point;
  const auto& b = evidence.b.point;
  if (a.index == b.index) return a.root != b.root;
  return evidence.a.phase == Phase::final && shown_to_diverge(a, b, evidence.b_root_at_a, evidence.consistency);
}

Result<NodeId> prove(const TwoVotes& evidence, const SignerCheck& signers) {
  const auto& a = evidence.a;
  const auto& b = evidence.b;
  if (a.signer != b.signer || a.phase != b.phase || a.view != b.view) {
    return no_proof("the votes are not of one signer, phase and view");
  }
  if (a.point.index > b.point.index) return no_proof("the votes are in the wrong order");
  if (!contradict(evidence)) return no_proof("the votes can be for one log");
  if (!signers.good(a) || !signers.good(b)) return no_proof("a vote is not signed by its signer");
  return a.signer;
}

// Who signs FINAL holds the lock certificate durably, reports it or a higher one ever after, and signs nothing more in
// a view that it has left. (A rejoined member reports nothing before it holds a certificate above all that it forgot.)
Result<NodeId> prove(const HiddenLock& evidence, const SignerCheck& signers) {
  const auto& vote = evidence.final;
  const auto& change = evidence.change;
  if (vote.phase != Phase::final) return no_proof("the vote is no FINAL");
  if (vote.signer != change.node) return no_proof("vote and view change are of different members");
  if (change.view <= vote.view) return no_proof("the view change is not above the vote");
  if (change.lock.rank() >= Rank{vote.view, vote.point.index}) return no_proof("the lock is not hidden");
  if (!signers.good(vote) || !signers.good(change)) return no_proof("a part is not signed by its signer");
  return vote.signer;
}

bool gives_signed_root(const InvalidProposal& evidence) {
  const auto& header = evidence.header;
  auto log = evidence.parent;
  if (!CompactRange::valid(log.size(), log.peaks().size()) || log.size() != header.first.value - 1) return false;
  if (log.root() != header.parent_root) return false;
  for (const auto& request : *evidence.requests) log.append(request->leaf);
  return log.root() == header.end.root;
}

/// The log commits to headers, and a header to its payloads: payloads that are not the header's may be anyone's.
bool bad_by_itself(const Request& request, const SignerCheck& signers) {
  if (!check_request_header(request) || !check_request_signature(request, signers.scheme)) return true;
  return check_request_body(request).ok() && !check_request_size(request, signers.genesis.parameters);
}

/// A nonce that was in the log is never fresh again: it stays in the sender's set, or below the set's minimum.
bool nonce_taken(const InvalidProposal& evidence) {
  const auto& request = *(*evidence.requests)[evidence.position];
  const auto& earlier = *evidence.earlier;
  const auto index = evidence.earlier_index.value;
  const auto first = evidence.header.first.value;
  if (earlier.sender != request.sender || earlier.nonce != request.nonce || index == 0) return false;
  if (index >= first) {
    return index - first < evidence.position && (*evidence.requests)[index - first]->leaf == earlier.leaf;
  }
  return verify_inclusion(earlier.leaf, index - 1, first - 1, evidence.earlier_proof, evidence.header.parent_root);
}

Result<NodeId> prove(const InvalidProposal& evidence, const SignerCheck& signers) {
  const auto& header = evidence.header;
  if (!evidence.requests || !spans(header, evidence.requests->size())) {
    return no_proof("the requests are not those that the proposal spans");
  }
  if (evidence.position >= evidence.requests->size()) return no_proof("there is no request at that position");
  if (!gives_signed_root(evidence)) return no_proof("the requests don't give the signed root");
  const bool bad =
      evidence.earlier ? nonce_taken(evidence) : bad_by_itself(*(*evidence.requests)[evidence.position], signers);
  if (!bad) return no_proof("the request is not shown to be bad");
  if (!signers.good(header)) return no_proof("the proposal is not signed by its view's leader");
  return signers.genesis.leader(header.view);
}

}  // namespace

bool shown_to_diverge(const LogPoint& point, const LogPoint& end, const Hash& root_at_point,
                      const std::vector<Hash>& consistency) {
  return point.index.value >= 1 && point.index < end.index && root_at_point != point.root &&
         verify_consistency(point.index.value, root_at_point, end.index.value, end.root, consistency);
}

Result<NodeId> prove_guilt(const Evidence& evidence, const SignerCheck& signers) {
  return std::visit([&](const auto& kind) { return prove(kind, signers); }, evidence);
}

}  // namespace zell
