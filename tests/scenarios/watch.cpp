#include "tests/scenarios/watch.h"

#include <algorithm>

#include "tests/scenarios/names.h"

namespace zell::scenarios {

using simulation::Violation;

Watch::Watch(const Genesis& genesis, std::set<NodeId> faulty) : genesis_(genesis), faulty_(std::move(faulty)) {}

bool Watch::too_many_faulty() const {
  MemberSet set;
  for (auto member : faulty_) set.set(member.value);
  return 3 * genesis_.stake_of(set) >= genesis_.total_stake();
}

void Watch::sent(const Process& from, const Message& message, bool signs, const std::vector<ProcessId>&) {
  if (too_many_faulty()) return;
  if (honest(from.member)) {
    highest_locks_[from.member] = from.durable_state.highest_lc ? from.durable_state.highest_lc->rank() : Rank{};
    if (signs) checks_.signed_by(from.member, message, from.durable_state);
  }
  if (const auto* news = std::get_if<CertificateMessage>(&message)) saw_certificate(news->certificate);
  const auto* news = std::get_if<NewView>(&message);
  if (!news) return;
  crossed_ = crossed_ || news->base.point.index > highest_final();
  for (const auto& [member, rank] : highest_locks_) outranked_ = outranked_ || rank > news->base.rank();
}

void Watch::saw_certificate(const Certificate& certificate) {
  const auto& point = certificate.point;
  if (certificate.phase == Phase::lock) {
    lock_roots_[point.index].insert(point.root);
    return;
  }
  final_views_.insert(certificate.view);
  auto [at, fresh] = final_roots_.emplace(point.index, point.root);
  if (!fresh && at->second != point.root) {
    throw Violation("two finality certificates conflict at index " + std::to_string(point.index.value));
  }
}

bool Watch::two_locks_at_one_index() const {
  return std::any_of(lock_roots_.begin(), lock_roots_.end(), [](const auto& item) { return item.second.size() > 1; });
}

void Watch::check_all_finality_certificates() const {
  if (too_many_faulty()) return;
  CompactRange range;
  for (std::size_t i = 0; i < log_.size(); ++i) {
    range.append(log_[i]);
    auto certified = final_roots_.find({range.size()});
    if (certified != final_roots_.end() && certified->second != range.root()) {
      throw Violation("a finality certificate is not of the final log: index " + std::to_string(i + 1));
    }
  }
}

void Watch::happened(const Process& process, const Event& event) {
  if (!honest(process.member) || too_many_faulty()) return;
  if (const auto* final = std::get_if<Finalised>(&event)) {
    checks_.finalised(process.member, *final->batch);
    auto first = final->batch->header.first.value - 1;
    for (std::size_t i = 0; i < final->batch->count(); ++i) {
      if (first + i == log_.size()) log_.push_back((*final->batch->requests)[i]->leaf);
    }
  } else if (const auto* noted = std::get_if<Noted>(&event); noted && noted->what == "evidence of misbehaviour") {
    evidence_ = true;
    checks_.accused(*noted->about, faulty_);
  } else if (const auto* stopped = std::get_if<Stopped>(&event); stopped && stopped->code != "storage-failed") {
    throw Violation(process.name + " stops: " + stopped->why);
  }
}

void Watch::refused(const Process& from, const Process&, const Packet& packet) {
  if (!honest(from.member)) return;
  throw Violation("an honest message is refused: " + kind_of(*packet.message) + ": " + packet.refusal);
}

void Watch::started(const Process& process, const Recovered& recovered) {
  if (honest(process.member)) checks_.restarted(process.member, {recovered.finalised.size()}, false);
}

}  // namespace zell::scenarios
