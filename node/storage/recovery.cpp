#include "node/storage/recovery.h"

#include <set>

#include "node/wire/request_codec.h"

namespace zell {

Error corrupt_error(const std::string& name, const std::string& found) {
  return {
      "corrupt", name + ": " + found,
      "move the node's data folder away and start the node again: it fetches the log from its peers and rejoins as a "
      "learner. Never restore an old copy of the folder."};
}

namespace {

std::string at(Index index) {
  return "index " + std::to_string(index.value);
}

/// One recovery: each step reads on from where the one before it ended.
class Reading {
 public:
  /// From the beginning, or, knowing no more than the point's blocks, from their end.
  Reading(Tables& tables, const Parameters& parameters, const ReplayVisitor& visitor, const ReplayPoint& point)
      : tables_(tables), parameters_(parameters), visitor_(visitor), log_(point.blocks), from_(log_.range().size()) {}

  Status run();
  Recovery take();

 private:
  Status read_records();
  Status read_finalised();
  Status check_next(const BatchRow& row);
  Status check_certificates_to(Index end, Cursor<Certificate>& certificates, std::optional<Certificate>& next);
  Status check_requests(const Batch& batch) const;
  Status read_unfinalised();
  Status check_state() const;
  [[nodiscard]] bool is_known(const LogPoint& point) const;
  [[nodiscard]] Error corrupt(const std::string& found) const { return corrupt_error(tables_.name(), found); }

