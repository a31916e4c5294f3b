#include "node/runtime/request_calls.h"

#include <algorithm>

namespace zell {
namespace {

/// A request that was refused for its nonce may be final itself: resubmitting is no error.
bool may_be_final(const RequestReport& report) {
  return report.state == RequestState::refused && (report.reason == "duplicate" || report.reason == "nonce-too-old");
}

Result<std::optional<Located>> locate(Store& store, const RequestId& id) {
  auto index = store.find_request(id);
  if (!index.ok()) return index.error();
  if (!index->has_value()) return std::optional<Located>();
  auto range = store.read_finalised(**index, 1);
  if (!range.ok()) return range.error();
  if (range->batches.empty()) return Error{"io", "the log lacks index " + std::to_string((*index)->value), ""};
  return std::optional(Located{**index, range->batches.front()->header.view});
}

RequestReport finalised_report(const RequestId& id, const Located& where) {
  RequestReport out;
  out.id = id;
  out.state = RequestState::finalised;
  out.index = where.index;
  out.view = where.view;
  return out;
}

RequestReport refused_report(const RequestId& id, const Error& why) {
  RequestReport out;
  out.id = id;
  out.state = RequestState::refused;
  out.reason = why.code;
  out.hint = why.hint.empty() ? std::string(hint_for(why.code)) : why.hint;
  return out;
}

}  // namespace

std::string_view hint_for(std::string_view reason) {
  if (reason == "duplicate") return "another request of this sender has that nonce: sign it again with a new one";
  if (reason == "nonce-too-old") return "sign it again with a higher nonce, e.g. microseconds since 1970";
  if (reason == "busy") return "try again in a second";
  if (reason == "stopped") return "send it to another node";
  if (reason == "learner") return "send it to another node: this one lost its vote state and follows only";
  if (reason == "bad-signature") return "sign it for this cluster: the digest starts from the genesis file";
  return {};
}

struct RequestCalls::Following : OpenCall {
  /// checking: on the pool; asked: the core is about to answer; resolving: the store is asked.
  enum class Stage : std::uint8_t { checking, asked, following, resolving, done };
  using Reply = std::function<void(Result<std::vector<RequestReport>>)>;

  Following(RequestCalls& owner_in, std::vector<RequestId> ids_in, RequestState wait_in, bool at_once_in,
            Reply reply_in)
      : owner(owner_in),
        ids(std::move(ids_in)),
        wait(wait_in),
        at_once(at_once_in),
        reply(std::move(reply_in)),
        reports(ids.size()),
        stages(ids.size()),
        unanswered(ids.size()) {
    for (std::size_t i = 0; i < ids.size(); ++i) reports[i].id = ids[i];
  }
  ~Following() override {
    for (const auto& request : ids) owner.forget(request, id);
  }

  void time_out() override {
    for (std::size_t i = 0; i < reports.size(); ++i) reports[i].timed_out = stages[i] != Stage::done;
    reply(std::move(reports));
  }
  void stop() override { reply(Error{"stopped", "this node is shutting down", "send it to another node"}); }

  void set_stage(std::size_t position, Stage stage) {
    unanswered += counts_as_answered(stages[position]) ? 1 : 0;
    stages[position] = stage;
    unanswered -= counts_as_answered(stage) ? 1 : 0;
  }
  [[nodiscard]] bool counts_as_answered(Stage stage) const {
    return stage == Stage::done || (at_once && stage == Stage::following);
  }

  RequestCalls& owner;
  CallId id = 0;
  const std::vector<RequestId> ids;
  const RequestState wait;
  const bool at_once;  ///< answer with the state at hand
  bool is_lookup = false;
  Reply reply;
  std::vector<RequestReport> reports;  ///< one for each of `ids`
  std::vector<Stage> stages;
  std::size_t unanswered;
};

/// Requests on their way through the pool, in chunks; they enter the core in the order in which the client gave them.
struct RequestCalls::Submission {
  CallId call = 0;
  Requests requests;
  std::vector<std::size_t> positions;         ///< of `requests` in the call: those without room are left out
  std::vector<std::vector<Status>> verdicts;  ///< by chunk; empty until it is checked
  std::size_t next = 0;                       ///< chunk that enters the core next
  std::size_t bytes = 0;

