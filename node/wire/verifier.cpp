#include "node/wire/verifier.h"

#include <algorithm>

#include "node/crypto/log_tree.h"
#include "node/wire/codec_parts.h"
#include "node/wire/recent_set.h"
#include "node/wire/request_codec.h"
#include "node/wire/signer_check.h"

namespace zell {
namespace {

constexpr std::size_t remembered_certificates = 1'024;
constexpr std::size_t remembered_own_votes = 256;

Error refused(std::string code, std::string what) {
  return {std::move(code), std::move(what), {}};
}

/// Members in order, each once, all of them in genesis; nullopt otherwise.
template <class Entry>
std::optional<MemberSet> distinct_members(const Genesis& genesis, const std::vector<Entry>& entries) {
  MemberSet out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].node.value >= genesis.size()) return std::nullopt;
    if (i > 0 && entries[i - 1].node >= entries[i].node) return std::nullopt;
    out.set(entries[i].node.value);
  }
  return out;
}

/// "No lock": nothing was ever locked in this epoch. It needs no certificate.
bool is_no_lock(const Lock& lock) {
  return lock == Lock{{0}, {{0}, empty_root()}};
}

}  // namespace

struct Verifier::Impl {
  SignerCheck signers;
  RequestCache* cache;
  mutable RecentSet certificates{remembered_certificates};
  mutable RecentSet own_votes{remembered_own_votes};

  [[nodiscard]] const Genesis& genesis() const { return signers.genesis; }
  [[nodiscard]] const SigningDomain& domain() const { return signers.domain; }

  // ---- Requests

  [[nodiscard]] bool known(const Request& request) const { return cache && cache->contains(request); }
  [[nodiscard]] Status check_signature(const RequestPtr& request) const {
    auto status = check_request_signature(*request, signers.scheme);
    if (status.ok() && cache) cache->remember(request);
    return status;
  }
  [[nodiscard]] Status check_request(const RequestPtr& request) const {
    if (known(*request)) return Ok{};
    if (auto status = check_request_form(*request, genesis().parameters); !status) return status;
    return check_signature(request);
  }
  [[nodiscard]] Status check_requests(const Requests& requests, std::size_t max_count) const {
    if (requests.size() > max_count) return refused("too-many-requests", "a message carries too many requests");
    for (const auto& request : requests) {
      if (auto status = check_request(request); !status) return status;
    }
    return Ok{};
  }

  // ---- Certificates

  /// Signer and signature, for the memory of own votes: with the digest they say who said what.
  [[nodiscard]] static Bytes said_by(NodeId node, const Signature& signature) {
    Writer out;
    out.u16(node.value);
    out.fixed(signature);
    return out.take();
  }
  [[nodiscard]] bool is_own(NodeId node, const Hash& digest, const Signature& signature) const {
    return own_votes.contains(digest.view(), said_by(node, signature));
  }
  void remember_own(const Vote& vote) const {
    const Hash digest = vote_digest(domain(), vote.phase, vote.view, vote.point);
    own_votes.insert(digest.view(), said_by(vote.signer, vote.signature));
  }
  [[nodiscard]] Status check_signatures(const Certificate& certificate) const {
    const Hash digest = vote_digest(domain(), certificate.phase, certificate.view, certificate.point);
    for (const auto& entry : certificate.signatures) {
      if (is_own(entry.node, digest, entry.signature)) continue;
      if (!signers.signed_by(entry.node, digest, entry.signature)) {
        return refused("bad-certificate", "a signature is not its member's");
      }
    }
    return Ok{};
  }
  [[nodiscard]] Status check_certificate(const Certificate& certificate) const {
    if (certificate.phase != Phase::lock && certificate.phase != Phase::final) {
      return refused("bad-certificate", "it is of no known phase");
    }
    if (certificate.point.index.value == 0) return refused("bad-certificate", "nobody votes for the empty log");
    const auto members = distinct_members(genesis(), certificate.signatures);
    if (!members) return refused("bad-certificate", "its signers are not distinct members in order");
    if (!genesis().is_quorum(*members)) return refused("bad-certificate", "its signers hold too little stake");
    Writer encoded;
    write_certificate(encoded, certificate);
    if (certificates.contains(encoded.bytes())) return Ok{};
    auto status = check_signatures(certificate);
    if (status.ok()) certificates.insert(encoded.bytes());
    return status;
  }
  [[nodiscard]] Status check_finality(const std::optional<Certificate>& fc) const {
    if (!fc) return Ok{};
    if (fc->phase != Phase::final) return refused("bad-certificate", "a LOCK certificate is in a FINAL one's place");
    return check_certificate(*fc);
  }
  // A finality certificate counts as a lock certificate wherever one is asked for.
  [[nodiscard]] Status check_pair(const std::optional<Certificate>& lc, const std::optional<Certificate>& fc) const {
    if (lc) {
      if (auto status = check_certificate(*lc); !status) return status;
    }
    return check_finality(fc);
  }
  [[nodiscard]] Status check_lock(const Lock& lock, const std::optional<Certificate>& lc) const {
    if (is_no_lock(lock) != !lc) return refused("bad-certificate", "a lock comes with its certificate, or is no lock");
    if (!lc) return Ok{};
    if (lc->lock() != lock) return refused("bad-certificate", "the certificate is of another lock");
    return check_certificate(*lc);
  }

