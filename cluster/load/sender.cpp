#include "cluster/load/sender.h"

#include <algorithm>

#include "cluster/load/answer_scan.h"

namespace zell {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// Of the 256 that a node accepts: others want to ask it, too.
constexpr std::size_t max_connections = 192;
/// Between two POSTs to a node while few are under way; what falls due meanwhile shares the next one.
constexpr milliseconds least_gap{2};
constexpr int posts_that_double_the_gap = 8;
constexpr std::size_t max_post_requests = 1'024, max_post_bytes = 1 << 20;
/// Without a rate, each node has so many POSTs under way, if there are enough requests for them.
constexpr std::size_t posts_a_node = 4;
constexpr milliseconds pause_of_unreachable{200};
constexpr milliseconds between_looks{100};
/// For an answer after the node's own timeout to arrive.
constexpr milliseconds grace{1'000};

/// Refusals that pass: the same request may be taken in later.
bool passes(std::string_view code) {
  for (const std::string_view one : {"busy", "learner", "stopped", "starting", "too-many-connections"}) {
    if (code == one) return true;
  }
  return false;
}

}  // namespace

Sender::Sender(LoadPlan plan, SignedStreams& streams, Recorder& recorder, LoadHooks hooks)
    : plan_(std::move(plan)),
      streams_(streams),
      recorder_(recorder),
      hooks_(std::move(hooks)),
      begin_(plan_.warmup),
      end_(plan_.warmup + plan_.duration),
      next_second_(begin_) {
  ZELL_CHECK(!plan_.urls.empty() && plan_.in_flight > 0);
  const auto query = "/v1/requests?wait=" + std::string(to_string(plan_.wait)) +
                     "&timeout_ms=" + std::to_string(plan_.timeout.count());
  for (const auto& url : plan_.urls) targets_.push_back({url + query, 0, 0, {}});
  if (plan_.rate) schedule_.emplace(*plan_.rate, end_);
  const auto by_bytes = std::max<std::size_t>(1, max_post_bytes / streams_.request_bytes());
  requests_a_post_ = std::clamp<std::size_t>(plan_.in_flight / (targets_.size() * posts_a_node), 1,
                                             std::min(max_post_requests, by_bytes));
  posts_at_once_ = std::max<std::size_t>(1, plan_.in_flight / requests_a_post_);
}

LoadSummary Sender::run() {
  start_ = Clock::now();
  const auto deadline = end_ + plan_.timeout + 2 * grace;
  while (true) {
    call_hooks();
    if (summary_.interrupted) break;
    if (now() >= end_) give_up_retries();
    if (now() > deadline) break;
    if (is_sending()) {
      send_due();
    } else if (all_answered()) {
      break;
    }
    pool_.run(start_ + next_wake());
  }
  const auto& counts = recorder_.counts();
  recorder_.unknown(counts.offered - counts.finalised - counts.refused - counts.failed - counts.unknown);
  return summary_;
}

// ---- When to send what

/// What was due before the end is sent, however late.
bool Sender::is_sending() const {
  if (!schedule_ || now() < end_) return now() < end_;
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    if (has_more(t)) return true;
  }
  return false;
}

bool Sender::has_more(std::size_t t) const {
  return targets_[t].next < share_of(schedule_->total(), t, targets_.size());
}

void Sender::send_due() {
  for (std::size_t t = 0; t < targets_.size(); ++t) send_retries(t);
  if (!schedule_) return send_saturating();
  for (std::size_t t = 0; t < targets_.size(); ++t) send_scheduled(t);
}

void Sender::send_scheduled(std::size_t t) {
  auto& target = targets_[t];
  const auto by_bytes = std::max<std::size_t>(1, max_post_bytes / streams_.request_bytes());
  while (target.under_way < max_connections) {
    const auto time = now();
    if (target.last_sent.count() >= 0 && time < target.last_sent + gap_of(target)) return;
    const auto due = share_of(schedule_->due_by(std::min(time, end_)), t, targets_.size());
    if (due <= target.next) return;
    send_new(t, std::min({due - target.next, max_post_requests, by_bytes}));
  }
}