  [[nodiscard]] std::span<const RequestPtr> chunk(std::size_t number) const {
    auto first = number * requests_per_check;
    return std::span(requests).subspan(first, std::min(requests_per_check, requests.size() - first));
  }
};

bool RequestCalls::can_check(const Requests& requests, std::size_t bytes) const {
  const auto chunks = (requests.size() + requests_per_check - 1) / requests_per_check;
  return !parts_.calls.full() && checking_bytes_ + bytes <= max_checking_bytes &&
         checking_jobs_ + chunks <= max_checking_jobs;
}

/// Taken in before: asking again where it stands needs no room.
bool RequestCalls::is_known(const RequestId& id) const {
  return parts_.replica.lookup(id).state != RequestState::unknown || parts_.recent.find(id).has_value();
}

CallId RequestCalls::submit(SubmitCall call, std::function<void(SubmitReply)> done) {
  ZELL_CHECK(!call.requests.empty());
  std::size_t bytes = 0;
  for (const auto& request : call.requests) bytes += request->canonical.size();
  auto submission = std::make_shared<Submission>();
  const auto room = admission_.room(parts_.now(), in_pool_ + checking_, bytes / call.requests.size());
  const auto end = can_check(call.requests, bytes) ? call.requests.size() : 0;
  for (std::size_t i = 0; i < end; ++i) {
    const auto& request = call.requests[i];
    if (submission->requests.size() >= room && !is_known(request->id)) continue;
    submission->requests.push_back(request);
    submission->positions.push_back(i);
    submission->bytes += request->canonical.size();
  }
  if (submission->requests.empty()) {
    count_refused("busy", call.requests.size());
    SubmitReply reply;
    reply.error = Error{"busy", "as many requests are under way as this node can finish in about a second",
                        "try again in a second, or another node"};
    reply.retry_after = std::chrono::seconds(1);
    done(std::move(reply));
    return 0;
  }
  bool at_once = call.timeout.count() == 0;
  auto reply = [done = std::move(done)](Result<std::vector<RequestReport>> reports) {
    SubmitReply out;
    if (reports.ok()) {
      out.results = std::move(*reports);
    } else {
      out.error = reports.error();
    }
    done(std::move(out));
  };
  std::vector<RequestId> ids;
  for (const auto& request : call.requests) ids.push_back(request->id);
  auto following = std::make_shared<Following>(*this, ids, call.wait, at_once, std::move(reply));
  std::optional<std::chrono::milliseconds> timeout;
  if (!at_once) timeout = call.timeout;
  auto id = following->id = submission->call = parts_.calls.add(following, timeout);
  following.reset();
  take_in(submission, ids);
  return id;
}

/// What there is no room for is refused; the rest goes on its way.
void RequestCalls::take_in(const std::shared_ptr<Submission>& submission, const std::vector<RequestId>& ids) {
  const auto& taken = submission->positions;
  checking_ += taken.size();
  checking_bytes_ += submission->bytes;
  auto next = taken.begin();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (next != taken.end() && *next == i) {
      waiting_.emplace(ids[i], Slot{submission->call, i});
      ++next;
    } else {
      settle({submission->call, i}, refused_report(ids[i], {"busy", "as much as can be done is under way", {}}));
    }
  }
  submission->verdicts.resize((taken.size() + requests_per_check - 1) / requests_per_check);
  for (std::size_t chunk = 0; chunk < submission->verdicts.size(); ++chunk) check(submission, chunk);
}

void RequestCalls::check(const std::shared_ptr<Submission>& submission, std::size_t chunk) {
  auto verdicts = std::make_shared<std::vector<Status>>();
  auto work = [submission, chunk, verdicts, &verifier = parts_.verifier] {
    for (const auto& request : submission->chunk(chunk)) {
      auto checked = verifier.check(request);
      verdicts->push_back(checked.ok() ? Status(Ok{}) : Status(checked.error()));
    }
  };
  auto done = [this, submission, chunk, verdicts] {
    --checking_jobs_;
    submission->verdicts[chunk] = std::move(*verdicts);
    take_checked(submission);
  };
  ++checking_jobs_;
  // Alone, it is done sooner here than handed over and back.
  if (submission->requests.size() == 1 && submission->bytes <= checked_here_bytes && parts_.pool.has_time_here()) {
    work();
    return done();
  }
  if (parts_.pool.run(WorkPool::Priority::normal, std::move(work), std::move(done))) return;
  --checking_jobs_;
  Error busy{"busy", "too much waits to be checked", ""};
  submission->verdicts[chunk].assign(submission->chunk(chunk).size(), Status(busy));
  take_checked(submission);
}