  // ---- Messages

  [[nodiscard]] Status check(Forward& m) const { return check_requests(m.requests, max_requests_in_forward); }

  [[nodiscard]] Status check(Proposal& m, std::optional<NodeId> receiver) const {
    const auto& limits = genesis().parameters;
    if (!m.requests || !spans(m.header, m.requests->size())) {
      return refused("bad-proposal", "it does not hold the requests that its header spans");
    }
    if (m.requests->size() > limits.batch_max_requests || bytes_of(*m.requests) > limits.batch_max_bytes) {
      return refused("bad-proposal", "it is larger than a batch may be");
    }
    if (!signers.good(m.header)) return refused("bad-signature", "it is not signed by its view's leader");
    if (auto status = check_pair(m.lc, m.fc); !status) return status;
    return find_first_bad(m, receiver);
  }
  [[nodiscard]] Status find_first_bad(Proposal& m, std::optional<NodeId> receiver) const {
    const auto leader = genesis().leader(m.header.view);
    m.first_bad.reset();
    for (std::uint32_t i = 0; i < m.requests->size() && !m.first_bad; ++i) {
      const auto& request = *(*m.requests)[i];
      if (known(request)) continue;
      const bool has_header = check_request_header(request).ok();
      if (has_header && !check_request_body(request)) {
        return refused("bad-bodies", "a request's payloads are not those of its header");
      }
      const bool good = has_header && check_request_size(request, genesis().parameters) &&
                        (!checks(receiver, request, leader) || check_signature((*m.requests)[i]));
      if (!good) m.first_bad = i;
    }
    return Ok{};
  }
  [[nodiscard]] bool checks(std::optional<NodeId> receiver, const Request& request, NodeId leader) const {
    return !receiver || genesis().is_checker(*receiver, leader, Reader(request.id.view()).u64());
  }

  [[nodiscard]] Status check(Vote& m) const { return check_vote(m); }
  [[nodiscard]] Status check_vote(const Vote& vote) const {
    if (vote.point.index.value == 0) return refused("bad-vote", "nobody votes for the empty log");
    if (!signers.good(vote)) return refused("bad-signature", "the vote is not signed by its signer");
    return Ok{};
  }

  [[nodiscard]] Status check(CertificateMessage& m) const { return check_certificate(m.certificate); }

  [[nodiscard]] Status check(Heartbeat& m) const {
    const auto leader = genesis().leader(m.view);
    if (!signers.signed_by(leader, heartbeat_digest(domain(), m.view, m.tip, m.counter), m.signature)) {
      return refused("bad-signature", "the heartbeat is not signed by its view's leader");
    }
    return check_pair(m.lc, m.fc);
  }

