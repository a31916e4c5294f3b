#include "tests/simulation/faulty.h"

#include <algorithm>

#include "node/crypto/hash.h"
#include "node/wire/request_codec.h"

namespace zell::simulation {
namespace {

using std::chrono::milliseconds;

Lock no_lock() {
  return {View{}, {Index{}, empty_root()}};
}

LogPoint point_of(const CompactRange& range) {
  return {{range.size()}, range.root()};
}

}  // namespace

Liar::Liar(const Plan& plan, const Genesis& genesis, const SignatureScheme& scheme, SecretKey secret,
           Surroundings surroundings)
    : fault_(plan.fault),
      seed_(plan.seed),
      self_(plan.faulty),
      genesis_(genesis),
      scheme_(scheme),
      secret_(std::move(secret)),
      own_user_(dev_secret_key(plan.seed, "liar")),
      censored_(*scheme.public_key(user(plan.seed, censored_user))),
      domain_(SigningDomain::of(genesis)),
      around_(std::move(surroundings)),
      random_(plan.seed ^ 0x11a2) {}

SecretKey Liar::user(std::uint64_t seed, std::size_t which) {
  return dev_secret_key(seed, "user" + std::to_string(which));
}

bool Liar::chooses(View view, std::uint64_t what, std::uint32_t per_million) const {
  return Prng(seed_ ^ (view.value << 20) ^ (what << 40)).chance(per_million);
}

bool Liar::is_victim(View view, NodeId node) const {
  return chooses(view, 1 + node.value, 500'000);
}

std::vector<Message> Liar::tell(const Message& message, NodeId to) {
  const auto* proposal = std::get_if<Proposal>(&message);
  if (proposal && genesis_.leader(proposal->header.view) == self_) return tell_proposal(*proposal, to);
  if (const auto* news = std::get_if<NewView>(&message); news && genesis_.leader(news->view) == self_) {
    return tell_new_view(*news, to);
  }
  if (const auto* change = std::get_if<ViewChange>(&message); change && change->signed_part.node == self_) {
    changes_[change->signed_part.view][self_] = *change;
    if (fault_ == Fault::hide_lock) return hide(*change);
  }
  if (fault_ == Fault::mute && std::holds_alternative<Heartbeat>(message)) return {};
  // Who learns of its lock certificates is its choice: so the locks that others report come to differ.
  if (const auto* lc = std::get_if<CertificateMessage>(&message); lc && lc->certificate.phase == Phase::lock) {
    View view = lc->certificate.view;
    if (fault_ == Fault::equivocate && genesis_.leader(view) == self_ && chooses(view, 400, 500'000) &&
        !is_victim(view, to)) {
      return {};
    }
  }
  if (const auto* vote = std::get_if<Vote>(&message); vote && vote->signer == self_ && fault_ == Fault::double_vote) {
    Vote lie = *vote;
    lie.point.root = sha256(lie.point.root.view());
    lie.signature = {};
    ++told_["double votes"];
    return {message, sign(lie)};
  }
  return {message};
}

std::vector<Message> Liar::tell_proposal(const Proposal& truth, NodeId to) {
  if (fault_ == Fault::mute) return {};
  const Message* lie = nullptr;
  if (fault_ == Fault::equivocate && is_victim(truth.header.view, to)) lie = forked(truth);
  if (fault_ == Fault::invalid_proposal && (chooses(truth.header.view, 0, 500'000) || is_victim(truth.header.view, to)))
    lie = invalid(truth);
  if (!lie) return {truth};
  // Now and then one node is shown both.
  if (fault_ == Fault::equivocate && chooses(truth.header.view, 300, 200'000)) return {*lie, truth};
  return {*lie};
}

/// The batch that stands for `truth` on the other log: begun at one of the view's batches, then continued, so that
/// those who see only it see one consistent leader.
const Message* Liar::forked(const Proposal& truth) {
  auto [at, fresh] = lies_.try_emplace({truth.header.view, truth.header.end});
  if (fresh) {
    auto requests = Requests(truth.requests->rbegin(), truth.requests->rend());
    if (!fork_ || fork_->view != truth.header.view) {
      auto range = random_.chance(500'000) ? around_.log_at(truth.header.parent()) : std::nullopt;
      if (!range) return nullptr;
      fork_ = Fork{truth.header.view, truth.header.parent(), *range};
      if (requests.size() == genesis_.parameters.batch_max_requests) requests.pop_back();
      requests.push_back(own_request("default", next_nonce_++, 0));
      around_.submitted(requests.back());
    }
    at->second = make_proposal(fork_->view, fork_->range, requests);
    if (at->second) {
      for (const auto& request : requests) fork_->range.append(request->leaf);
      fork_->tip = point_of(fork_->range);
      ++told_["proposals of a second log"];
    }
  }
  return at->second ? &*at->second : nullptr;
}

const Message* Liar::invalid(const Proposal& truth) {
  auto [at, fresh] = lies_.try_emplace({truth.header.view, truth.header.end});
  if (fresh && random_.chance(600'000)) {
    if (auto range = around_.log_at(truth.header.parent())) {
      at->second = make_proposal(truth.header.view, *range, spoil(*truth.requests));
      ++told_["invalid proposals"];
    }
  }
  return at->second ? &*at->second : nullptr;
}

/// One request is bad by its signature, its form, or its nonce (taken in this batch, or in the log).
Requests Liar::spoil(Requests requests) {
  while (requests.size() + 2 > genesis_.parameters.batch_max_requests) requests.pop_back();
  switch (random_.below(4)) {
    case 0: {
      Request broken = *requests[random_.below(requests.size())];
      broken.signature.bytes[40] ^= 1;
      broken.canonical[broken.header_bytes - 24] ^= 1;
      broken.leaf = leaf_hash(broken.header());
      auto place = std::find_if(requests.begin(), requests.end(), [&](const auto& r) { return r->id == broken.id; });
      *place = std::make_shared<const Request>(std::move(broken));
      break;
    }
    case 1:
      requests.push_back(own_request("Not An App!", next_nonce_++, 0));
      break;
    case 2:
      requests.push_back(own_request("default", next_nonce_, 1));
      requests.push_back(own_request("default", next_nonce_++, 2));
      break;
    default:
      if (auto old = around_.some_final_request()) {
        requests.push_back(std::move(old));
      } else {
        requests.push_back(requests.front());
      }
  }
  return requests;
}

std::optional<Message> Liar::make_proposal(View view, const CompactRange& parent, Requests requests) const {
  if (requests.empty()) return std::nullopt;
  Proposal lie;
  lie.header.view = view;
  lie.header.first = {parent.size() + 1};
  lie.header.parent_root = parent.root();
  CompactRange range = parent;
  for (const auto& request : requests) range.append(request->leaf);
  lie.header.end = point_of(range);
  lie.requests = std::make_shared<const Requests>(std::move(requests));
  return sign(lie);
}

/// A second NewView, as well justified as the first: by the quorum that holds the lowest locks.
std::vector<Message> Liar::tell_new_view(const NewView& truth, NodeId to) {
  if (fault_ != Fault::equivocate || !is_victim(truth.view, to)) return {truth};
  // It waits for reports to choose from; victims that ask again get what it has by then.
  if (changes_[truth.view].size() + 1 < genesis_.size()) return {};
  auto [at, fresh] = other_new_views_.try_emplace(truth.view);
  if (!at->second) {
    std::vector<ViewChange> lowest;
    for (const auto& [node, change] : changes_[truth.view]) lowest.push_back(change);
    std::stable_sort(lowest.begin(), lowest.end(), [](const auto& a, const auto& b) {
      return a.signed_part.lock.rank() < b.signed_part.lock.rank();
    });
    MemberSet set;
    NewView lie{truth.view, no_lock(), {}, {}, {}};
    for (const auto& change : lowest) {
      if (genesis_.is_quorum(set)) break;
      set.set(change.signed_part.node.value);
      lie.changes.push_back(change.signed_part);
      lie.base = change.signed_part.lock;
      lie.base_lc = change.lc;
    }
    std::sort(lie.changes.begin(), lie.changes.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
    if (genesis_.is_quorum(set) && lie.base != truth.base) {
      at->second = sign(lie);
      if (auto range = around_.log_at(lie.base.point)) fork_ = Fork{truth.view, lie.base.point, *range};
      ++told_["second NewViews"];
    }
  }
  return {at->second ? *at->second : Message(truth)};
}

std::vector<Message> Liar::hide(const ViewChange& truth) {
  if (!truth.lc || !chooses(truth.signed_part.view, 2, 700'000)) return {truth};
  ViewChange lie;
  lie.signed_part = {self_, truth.signed_part.view, no_lock(), {}};
  ++told_["hidden locks"];
  return {sign(lie)};
}

RequestPtr Liar::own_request(std::string_view app, std::uint64_t nonce, std::uint8_t payload) const {
  Bytes bytes{0xff, payload};
  return sign_request(domain_, scheme_, own_user_, app, nonce, std::span(&bytes, 1));
}

std::optional<Message> Liar::hear(const Message& message) {
  if (const auto* change = std::get_if<ViewChange>(&message)) {
    changes_[change->signed_part.view].insert_or_assign(change->signed_part.node, *change);
  }
  if (const auto* vote = std::get_if<Vote>(&message); vote && fault_ == Fault::equivocate) count(*vote);
  if (fault_ != Fault::censor) return message;
  // Its core never learns of one user's requests, whoever brings them; the others are served.
  if (auto* forward = std::get_if<Forward>(&message)) {
    Forward rest{without_censored(forward->requests)};
    if (rest.requests.empty()) return std::nullopt;
    return rest;
  }
  if (const auto* challenge = std::get_if<Challenge>(&message)) {
    Challenge rest = *challenge;
    rest.censored = without_censored(rest.censored);
    return rest;
  }
  return message;
}

Requests Liar::without_censored(const Requests& requests) const {
  Requests out;
  std::copy_if(requests.begin(), requests.end(), std::back_inserter(out),
               [&](const auto& request) { return request->sender != censored_; });
  return out;
}

/// Votes for its other log: it adds its own, and shows everyone what certificate it gets.
void Liar::count(const Vote& vote) {
  if (genesis_.leader(vote.view) != self_ || around_.log_at(vote.point)) return;
  auto& votes = votes_[{vote.phase, vote.view, vote.point}];
  MemberSet before;
  for (const auto& [node, counted] : votes) before.set(node.value);
  if (genesis_.is_quorum(before)) return;
  votes.emplace(vote.signer, vote);
  Message own = sign(Vote{vote.phase, vote.view, vote.point, self_, {}});
  votes.emplace(self_, std::get<Vote>(own));
  MemberSet set;
  Certificate certificate{vote.phase, vote.view, vote.point, {}};
  for (const auto& [node, counted] : votes) {
    set.set(node.value);
    certificate.signatures.push_back({node, counted.signature});
  }
  if (!genesis_.is_quorum(set)) return;
  blurt_.push_back(CertificateMessage{certificate});
  ++told_[vote.phase == Phase::lock ? "LCs of a second log" : "FCs of a second log"];
}

Duration Liar::holds_back(const Message& message) const {
  bool leads = std::holds_alternative<Proposal>(message) || std::holds_alternative<Heartbeat>(message);
  return fault_ == Fault::slow && leads ? Duration(milliseconds(genesis_.parameters.view_timeout_ms - 20))
                                        : Duration{0};
}

}  // namespace zell::simulation
