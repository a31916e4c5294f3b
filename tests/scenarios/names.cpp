#include "tests/scenarios/names.h"

#include <algorithm>
#include <stdexcept>

namespace zell::scenarios {
namespace {

template <class Signed>
std::string signers(const std::vector<Signed>& all) {
  std::string out;
  for (const auto& one : all) out += (out.empty() ? "" : " ") + node_name(one.node);
  return " (" + out + ")";
}

std::string span(Index first, const std::string& last) {
  return std::to_string(first.value) + ".." + last;
}

}  // namespace

std::string node_name(NodeId node) {
  return "n" + std::to_string(node.value + 1);
}

std::string view_name(View view) {
  return "v" + std::to_string(view.value);
}

std::string kind_of(const Message& message) {
  if (const auto* vote = std::get_if<Vote>(&message)) return vote->phase == Phase::lock ? "LOCK" : "FINAL";
  if (const auto* news = std::get_if<CertificateMessage>(&message)) {
    return news->certificate.phase == Phase::lock ? "LC" : "FC";
  }
  if (std::holds_alternative<ChallengeCertificate>(message)) return "Challenges";
  return std::string(name_of(message));
}

void Names::learn(const Message& message) {
  if (const auto* proposal = std::get_if<Proposal>(&message)) learn(proposal->header, *proposal->requests);
  if (const auto* chunk = std::get_if<Chunk>(&message)) {
    for (const auto& batch : chunk->batches) learn(batch->header, *batch->requests);
  }
}

void Names::learn(const ProposalHeader& header, const Requests& requests) {
  auto known = ranges_.find(header.parent());
  if (known == ranges_.end()) return;
  CompactRange range = known->second;
  for (const auto& request : requests) range.append(request->leaf);
  if (range.root() != header.end.root) return;  // bodies that someone has changed
  ranges_[header.end] = range;
  (void)point(header.end);
}

std::string Names::point(const LogPoint& point) {
  auto& roots = roots_[point.index];
  auto at = std::find(roots.begin(), roots.end(), point.root);
  auto which = static_cast<std::size_t>(at - roots.begin());
  if (at == roots.end()) roots.push_back(point.root);
  auto out = std::to_string(point.index.value);
  if (which > 0) out += static_cast<char>('a' + which);
  return out;
}

std::string Names::lock(const Lock& lock) {
  if (lock.point.index.value == 0) return "nothing";
  return view_name(lock.view) + " " + point(lock.point);
}

LogPoint Names::find_point(const std::string& name) const {
  std::size_t digits = 0;
  auto index = std::stoull(name, &digits);
  std::size_t which = digits < name.size() ? static_cast<std::size_t>(name[digits] - 'a') : 0;
  if (index == 0) return {{0}, empty_root()};
  auto roots = roots_.find({index});
  if (roots == roots_.end() || which >= roots->second.size()) throw std::runtime_error("no log point " + name);
  return {{index}, roots->second[which]};
}

const CompactRange& Names::range_at(const LogPoint& point) const {
  auto found = ranges_.find(point);
  if (found == ranges_.end()) throw std::runtime_error("nobody has sent the log to that point");
  return found->second;
}

std::string Names::request(const RequestId& id) const {
  auto found = requests_.find(id);
  return found == requests_.end() ? "?" : found->second;
}

std::string Names::requests(const Requests& requests) const {
  std::string out;
  for (const auto& one : requests) out += (out.empty() ? "" : " ") + request(one->id);
  return " [" + out + "]";
}

std::string Names::certificate(const Certificate& certificate) {
  return std::string(certificate.phase == Phase::lock ? "LC " : "FC ") + lock(certificate.lock());
}

std::string Names::evidence(const Evidence& evidence) {
  struct Text {
    Names& names;
    std::string operator()(const TwoProposals& e) const {
      return "two proposals of " + view_name(e.a.view) + " that end at " + names.point(e.a.end) + " and " +
             names.point(e.b.end);
    }
    std::string operator()(const TwoVotes& e) const {
      return "two votes of " + view_name(e.a.view) + ", " + names.point(e.a.point) + " and " + names.point(e.b.point);
    }
    std::string operator()(const HiddenLock& e) const {
      return "FINAL " + names.lock({e.final.view, e.final.point}) + ", then a ViewChange to " +
             view_name(e.change.view) + " that reports " + names.lock(e.change.lock);
    }
    std::string operator()(const InvalidProposal& e) const {
      const auto& bad = (*e.requests)[e.position];
      return "a proposal of " + view_name(e.header.view) + " with the bad request " + names.request(bad->id) +
             (e.earlier ? ", whose nonce " + names.request(e.earlier->id) + " has taken" : "");
    }
  };
  return std::visit(Text{*this}, evidence);
}

std::string Names::message(const Message& message) {
  struct Text {
    Names& names;
    std::string operator()(const Forward& m) const { return names.requests(m.requests); }
    std::string operator()(const Proposal& m) const {
      return " " + view_name(m.header.view) + " " + span(m.header.first, names.point(m.header.end)) +
             names.requests(*m.requests);
    }
    std::string operator()(const Vote& m) const { return " " + view_name(m.view) + " " + names.point(m.point); }
    std::string operator()(const CertificateMessage& m) const {
      return " " + names.lock(m.certificate.lock()) + signers(m.certificate.signatures);
    }
    std::string operator()(const Heartbeat& m) const {
      return " " + view_name(m.view) + " tip " + names.point(m.tip) + (m.lc ? ", " + names.certificate(*m.lc) : "") +
             (m.fc ? ", " + names.certificate(*m.fc) : "");
    }
    std::string operator()(const Challenge& m) const {
      return " " + view_name(m.signed_part.view) + " " + std::string(to_string(m.signed_part.reason)) +
             (m.evidence ? ": " + names.evidence(*m.evidence) : "") +
             (m.censored.empty() ? "" : names.requests(m.censored));
    }
    std::string operator()(const ChallengeCertificate& m) const {
      std::string out;
      for (const auto& one : m.challenges) {
        out += (out.empty() ? " " : ", ") + node_name(one.node) + " " + view_name(one.view);
      }
      return out;
    }
    std::string operator()(const ViewChange& m) const {
      return " " + view_name(m.signed_part.view) + " locked " + names.lock(m.signed_part.lock) +
             (m.fc ? ", " + names.certificate(*m.fc) : "");
    }
    std::string operator()(const NewView& m) const {
      return " " + view_name(m.view) + " base " + names.lock(m.base) + signers(m.changes);
    }
    std::string operator()(const Fetch& m) const {
      if (m.kind == Fetch::Kind::new_view) return " what proves " + view_name(m.view);
      if (m.kind == Fetch::Kind::leader_news) {
        const bool signed_only = m.from == Fetch::no_proposals;
        return " news of " + view_name(m.view) + (signed_only ? "" : " after " + std::to_string(m.from.value));
      }
      return " log after " + std::to_string(m.from.value) + " to " + names.point(m.target);
    }
    std::string operator()(const Chunk& m) const {
      if (m.batches.empty()) return " empty";
      Requests all;
      for (const auto& batch : m.batches) all.insert(all.end(), batch->requests->begin(), batch->requests->end());
      return " " + span(m.from.next(), names.point(m.batches.back()->header.end)) + names.requests(all) +
             (m.fc ? " " + names.certificate(*m.fc) : "");
    }
    std::string operator()(const ViewQuery&) const { return ""; }
    std::string operator()(const ViewAnswer& m) const { return " " + view_name(m.view); }
    std::string operator()(const Conflict& m) const {
      return " " + names.certificate(m.a) + " and " + names.certificate(m.b);
    }
  };
  learn(message);
  return kind_of(message) + std::visit(Text{*this}, message);
}

std::string Names::event(const Event& event) {
  struct Text {
    Names& names;
    std::string operator()(const RequestUpdate& e) const {
      return names.request(e.id) + " is " + std::string(zell::to_string(e.state)) +
             (e.index.value != 0 ? " at " + std::to_string(e.index.value) : "") +
             (e.reason.empty() ? "" : ": " + std::string(e.reason));
    }
    std::string operator()(const Finalised& e) const {
      return "final " + span(e.batch->header.first, names.point(e.batch->header.end)) +
             names.requests(*e.batch->requests);
    }
    std::string operator()(const ViewChanged& e) const {
      if (!e.active) return "moves to " + view_name(e.view) + ", whose leader is " + node_name(e.leader);
      return "is active in " + view_name(e.view) + ", base " + std::to_string(e.base.value);
    }
    std::string operator()(const Challenged& e) const {
      return "challenges " + view_name(e.view) + ": " + std::string(zell::to_string(e.reason));
    }
    std::string operator()(const Noted& e) const {
      return "notes: " + std::string(e.what) + (e.about ? " (" + node_name(*e.about) + ")" : "");
    }
    std::string operator()(const Stopped& e) const { return "stops, " + e.code + ": " + e.why; }
  };
  return std::visit(Text{*this}, event);
}

}  // namespace zell::scenarios