void RequestCalls::take_checked(const std::shared_ptr<Submission>& submission) {
  auto& verdicts = submission->verdicts;
  while (submission->next < verdicts.size() && !verdicts[submission->next].empty()) {
    checking_ -= submission->chunk(submission->next).size();
    take_chunk(*submission, submission->next++);
    if (submission->next == verdicts.size()) checking_bytes_ -= submission->bytes;
  }
}

void RequestCalls::take_chunk(const Submission& submission, std::size_t chunk) {
  auto requests = submission.chunk(chunk);
  Submit good;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Slot slot{submission.call, submission.positions[chunk * requests_per_check + i]};
    auto call = parts_.calls.find<Following>(slot.call);
    if (call) call->set_stage(slot.position, Following::Stage::asked);
    call.reset();
    const auto& verdict = submission.verdicts[chunk][i];
    if (verdict.ok()) {
      good.requests.push_back(requests[i]);
    } else {
      settle(slot, refused_report(requests[i]->id, verdict.error()));
    }
  }
  // Fed although the client may have left: what was sent is taken in.
  if (!good.requests.empty()) parts_.feed(std::move(good));
}

CallId RequestCalls::lookup(const RequestId& id, RequestState wait, std::chrono::milliseconds timeout,
                            std::function<void(Result<RequestReport>)> done) {
  if (parts_.calls.full()) {
    done(Error{"busy", "too many calls wait here", "try again in a second, or another node"});
    return 0;
  }
  bool at_once = wait == RequestState::unknown || timeout.count() == 0;
  auto reply = [done = std::move(done)](Result<std::vector<RequestReport>> reports) {
    if (!reports.ok()) return done(reports.error());
    done(std::move(reports->front()));
  };
  auto following = std::make_shared<Following>(*this, std::vector{id}, wait, at_once, std::move(reply));
  following->is_lookup = true;
  std::optional<std::chrono::milliseconds> until;
  if (!at_once) until = timeout;
  auto call = following->id = parts_.calls.add(following, until);
  following.reset();
  waiting_.emplace(id, Slot{call, 0});
  if (!at_once) polled_.emplace(id, call);

  auto known = parts_.replica.lookup(id);
  if (known.state == RequestState::unknown) {
    resolve_final({call, 0}, report_of(known));
  } else {
    settle({call, 0}, report_of(known));
  }
  return call;
}

void RequestCalls::write_metrics(MetricsText& out) const {
  out.counter("zell_requests_refused_total", "Requests that clients sent here and that were refused, by reason.");
  refused_.write(out);
  out.gauge("zell_requests_in_checking", "Requests of clients whose signatures are being checked.", checking_);
}

void RequestCalls::forget(const RequestId& id, CallId call) {
  auto [first, last] = waiting_.equal_range(id);
  while (first != last) first = first->second.call == call ? waiting_.erase(first) : std::next(first);
  polled_.erase({id, call});
}

RequestReport RequestCalls::report_of(const RequestUpdate& update) const {
  RequestReport out;
  out.id = update.id;
  out.state = update.state;
  out.index = update.index;
  if (update.index.value != 0) out.view = update.view;
  out.reason = update.reason;
  out.hint = hint_for(update.reason);
  return out;
}

std::vector<RequestCalls::Slot> RequestCalls::slots_of(const RequestId& id) const {
  std::vector<Slot> out;
  auto [first, last] = waiting_.equal_range(id);
  for (; first != last; ++first) out.push_back(first->second);
  return out;
}

void RequestCalls::on_update(const RequestUpdate& update) {
  if (update.state == RequestState::finalised) admission_.finalised(parts_.now(), 1);
  // Else it is counted with the answer, which may be that it was final before.
  if (update.state == RequestState::refused && !submission_waits(update.id)) count_refused(update.reason, 1);
  if (waiting_.empty()) return;
  for (auto slot : slots_of(update.id)) apply(slot, report_of(update));
}

