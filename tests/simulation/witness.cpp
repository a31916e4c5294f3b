#include "tests/simulation/witness.h"

#include <algorithm>

#include "node/base/prng.h"

namespace zell::simulation {
namespace {

std::string at(View view, const LogPoint& point) {
  return std::to_string(view.value) + ":" + std::to_string(point.index.value);
}

}  // namespace

void Witness::saw(const Message& message) {
  if (const auto* proposal = std::get_if<Proposal>(&message)) {
    chains_.add(proposal->header.parent(), proposal->requests, proposal->header.end);
    saw_certificate(proposal->lc);
    saw_certificate(proposal->fc);
  } else if (const auto* chunk = std::get_if<Chunk>(&message)) {
    for (const auto& batch : chunk->batches) chains_.add(batch->header.parent(), batch->requests, batch->header.end);
    saw_certificate(chunk->fc);
  } else if (const auto* alone = std::get_if<CertificateMessage>(&message)) {
    saw_certificate(alone->certificate);
  } else if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
    saw_certificate(heartbeat->lc);
    saw_certificate(heartbeat->fc);
  } else if (const auto* change = std::get_if<ViewChange>(&message)) {
    saw_certificate(change->lc);
    saw_certificate(change->fc);
  } else if (const auto* news = std::get_if<NewView>(&message)) {
    saw_certificate(news->base_lc);
    saw_new_view(*news);
  }
}

void Witness::saw_certificate(const Certificate& certificate) {
  if (!known_.emplace(certificate.phase, certificate.view, certificate.point).second) return;
  check_stake(certificate);
  if (certificate.phase == Phase::lock) {
    saw_lock(certificate);
  } else {
    saw_finality(certificate);
  }
}

void Witness::check_stake(const Certificate& certificate) const {
  std::set<NodeId> signers;
  Wide signed_stake = 0, total = 0;
  for (const auto& member : genesis_.members) total += member.stake;
  for (const auto& entry : certificate.signatures) {
    if (!signers.insert(entry.node).second) throw Violation("a certificate counts a signer twice");
    signed_stake += genesis_.members.at(entry.node.value).stake;
  }
  if (3 * signed_stake <= 2 * total) throw Violation("a certificate holds too little stake");
}

void Witness::require_extends(const LogPoint& longer, const LogPoint& prefix, const std::string& rule) const {
  auto extends = chains_.extends(longer, prefix);
  if (!extends) throw Violation("a certificate of a log that was never shown: " + rule);
  if (!*extends) throw Violation(rule);
}

void Witness::saw_lock(const Certificate& lc) {
  for (const auto& other : locks_[lc.view]) {
    const auto& [shorter, longer] =
        std::minmax(lc.point, other, [](const auto& a, const auto& b) { return a.index < b.index; });
    require_extends(longer, shorter,
                    "two branches are locked in one view: " + at(lc.view, lc.point) + " and " + at(lc.view, other));
  }
  for (const auto& [view, points] : locks_) {
    for (const auto& point : points) {
      if (view != lc.view && point.index == lc.point.index && point.root != lc.point.root) {
        ++seen_["two LCs of one index, of different views"];
      }
    }
  }
  for (const auto& final : finals_) {
    if (final.view >= lc.view) continue;
    require_extends(lc.point, final.point,
                    "LC " + at(lc.view, lc.point) + " does not extend the earlier FC " + at(final.view, final.point));
  }
  locks_[lc.view].push_back(lc.point);
}

void Witness::saw_finality(const Certificate& fc) {
  auto self = at(fc.view, fc.point);
  if (!known_.contains({Phase::lock, fc.view, fc.point})) throw Violation("FC " + self + " without its LC");
  for (const auto& final : finals_) {
    bool longer = fc.point.index >= final.point.index;
    require_extends(longer ? fc.point : final.point, longer ? final.point : fc.point,
                    "two finality certificates conflict: " + self + " and " + at(final.view, final.point));
  }
  for (const auto& [view, points] : locks_) {
    if (view <= fc.view) continue;
    for (const auto& point : points) {
      require_extends(point, fc.point, "LC " + at(view, point) + " does not extend the earlier FC " + self);
    }
  }
  for (const auto& [view, points] : bases_) {
    if (view <= fc.view) continue;
    for (const auto& point : points) {
      require_extends(point, fc.point, "the base " + at(view, point) + " does not extend the earlier FC " + self);
    }
  }
  finals_.push_back(fc.lock());
}

void Witness::saw_new_view(const NewView& news) {
  for (const auto& final : finals_) {
    if (final.view >= news.view) continue;
    require_extends(news.base.point, final.point,
                    "the base " + at(news.view, news.base.point) + " does not extend the earlier FC " +
                        at(final.view, final.point));
  }
  auto& bases = bases_[news.view];
  if (std::find(bases.begin(), bases.end(), news.base.point) == bases.end()) bases.push_back(news.base.point);
}

}  // namespace zell::simulation