  [[nodiscard]] Status check(Challenge& m) const {
    if (!signers.good(m.signed_part)) return refused("bad-signature", "the challenge is not signed by its node");
    if (!m.censored.empty() && m.signed_part.reason != Reason::censored) {
      return refused("bad-challenge", "only a challenge for censorship carries requests");
    }
    if (auto status = check_attached(m); !status) return status;
    return check_requests(m.censored, max_requests_in_challenge);
  }
  /// Evidence, where there is some, is of this very leader's fault in this very view, and of the kind that the reason
  /// names. It may be missing: a nonce that has become too old, say, is seen by all and shown by none.
  [[nodiscard]] Status check_attached(const Challenge& m) const {
    if (!m.evidence) return Ok{};
    const auto reason = m.signed_part.reason;
    const auto* two = std::get_if<TwoProposals>(m.evidence.get());
    const auto* invalid = std::get_if<InvalidProposal>(m.evidence.get());
    const bool fits = (reason == Reason::equivocation && two && two->a.view == m.signed_part.view) ||
                      (reason == Reason::invalid_proposal && invalid && invalid->header.view == m.signed_part.view);
    if (!fits) return refused("bad-challenge", "the evidence is about something else");
    if (auto guilty = prove_guilt(*m.evidence, signers); !guilty) return guilty.error();
    return Ok{};
  }

  [[nodiscard]] Status check(ChallengeCertificate& m) const {
    if (!distinct_members(genesis(), m.challenges)) {
      return refused("bad-challenge", "the challengers are not distinct members in order");
    }
    if (!challenged_view(genesis(), m.challenges))
      return refused("bad-challenge", "the challengers hold too little stake");
    for (const auto& challenge : m.challenges) {
      if (!signers.good(challenge)) return refused("bad-signature", "a challenge is not signed by its node");
    }
    return Ok{};
  }

  [[nodiscard]] Status check_change(const SignedViewChange& change) const {
    if (change.view.value == 0) return refused("bad-view-change", "nobody changes to view 0");
    if (change.lock.view >= change.view) return refused("bad-view-change", "the lock is not below the view");
    if (!signers.good(change)) return refused("bad-signature", "the view change is not signed by its node");
    return Ok{};
  }
  [[nodiscard]] Status check(ViewChange& m) const {
    if (auto status = check_change(m.signed_part); !status) return status;
    if (auto status = check_lock(m.signed_part.lock, m.lc); !status) return status;
    return check_finality(m.fc);
  }

  [[nodiscard]] Status check(NewView& m) const {
    const auto members = distinct_members(genesis(), m.changes);
    if (!members) return refused("bad-new-view", "its view changes are not of distinct members in order");
    if (!genesis().is_quorum(*members)) return refused("bad-new-view", "its view changes hold too little stake");
    const Hash digest = new_view_digest(domain(), m.view, m.base, changes_hash(domain(), m.changes));
    if (!signers.signed_by(genesis().leader(m.view), digest, m.signature)) {
      return refused("bad-signature", "it is not signed by its view's leader");
    }
    for (const auto& change : m.changes) {
      if (change.view != m.view) return refused("bad-new-view", "a view change is for another view");
      if (auto status = check_change(change); !status) return status;
    }
    return check_base(m);
  }
  [[nodiscard]] Status check_base(const NewView& m) const {
    const auto is_base = [&](const SignedViewChange& change) { return change.lock == m.base; };
    const auto outranks = [&](const SignedViewChange& change) { return change.lock.rank() > m.base.rank(); };
    if (std::none_of(m.changes.begin(), m.changes.end(), is_base) ||
        std::any_of(m.changes.begin(), m.changes.end(), outranks)) {
      return refused("bad-new-view", "its base is not the highest lock among its view changes");
    }
    return check_lock(m.base, m.base_lc);
  }

  [[nodiscard]] Status check(Fetch&) const { return Ok{}; }