/// A moment: it grows with the POSTs under way, and so with what an answer takes; at most 50 ms.
Sender::Time Sender::gap_of(const Target& target) const {
  return least_gap + least_gap * target.under_way / posts_that_double_the_gap;
}

bool Sender::has_free_slot(const Target& target) const {
  const auto share = (posts_at_once_ + targets_.size() - 1) / targets_.size();
  std::size_t all = 0;
  for (const auto& one : targets_) all += one.under_way + one.retries.size();
  return all < posts_at_once_ && target.under_way + target.retries.size() < std::min(share, max_connections) &&
         now() >= target.paused_until;
}

void Sender::send_saturating() {
  bool sent = true;
  while (sent) {
    sent = false;
    for (std::size_t k = 0; k < targets_.size(); ++k) {
      const auto t = (first_asked_ + k) % targets_.size();
      if (!has_free_slot(targets_[t])) continue;
      send_new(t, requests_a_post_);
      first_asked_ = t + 1;
      sent = true;
      break;
    }
  }
}

void Sender::send_retries(std::size_t t) {
  auto& retries = targets_[t].retries;
  for (auto left = retries.size(); left > 0 && targets_[t].under_way < max_connections; --left) {
    auto waiting = std::move(retries.front());
    retries.pop_front();
    if (waiting.due > now()) {
      retries.push_back(std::move(waiting));
    } else {
      recorder_.retried(waiting.entries.size());
      post(t, std::move(waiting.entries));
    }
  }
}

void Sender::send_new(std::size_t t, std::size_t count) {
  auto& target = targets_[t];
  Entries entries;
  entries.reserve(count);
  const auto time = now();
  for (std::size_t k = 0; k < count; ++k) {
    const auto position = target.next++;
    while (position >= streams_.size(t)) {
      streams_.sign_next(t);
      ++summary_.signed_while_sending;
    }
    const auto intended = schedule_ ? schedule_->due(position * targets_.size() + t) : time;
    entries.push_back({position, intended});
  }
  recorder_.offered(count);
  target.last_sent = time;
  const auto first = entries.front().intended;
  if (first >= begin_ && first < end_) summary_.behind_max = std::max(summary_.behind_max, now() - first);
  post(t, std::move(entries));
}

void Sender::post(std::size_t t, Entries entries) {
  std::string body;
  body.reserve(entries.size() * streams_.request_bytes());
  for (const auto& entry : entries) streams_.write(t, entry.position, body);
  HttpCall call;
  call.timeout = plan_.timeout + grace;
  call.content_type = "application/octet-stream";
  ++targets_[t].under_way;
  ++summary_.posts;
  pool_.post(targets_[t].url, std::move(body), call, [this, t, entries = std::move(entries)](Result<HttpReply> reply) {
    take_answer(t, entries, std::move(reply));
  });
}

// ---- What became of it

void Sender::take_answer(std::size_t t, const Entries& entries, Result<HttpReply> reply) {
  --targets_[t].under_way;
  if (!reply) return take_error(t, entries, reply.error(), {});
  if (reply->status == 200) return take_results(t, entries, *reply);
  const auto retry_after = reply->retry_after;
  const auto said = expect_ok(std::move(reply));
  take_error(t, entries,
             said.ok() ? Error{"bad-answer", "a node answered with another status than 200", ""} : said.error(),
             retry_after);
}