  Tables& tables_;
  const Parameters& parameters_;
  const ReplayVisitor& visitor_;
  Recovered out_;
  FinalisedLog log_;
  const std::uint64_t from_;                // requests that are not read
  std::set<LogPoint> wanted_;               // points of the durable state that may lie inside the prefix
  std::map<LogPoint, CompactRange> known_;  // checked: those of wanted_ that were met, the prefix's end, branches
  std::vector<Branches::Stored> stored_;
};

Status Reading::run() {
  for (auto step : {&Reading::read_records, &Reading::read_finalised, &Reading::read_unfinalised}) {
    if (auto status = (this->*step)(); !status.ok()) return status;
  }
  return check_state();
}

Recovery Reading::take() {
  out_.finalised = log_.range();
  for (const auto& one : stored_) out_.unfinalised.push_back(one.batch);
  return {std::move(out_), Branches(std::move(log_), std::move(stored_))};
}

Status Reading::read_records() {
  if (from_ == 0) {
    if (auto status = tables_.check(); !status.ok()) return status;
  }
  auto state = tables_.state();
  if (!state.ok()) return state.error();
  out_.state = std::move(*state);
  wanted_.insert(out_.state.tip);
  if (out_.state.highest_lc) wanted_.insert(out_.state.highest_lc->point);
  auto fc = tables_.newest_certificate();
  if (!fc.ok()) return fc.error();
  out_.fc = std::move(*fc);
  if (out_.fc && out_.fc->point.index.value > max_stored_index) return corrupt("a certificate's index is out of range");
  auto proof = tables_.entry_proof();
  if (!proof.ok()) return proof.error();
  out_.entry_proof = std::move(*proof);
  auto evidence = tables_.evidence();
  if (!evidence.ok()) return evidence.error();
  out_.evidence_count = evidence->size();
  auto conflict = tables_.conflict();
  if (!conflict.ok()) return conflict.error();
  out_.conflict = std::move(*conflict);
  return Ok{};
}

Status Reading::read_finalised() {
  const LogPoint start{{from_}, log_.range().root()};
  if (wanted_.contains(start)) known_.emplace(start, log_.range());
  const Index end = out_.fc ? out_.fc->point.index : Index{};
  auto certificates = tables_.certificates({from_});
  auto next_certificate = certificates->next();
  if (!next_certificate.ok()) return next_certificate.error();
  if (auto status = check_certificates_to({from_}, *certificates, *next_certificate); !status.ok()) return status;
  if (out_.fc) {
    auto rows = tables_.batches(first_key({from_ + 1}), last_key(end));
    while (true) {
      auto row = rows->next();
      if (!row.ok()) return row.error();
      if (!*row) break;
      if (auto status = check_next(**row); !status.ok()) return status;
      if (auto status = check_certificates_to({log_.range().size()}, *certificates, *next_certificate); !status.ok()) {
        return status;
      }
      visitor_(*(*row)->batch);
    }
  }
  if (log_.range().size() != end.value) return corrupt("requests are missing after " + at({log_.range().size()}));
  if (*next_certificate)
    return corrupt("a certificate is for " + at((*next_certificate)->point.index) + ", no batch's end");
  known_.emplace(LogPoint{end, log_.range().root()}, log_.range());
  return Ok{};
}

Status Reading::check_next(const BatchRow& row) {
  const auto& header = row.batch->header;
  const auto next = log_.range().size() + 1;
  const bool begins_below = next == from_ + 1 && header.first.value < next && header.end.index.value >= next;
  if (header.first.value != next && !begins_below) {
    return corrupt("the batch that ends at " + at(header.end.index) + " does not follow " + at({log_.range().size()}));
  }
  if (auto status = check_requests(*row.batch); !status.ok()) return status;
  const auto& requests = *row.batch->requests;
  for (auto i = next - header.first.value; i < requests.size(); ++i) {
    log_.append(requests[i]->leaf);
    for (auto it = wanted_.lower_bound({{log_.range().size()}, Hash{}});
         it != wanted_.end() && it->index.value == log_.range().size(); ++it) {
      if (log_.range().root() == it->root) known_.emplace(*it, log_.range());
    }
  }
  return Ok{};
}

Status Reading::check_certificates_to(Index end, Cursor<Certificate>& certificates, std::optional<Certificate>& next) {
  while (next && next->point.index <= end) {
    if (next->phase != Phase::final || next->point != LogPoint{end, log_.range().root()}) {
      return corrupt("the log's root at " + at(next->point.index) +
                     " is not the one that its finality certificate names");
    }
    auto following = certificates.next();
    if (!following.ok()) return following.error();
    next = std::move(*following);
  }
  return Ok{};
}

Status Reading::check_requests(const Batch& batch) const {
  auto index = batch.header.first;
  for (const auto& request : *batch.requests) {
    if (auto status = check_request_form(*request, parameters_); !status.ok()) {
      return corrupt("the request at " + at(index) + " is damaged (" + status.error().code + ")");
    }
    index = index.next();
  }
  return Ok{};
}

Status Reading::read_unfinalised() {
  const Index end{log_.range().size()};
  auto rows = tables_.batches(first_key(end.next()), last_key({max_stored_index}));
  while (true) {
    auto row = rows->next();
    if (!row.ok()) return row.error();
    if (!*row) return Ok{};
    const auto& header = (*row)->batch->header;
    if (header.first <= end)
      return corrupt("the batch that ends at " + at(header.end.index) + " reaches into the final log");
    if (auto status = check_requests(*(*row)->batch); !status.ok()) return status;
    // Parents end lower, so they come first. A batch without its parent is a branch's rest, and nothing builds on it.
    if (auto parent = known_.find(header.parent()); parent != known_.end()) {
      auto range = parent->second;
      for (const auto& request : *(*row)->batch->requests) range.append(request->leaf);
      if (range.root() != header.end.root) return corrupt("the log's root at " + at(header.end.index) + " is wrong");
      known_.emplace(header.end, std::move(range));
    }
    stored_.push_back({(*row)->key, (*row)->batch});
  }
}

bool Reading::is_known(const LogPoint& point) const {
  return known_.contains(point);
}

Status Reading::check_state() const {
  const auto& state = out_.state;
  if (!is_known(state.tip)) return corrupt("the batches of the log's tip, " + at(state.tip.index) + ", are not there");
  // A lock that a finality certificate outranks is of no more use, and its batches may be gone.
  const auto& lc = state.highest_lc;
  if (lc && (!out_.fc || out_.fc->rank() < lc->rank()) && !is_known(lc->point)) {
    return corrupt("the batches under the highest lock, " + at(lc->point.index) + ", are not there");
  }
  return Ok{};
}

/// Of what the vote state points to nothing may be below the point's blocks: it could not be found.
std::optional<ReplayPoint> usable_replay_point(Tables& tables) {
  auto point = tables.replay_point();
  const auto state = tables.state();
  const auto fc = tables.newest_certificate();
  if (!point.ok() || !state.ok() || !fc.ok() || !*fc || point->blocks.empty()) return std::nullopt;
  const Index from{point->blocks.size() * ReplayPoint::block_leaves};
  if (point->index > (*fc)->point.index || state->tip.index < from) return std::nullopt;
  if (state->highest_lc && state->highest_lc->point.index < from) return std::nullopt;
  return std::move(*point);
}

}  // namespace

Result<Recovery> recover_tables(Tables& tables, const Parameters& parameters, const ReplayVisitor& visitor,
                                const ReplayStart& start) {
  if (auto point = start ? usable_replay_point(tables) : std::nullopt) {
    start(*point);
    Reading reading(tables, parameters, visitor, *point);
    if (reading.run().ok()) return reading.take();
    // Reading all of it tells whether it is the point that is wrong, or the log.
  }
  const ReplayPoint beginning;
  if (start) start(beginning);
  Reading reading(tables, parameters, visitor, beginning);
  if (auto status = reading.run(); !status.ok()) return status.error();
  return reading.take();
}

}  // namespace zell
