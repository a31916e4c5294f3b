#include "cli/evidence_text.h"

#include <fmt/format.h>

#include "node/crypto/hash.h"
#include "node/wire/codec.h"
#include "node/wire/evidence_names.h"

namespace zell::cli {
namespace {

Bytes bytes_of(const Evidence& evidence) {
  Writer out;
  write_evidence(out, evidence);
  return out.take();
}

std::string text_of(const LogPoint& point) {
  return fmt::format("#{} with root {}…", point.index.value, to_hex0x(point.root.view()).substr(0, 18));
}

std::string text_of(const Vote& vote) {
  return fmt::format("{} of view {}: the log to {}", vote.phase == Phase::final ? "FINAL" : "LOCK", vote.view.value,
                     text_of(vote.point));
}

std::string text_of(const ProposalHeader& header) {
  return fmt::format("PROPOSAL of view {}: #{}..#{} after root {}…, giving root {}…", header.view.value,
                     header.first.value, header.end.index.value, to_hex0x(header.parent_root.view()).substr(0, 18),
                     to_hex0x(header.end.root.view()).substr(0, 18));
}

struct Statements {
  using Lines = std::vector<std::string>;
  static Lines shown_to_part(Lines lines, bool different_ends, Index at) {
    if (different_ends) {
      lines.push_back(fmt::format("the second log has another root at #{}, as a consistency proof shows", at.value));
    }
    return lines;
  }
  Lines operator()(const TwoProposals& e) const {
    return shown_to_part({text_of(e.a), text_of(e.b)}, e.b_root_at_a.index.value != 0, e.a.end.index);
  }
  Lines operator()(const TwoVotes& e) const {
    return shown_to_part({text_of(e.a), text_of(e.b)}, e.a.point.index != e.b.point.index, e.a.point.index);
  }
  Lines operator()(const HiddenLock& e) const {
    const auto& lock = e.change.lock;
    return {text_of(e.final), fmt::format("VIEW CHANGE to view {}: it holds no lock above view {}, #{}",
                                          e.change.view.value, lock.view.value, lock.point.index.value)};
  }
  Lines operator()(const InvalidProposal& e) const {
    const auto index = e.header.first.value + e.position;
    Lines lines{text_of(e.header)};
    lines.push_back(
        e.earlier
            ? fmt::format("its request #{} has a sender and nonce that #{} has already", index, e.earlier_index.value)
            : fmt::format("its request #{} is malformed, too large or not signed by its sender", index));
    return lines;
  }
};

struct Accusation {
  std::string operator()(const TwoProposals& e) const {
    return fmt::format("led view {} with two proposals that contradict each other", e.a.view.value);
  }
  std::string operator()(const TwoVotes& e) const {
    return fmt::format("signed two {} votes in view {} that no one log contains",
                       e.a.phase == Phase::final ? "FINAL" : "LOCK", e.a.view.value);
  }
  std::string operator()(const HiddenLock& e) const {
    return fmt::format("signed FINAL in view {} and hid that lock in the change to view {}", e.final.view.value,
                       e.change.view.value);
  }
  std::string operator()(const InvalidProposal& e) const {
    return fmt::format("led view {} with a proposal that holds a bad request", e.header.view.value);
  }
};

const std::string& name_of(const ProvenFault& fault, const Genesis& genesis) {
  return genesis.members[fault.accused.value].name;
}

}  // namespace

std::string evidence_id(const Evidence& evidence) {
  return to_hex(sha256(bytes_of(evidence)).view().first(8));
}

std::string evidence_line(const ProvenFault& fault, const Genesis& genesis) {
  return fmt::format("{} {} ({})", name_of(fault, genesis), std::visit(Accusation{}, *fault.evidence),
                     kind_of(*fault.evidence));
}

std::vector<std::string> evidence_statements(const ProvenFault& fault) {
  return std::visit(Statements{}, *fault.evidence);
}

Json evidence_json(const ProvenFault& fault, const Genesis& genesis) {
  return {{"id", evidence_id(*fault.evidence)},
          {"node", name_of(fault, genesis)},
          {"kind", kind_of(*fault.evidence)},
          {"view", view_of(*fault.evidence).value},
          {"accusation", std::visit(Accusation{}, *fault.evidence)},
          {"statements", evidence_statements(fault)}};
}

}  // namespace zell::cli