void Sender::take_results(std::size_t t, const Entries& entries, const HttpReply& reply) {
  const auto scanned = scan_submit_answer(reply.body, answers_);
  if (!scanned) note(scanned.error().what);
  if (answers_.size() != entries.size()) note("a node answered for fewer or more requests than were sent");
  const bool understood = scanned.ok() && answers_.size() == entries.size();
  const auto time = now();
  Entries busy;
  std::string busy_code;
  for (std::size_t k = 0; k < entries.size(); ++k) {
    if (!understood || answers_[k].id != streams_.id(t, entries[k].position)) {
      recorder_.failed("bad-answer");
      note("a node answered for other requests than were sent");
      continue;
    }
    const auto& answer = answers_[k];
    if (answer.state == RequestState::refused) {
      if (retries(answer.reason)) {
        busy.push_back(entries[k]);
        busy_code = answer.reason;
      } else {
        recorder_.refused(time, answer.reason);
      }
    } else if (answer.state >= plan_.wait) {
      recorder_.finalised(time, entries[k].intended, answer.index);
    } else {
      recorder_.unknown();
    }
  }
  constexpr std::chrono::seconds try_again{1};  // as the nodes' own hint says
  if (!busy.empty()) refuse(t, std::move(busy), busy_code, try_again);
}

void Sender::take_error(std::size_t t, const Entries& entries, const Error& error, std::chrono::seconds retry_after) {
  if (passes(error.code)) return refuse(t, entries, error.code, retry_after);
  note(error.what);
  // Without a rate, a node that is gone would be tried without end.
  if (error.code != "timed-out") targets_[t].paused_until = now() + pause_of_unreachable;
  // The connection may have been lost after the node had taken it all in.
  if (error.code == "timed-out" || error.code == "unreachable") return recorder_.unknown(entries.size());
  recorder_.failed(error.code, entries.size());
}

void Sender::note(const std::string& what) {
  if (summary_.first_error.empty()) summary_.first_error = what;
}

bool Sender::retries(std::string_view code) const {
  return passes(code) && (plan_.retry || !schedule_) && now() < end_;
}

void Sender::refuse(std::size_t t, Entries entries, std::string_view code, std::chrono::seconds retry_after) {
  if (!retries(code)) return recorder_.refused(now(), code, entries.size());
  targets_[t].retries.push_back({now() + retry_after, std::string(code), std::move(entries)});
}

void Sender::give_up_retries() {
  for (auto& target : targets_) {
    for (const auto& waiting : target.retries) recorder_.refused(now(), waiting.code, waiting.entries.size());
    target.retries.clear();
  }
}

// ---- Time

void Sender::call_hooks() {
  const auto time = now();
  if (!begun_ && time >= begin_) {
    begun_ = true;
    hooks_.window_begins();
  }
  if (begun_ && !ended_ && time >= next_second_) {
    next_second_ += std::chrono::seconds(1);
    hooks_.every_second();
  }
  if (!ended_ && time >= end_) {
    ended_ = true;
    hooks_.window_ends();
  }
  if (time < next_look_) return;
  next_look_ = time + between_looks;
  if (!hooks_.go_on({time, recorder_.counts()})) summary_.interrupted = true;
}

Sender::Time Sender::next_wake() const {
  const auto time = now();
  auto wake = next_look_;
  if (!is_sending()) return wake;
  if (time < end_) wake = std::min({wake, end_, begun_ ? next_second_ : begin_});
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const auto& target = targets_[t];
    for (const auto& waiting : target.retries) wake = std::min(wake, waiting.due);
    if (target.paused_until > time) wake = std::min(wake, target.paused_until);
    // At a full node, the next answer wakes.
    if (!schedule_ || target.under_way >= max_connections || !has_more(t)) continue;
    const auto due = schedule_->due(target.next * targets_.size() + t);
    wake = std::min(wake, target.last_sent.count() < 0 ? due : std::max(due, target.last_sent + gap_of(target)));
  }
  return wake;
}

bool Sender::all_answered() const {
  return std::all_of(targets_.begin(), targets_.end(),
                     [](const Target& target) { return target.under_way == 0 && target.retries.empty(); });
}

}  // namespace zell