bool RequestCalls::submission_waits(const RequestId& id) const {
  for (auto slot : slots_of(id)) {
    auto call = parts_.calls.find<Following>(slot.call);
    if (call && !call->is_lookup && call->stages[slot.position] != Following::Stage::done) return true;
  }
  return false;
}

void RequestCalls::on_finalised(const Batch& batch) {
  if (polled_.empty()) return;  // those submitted here hear of it by on_update
  auto index = batch.header.first;
  for (const auto& request : *batch.requests) {
    for (auto slot : slots_of(request->id)) apply(slot, finalised_report(request->id, {index, batch.header.view}));
    index = index.next();
  }
}

void RequestCalls::on_progress(const ReplicaStatus& status) {
  in_pool_ = status.pool_submitted;
  bool moved = status.sequenced != seen_sequenced_ || status.locked != seen_locked_;
  seen_sequenced_ = status.sequenced;
  seen_locked_ = status.locked;
  if (!moved) return;
  std::vector<RequestId> look;
  for (const auto& [id, call] : polled_) look.push_back(id);
  while (!until_locked_.empty() && until_locked_.begin()->first <= status.locked.index) {
    look.push_back(until_locked_.begin()->second);
    until_locked_.erase(until_locked_.begin());
  }
  for (const auto& id : look) {
    auto known = parts_.replica.lookup(id);
    if (known.state == RequestState::unknown) continue;
    for (auto slot : slots_of(id)) apply(slot, report_of(known));
  }
}

void RequestCalls::apply(Slot slot, RequestReport report) {
  auto call = parts_.calls.find<Following>(slot.call);
  if (!call) return;
  auto stage = call->stages[slot.position];
  if (stage != Following::Stage::asked && stage != Following::Stage::following) return;
  call.reset();
  if (may_be_final(report)) {
    resolve_final(slot, std::move(report));
  } else {
    settle(slot, std::move(report));
  }
}

void RequestCalls::settle(Slot slot, RequestReport report) {
  auto call = parts_.calls.find<Following>(slot.call);
  if (!call) return;
  auto& kept = call->reports[slot.position];
  if (report.state == RequestState::refused && !call->is_lookup) count_refused(report.reason, 1);
  // The core tells its own view; a request's is the one it was proposed in, which was told when it was sequenced.
  if (kept.index == report.index && kept.index.value != 0) report.view = kept.view;
  kept = std::move(report);
  bool there = kept.state == RequestState::refused || kept.state == RequestState::finalised ||
               (call->wait != RequestState::unknown && kept.state >= call->wait);
  call->set_stage(slot.position, there ? Following::Stage::done : Following::Stage::following);
  if (!there && call->wait == RequestState::locked && kept.index.value != 0) until_locked_.emplace(kept.index, kept.id);
  if (call->unanswered > 0) return;
  parts_.calls.remove(slot.call);
  call->reply(std::move(call->reports));
}

void RequestCalls::resolve_final(Slot slot, RequestReport otherwise) {
  if (auto where = parts_.recent.find(otherwise.id)) return settle(slot, finalised_report(otherwise.id, *where));
  auto call = parts_.calls.find<Following>(slot.call);
  if (!call) return;
  call->set_stage(slot.position, Following::Stage::resolving);
  bool is_lookup = call->is_lookup;
  call.reset();
  auto id = otherwise.id;
  auto done = [this, slot, is_lookup, otherwise = std::move(otherwise)](Result<std::optional<Located>> found) {
    if (!parts_.calls.find<Following>(slot.call)) return;
    if (!found.ok() && is_lookup) {
      auto removed = std::static_pointer_cast<Following>(parts_.calls.remove(slot.call));
      return removed->reply(found.error());
    }
    if (!found.ok()) return settle(slot, refused_report(otherwise.id, found.error()));
    if (*found) return settle(slot, finalised_report(otherwise.id, **found));
    // Since the question was asked, it may have become final, or known.
    if (auto where = parts_.recent.find(otherwise.id)) return settle(slot, finalised_report(otherwise.id, *where));
    settle(slot, is_lookup ? report_of(parts_.replica.lookup(otherwise.id)) : otherwise);
  };
  parts_.reads.read<std::optional<Located>>([id](Store& store) { return locate(store, id); }, std::move(done));
}

}  // namespace zell