  [[nodiscard]] Status check(Chunk& m) const {
    const ProposalHeader* previous = nullptr;
    for (const auto& batch : m.batches) {
      if (!batch || !batch->requests || !spans(batch->header, batch->count())) {
        return refused("bad-chunk", "a batch does not hold the requests that its header spans");
      }
      const auto& header = batch->header;
      const bool follows = previous ? header.parent() == previous->end : header.parent().index == m.from;
      if (!follows) return refused("bad-chunk", "its batches do not follow each other");
      // The log's leaves are headers: the core's check of the root says nothing about the payloads. And what is
      // malformed is in no certified log, and could not be read back from the store.
      for (const auto& request : *batch->requests) {
        if (!check_request_body(*request)) return refused("bad-bodies", "payloads that are not their request's");
        if (!check_request_header(*request) || !check_request_size(*request, genesis().parameters)) {
          return refused("bad-chunk", "a request in it is malformed");
        }
      }
      previous = &header;
    }
    if (m.fc && previous && m.fc->point != previous->end) {
      return refused("bad-chunk", "its certificate is not of its last batch");
    }
    return check_finality(m.fc);
  }

  [[nodiscard]] Status check(ViewQuery&) const { return Ok{}; }

  [[nodiscard]] Status check(ViewAnswer& m) const {
    if (!signers.signed_by(m.node, durable_view_digest(domain(), m.view, m.nonce), m.signature)) {
      return refused("bad-signature", "the answer is not signed by its node");
    }
    return Ok{};
  }

  [[nodiscard]] Status check(Conflict& m) const {
    if (m.a.phase != Phase::final || m.b.phase != Phase::final) {
      return refused("bad-conflict", "only finality certificates conflict");
    }
    const bool equal_index = m.a.point.index == m.b.point.index;
    const bool at_odds =
        equal_index ? m.a.point.root != m.b.point.root && m.b_root_at_a == m.b.point.root && m.consistency.empty()
                    : shown_to_diverge(m.a.point, m.b.point, m.b_root_at_a, m.consistency);
    if (!at_odds) return refused("bad-conflict", "one log may contain both certificates");
    if (auto status = check_certificate(m.a); !status) return status;
    return check_certificate(m.b);
  }
};

Verifier::Verifier(const Genesis& genesis, const SignatureScheme& scheme, RequestCache* cache)
    : genesis_(genesis),
      domain_(SigningDomain::of(genesis)),
      cache_(cache),
      impl_(new Impl{SignerCheck{genesis, scheme, domain_}, cache}) {}

Result<VerifiedMessage> Verifier::check(Message message, std::optional<NodeId> receiver) const {
  const auto check_kind = [&](auto& kind) {
    if constexpr (std::is_same_v<decltype(kind), Proposal&>) {
      return impl_->check(kind, receiver);
    } else {
      return impl_->check(kind);
    }
  };
  auto status = std::visit(check_kind, message);
  if (!status) return status.error();
  return own(std::move(message));
}

Result<VerifiedRequest> Verifier::check(RequestPtr request) const {
  if (auto status = impl_->check_request(request); !status) return status.error();
  return VerifiedRequest(std::move(request));
}

VerifiedMessage Verifier::own(Message message) const {
  return VerifiedMessage(new Verified<Message>(std::move(message)));  // make_shared has no access to the constructor
}

void Verifier::remember_own(const Vote& vote) const {
  impl_->remember_own(vote);
}

Status Verifier::check_certificate(const Certificate& certificate) const {
  return impl_->check_certificate(certificate);
}

Status Verifier::check_vote(const Vote& vote) const {
  return impl_->check_vote(vote);
}

Result<NodeId> Verifier::check_evidence(const Evidence& evidence) const {
  return prove_guilt(evidence, impl_->signers);
}

std::optional<View> challenged_view(const Genesis& genesis, std::span<const SignedChallenge> challenges) {
  std::vector<SignedChallenge> by_view(challenges.begin(), challenges.end());
  std::sort(by_view.begin(), by_view.end(), [](const auto& a, const auto& b) { return a.view > b.view; });
  MemberSet against;
  for (const auto& challenge : by_view) {
    if (challenge.node.value >= genesis.size()) continue;
    against.set(challenge.node.value);
    if (genesis.is_challenge_quorum(against)) return challenge.view;
  }
  return std::nullopt;
}

}  // namespace zell
