#include "client/submission.h"

#include <algorithm>

#include "node/wire/request_codec.h"

namespace zell {

namespace {

/// What one call may carry: a node's own limits, with room to spare.
constexpr std::size_t max_call_requests = 4'096, max_call_bytes = 7 << 20;
/// The longest wait that a node allows.
constexpr std::chrono::milliseconds max_node_wait{60'000};
constexpr std::chrono::milliseconds first_pause{50}, max_pause{1'000};
/// Above so many, requests that lie close together in the log are proven by reading it instead of one by one.
constexpr std::size_t max_single_proofs = 4;

/// A refusal that passes by itself, at this node or at another.
bool is_passing(std::string_view reason) {
  return reason == "busy" || reason == "learner" || reason == "stopped" || reason == "starting";
}
/// An error that says nothing about the requests, of a node that is there.
bool is_passing_error(const Error& error) {
  return is_passing(error.code) || error.code == "timed-out" || error.code == "too-many-connections" ||
         error.code == "node-lied";
}

}  // namespace

Submission::Submission(ClientSession& session, std::span<const RequestPtr> requests, RequestState wait,
                       std::chrono::milliseconds timeout)
    : session_(session),
      requests_(requests.begin(), requests.end()),
      wait_(wait),
      deadline_(timeout),
      outcomes_(requests.size()),
      done_(requests.size(), false),
      refusals_(requests.size(), 0) {
  for (std::size_t i = 0; i < requests_.size(); ++i) outcomes_[i].id = requests_[i]->id;
}

Result<std::vector<Outcome>> Submission::run() {
  check_locally();
  auto pause = first_pause;
  for (std::size_t turn = 0; !pending().empty(); ++turn) {
    bool answered = round(turn);
    if (auto usable = session_.usable(); !usable) return usable.error();
    if (session_.candidates(0).empty()) return session_.nobody(std::nullopt);
    if (!worth_another(turn)) return *last_;
    if (deadline_.passed()) break;
    if (!pending().empty()) {
      if (!session_.pause(std::min(pause, deadline_.left()))) return session_.usable().error();
      pause = answered ? first_pause : std::min(2 * pause, max_pause);
    }
  }
  if (!ever_answered_ && last_ && !pending().empty()) return *last_;
  for (auto position : pending()) outcomes_[position].timed_out = true;
  return std::move(outcomes_);
}

bool Submission::worth_another(std::size_t turn) const {
  if (ever_answered_ || !last_ || busy_) return true;
  // Nobody there, twice in a row: waiting for the end of the time would tell nothing more.
  return unreachable_ && turn == 0;
}

void Submission::check_locally() {
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    auto checked = check_request_form(*requests_[i], session_.genesis.parameters);
    if (checked) continue;
    outcomes_[i].state = RequestState::refused;
    outcomes_[i].reason = checked.error().code;
    outcomes_[i].hint = checked.error().what;
    done_[i] = true;
  }
}

Submission::Positions Submission::pending() const {
  Positions out;
  for (std::size_t i = 0; i < done_.size(); ++i) {
    if (!done_[i]) out.push_back(i);
  }
  return out;
}

Submission::Positions Submission::one_call(const Positions& open) const {
  Positions out;
  std::size_t bytes = 0;
  for (auto position : open) {
    bytes += requests_[position]->canonical.size();
    if (!out.empty() && (out.size() == max_call_requests || bytes > max_call_bytes)) break;
    out.push_back(position);
  }
  return out;
}

bool Submission::round(std::size_t first) {
  std::fill(refusals_.begin(), refusals_.end(), 0);
  answers_ = 0;
  unreachable_ = busy_ = false;
  last_.reset();
  for (auto node : session_.candidates(first % session_.nodes.size())) {
    auto open = pending();
    auto done = attempt(node, open);
    if (!session_.usable()) return answers_ > 0;
    if (!done) {
      bool unreachable = done.error().code == "unreachable";
      unreachable_ = unreachable_ || unreachable;
      busy_ = busy_ || is_passing_error(done.error());
      // What a node said tells more than that another was not there.
      if (!last_ || !unreachable) last_ = done.error();
    }
    if (pending().empty() || deadline_.passed()) break;
  }
  // Refused for good by all who answered: one node's word alone is not taken, as long as another can be asked.
  for (auto position : pending()) {
    if (answers_ > 0 && refusals_[position] == answers_) done_[position] = true;
  }
  ever_answered_ = ever_answered_ || answers_ > 0;
  return answers_ > 0;
}

Status Submission::attempt(std::size_t node, const Positions& open) {
  bool counted = false;
  for (auto rest = open; !rest.empty();) {
    auto now = one_call(rest);
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(now.size()));
    auto wait = std::min({deadline_.left(), session_.options.patience, max_node_wait});
    auto claims = session_.submit(node, requests_at(now), wait_, wait);
    if (!claims) return claims.error();
    if (!counted) ++answers_;
    counted = true;
    Positions finalised;
    for (std::size_t i = 0; i < now.size(); ++i) {
      take_claim(node, now[i], (*claims)[i]);
      if ((*claims)[i].state == RequestState::finalised) finalised.push_back(now[i]);
    }
    if (auto proven = prove(node, finalised); !proven) return proven;
    if (deadline_.passed()) break;
  }
  return Ok{};
}

void Submission::take_claim(std::size_t node, std::size_t position, const RequestClaim& claim) {
  auto& outcome = outcomes_[position];
  outcome.node = session_.nodes[node].name;
  outcome.reason.clear();
  outcome.hint.clear();
  if (claim.state == RequestState::refused) {
    outcome.state = claim.state;
    outcome.reason = claim.reason;
    outcome.hint = claim.hint;
    if (!is_passing(claim.reason)) ++refusals_[position];
    return;
  }
  // Not reported as finalised before it is proven.
  outcome.state = std::min(claim.state, RequestState::locked);
  outcome.index = claim.index;
  if (wait_ < RequestState::finalised && claim.state >= wait_ && claim.state != RequestState::finalised) {
    done_[position] = true;
  }
}

Status Submission::prove(std::size_t node, const Positions& claimed) {
  if (claimed.size() > max_single_proofs) {
    auto read = prove_by_reading(node, claimed);
    if (!read) return read;
  }
  for (auto position : claimed) {
    if (done_[position]) continue;
    auto proven = session_.prove_claim(node, requests_[position]->id, outcomes_[position].index);
    if (!proven) return proven.error();
    settle(node, position, proven->certificate);
  }
  return Ok{};
}

Status Submission::prove_by_reading(std::size_t node, const Positions& claimed) {
  auto by_index = [this](std::size_t a, std::size_t b) { return outcomes_[a].index < outcomes_[b].index; };
  auto order = claimed;
  std::sort(order.begin(), order.end(), by_index);
  auto low = outcomes_[order.front()].index, high = outcomes_[order.back()].index;
  constexpr std::uint64_t fixed_cost = 256, per_proof = 16;
  if (low.value == 0 || high.value - low.value > fixed_cost + per_proof * order.size()) return Ok{};
  auto start = session_.prove(node, low);
  if (!start) return start.error();
  auto range = start->before;
  auto next = order.begin();
  while (next != order.end()) {
    constexpr std::size_t page_bytes = 1 << 20;
    auto piece = session_.read(node, range, page_bytes, std::chrono::milliseconds(0));
    if (!piece) return piece.error();
    if (piece->requests.empty()) return Ok{};  // not shown yet: proven, or not, one by one
    for (; next != order.end() && outcomes_[*next].index.value <= range.size(); ++next) {
      auto offset = outcomes_[*next].index.value - piece->first.value;
      if (outcomes_[*next].index < piece->first || piece->requests[offset]->id != outcomes_[*next].id) {
        return session_.lied(node,
                             {"index", "another request is at #" + std::to_string(outcomes_[*next].index.value), ""});
      }
      settle(node, *next, piece->certificate);
    }
  }
  return Ok{};
}

void Submission::settle(std::size_t node, std::size_t position, const CertificatePtr& certificate) {
  auto& outcome = outcomes_[position];
  outcome.state = RequestState::finalised;
  outcome.certificate = certificate;
  outcome.node = session_.nodes[node].name;
  done_[position] = true;
}

std::vector<RequestPtr> Submission::requests_at(const Positions& positions) const {
  std::vector<RequestPtr> out;
  for (auto position : positions) out.push_back(requests_[position]);
  return out;
}

}  // namespace zell
