#include "tests/fuzz/replica_members.h"

#include <algorithm>

#include "node/wire/request_codec.h"
#include "tests/simulation/scheme.h"

namespace zell::testing {
namespace {

using simulation::cheap_scheme;

RequestPtr make(std::uint8_t which) {
  const auto secret = dev_secret_key(1, (which & 1) != 0 ? "alice" : "bob");
  const std::string_view app = which % 16 == 15 ? "Not An App" : "default";
  const Bytes payload{static_cast<std::uint8_t>(which >> 4 & 1)};
  auto request =
      sign_request(fuzz_verifier().domain(), cheap_scheme(), secret, app, which >> 1 & 7, std::span(&payload, 1));
  if (which % 32 != 30) return request;
  auto unsigned_bytes = request->signature;
  unsigned_bytes.bytes[40] ^= 1;
  return make_request(fuzz_verifier().domain(), app, request->nonce, request->sender, std::span(&payload, 1),
                      unsigned_bytes);
}

}  // namespace

const Genesis& fuzz_genesis() {
  static const Genesis genesis = [] {
    Genesis out;
    out.cluster_name = "fuzz";
    out.parameters.batches_in_flight = 3;
    out.parameters.batch_max_requests = 4;
    out.parameters.batch_max_bytes = 4 << 10;
    out.parameters.request_max_bytes = 1 << 10;
    out.parameters.forward_quota = 4;
    for (std::uint16_t i = 0; i < member_count; ++i) {
      out.members.push_back({"n" + std::to_string(i + 1), *cheap_scheme().public_key(member_secret({i})), 1});
    }
    return out;
  }();
  return genesis;
}

const Verifier& fuzz_verifier() {
  static const Verifier verifier(fuzz_genesis(), cheap_scheme(), nullptr);
  return verifier;
}

const SecretKey& member_secret(NodeId node) {
  static const std::vector<SecretKey> secrets = [] {
    std::vector<SecretKey> out;
    for (std::size_t i = 0; i < member_count; ++i) out.push_back(dev_secret_key(1, "n" + std::to_string(i + 1)));
    return out;
  }();
  return secrets[node.value];
}

RequestPtr some_request(std::uint8_t which) {
  static const std::vector<RequestPtr> all = [] {
    std::vector<RequestPtr> out;
    for (std::uint8_t i = 0; i < 32; ++i) out.push_back(make(i));
    return out;
  }();
  return all[which % all.size()];
}

Members::Members(NodeId self, bool honest_majority) : self_(self), honest_majority_(honest_majority) {
  spots_.emplace_back();
  bases_[{0}] = 0;
}

std::size_t Members::extend(std::size_t parent, Requests requests) {
  auto batch = std::make_shared<Batch>();
  auto next = spots_[parent];
  next.parent = parent;
  batch->header.first = {next.range.size() + 1};
  batch->header.parent_root = next.range.root();
  for (const auto& request : requests) {
    const auto same_nonce = [&](const RequestPtr& other) {
      return other->sender == request->sender && other->nonce == request->nonce;
    };
    if (std::any_of(next.requests.begin(), next.requests.end(), same_nonce)) next.exactly_once = false;
    if (!check_request_form(*request, fuzz_genesis().parameters) ||
        !check_request_signature(*request, cheap_scheme())) {
      next.exactly_once = false;
    }
    next.range.append(request->leaf);
    next.requests.push_back(request);
    batch->request_bytes += static_cast<std::uint32_t>(request->canonical.size());
  }
  batch->header.end = next.point();
  batch->requests = std::make_shared<const Requests>(std::move(requests));
  next.batch = std::move(batch);
  if (auto known = place_of(next.point())) return *known;
  spots_.push_back(std::move(next));
  return spots_.size() - 1;
}

std::optional<std::size_t> Members::place_of(const LogPoint& point) const {
  const auto found = std::ranges::find_if(spots_, [&](const Spot& spot) { return spot.point() == point; });
  if (found == spots_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - spots_.begin());
}

std::optional<std::size_t> Members::place_of(const Batch& batch) {
  if (auto known = place_of(batch.header.end)) return known;
  const auto parent = place_of(batch.header.parent());
  if (!parent) return std::nullopt;
  return extend(*parent, *batch.requests);
}

bool Members::extends(std::size_t longer, std::size_t shorter) const {
  const auto& prefix = spots_[shorter].requests;
  const auto& whole = spots_[longer].requests;
  return prefix.size() <= whole.size() &&
         std::equal(prefix.begin(), prefix.end(), whole.begin(),
                    [](const RequestPtr& a, const RequestPtr& b) { return a->leaf == b->leaf; });
}

std::vector<BatchPtr> Members::batches(std::size_t from, std::size_t to) const {
  std::vector<BatchPtr> out;
  for (; spots_[to].range.size() > spots_[from].range.size(); to = spots_[to].parent) out.push_back(spots_[to].batch);
  std::reverse(out.begin(), out.end());
  return out;
}

Message Members::sign(NodeId node, Message message) const {
  ZELL_CHECK(node != self_);
  return sign_message(std::move(message), node, member_secret(node), cheap_scheme(), fuzz_verifier().domain());
}

// ---- What an honest majority lets come about. Finality certificates agree, so every base and every lock certificate
// of a higher view extends them; the lock certificates of one view are on one log.

bool Members::may_base(View view, const LogPoint& base) const {
  const auto place = place_of(base);
  if (!place) return false;
  if (const auto known = bases_.find(view); known != bases_.end()) return known->second == *place;
  return std::ranges::all_of(
      finals_, [&](const Certificate& fc) { return fc.view >= view || extends(*place, *place_of(fc.point)); });
}

bool Members::may_lock(View view, std::size_t place) {
  if (place == 0 || !spots_[place].exactly_once) return false;
  auto base = bases_.find(view);
  if (fuzz_genesis().leader(view) == self_) {  // it is honest: nothing is locked there that it has not signed
    if (base == bases_.end() || (place != base->second && !own_proposals_.contains({view, place}))) return false;
  } else if (base == bases_.end()) {
    // Some NewView that nobody has shown: its base is what is final, if anything is.
    std::size_t highest = 0;
    for (const auto& fc : finals_) {
      const auto at = *place_of(fc.point);
      if (fc.view < view && extends(at, highest)) highest = at;
    }
    base = bases_.emplace(view, highest).first;
  }
  const auto& others = locked_[view];
  return extends(place, base->second) &&
         std::ranges::all_of(others, [&](std::size_t other) { return extends(place, other) || extends(other, place); });
}

bool Members::may_final(View view, std::size_t place) {
  if (!may_lock(view, place)) return false;
  const Rank rank{view, spots_[place].point().index};
  const bool bases_keep_it =
      std::ranges::all_of(bases_, [&](const auto& base) { return base.first <= view || extends(base.second, place); });
  // Who reported less had not signed it, and does not sign it any more.
  const bool changes_keep_it = std::ranges::all_of(
      changes_sent_, [&](const ChangeSent& sent) { return sent.view <= view || sent.lock >= rank; });
  return bases_keep_it && changes_keep_it;
}

Rank Members::highest_final_below(View view) const {
  Rank out;
  for (const auto& fc : finals_) {
    if (fc.view < view) out = std::max(out, fc.rank());
  }
  return out;
}

std::optional<Certificate> Members::certify(Phase phase, View view, std::size_t place) {
  const auto point = spots_[place].point();
  if (honest_majority_ && !(phase == Phase::lock ? may_lock(view, place) : may_final(view, place))) return std::nullopt;
  Certificate out{phase, view, point, {}};
  const auto digest = vote_digest(fuzz_verifier().domain(), phase, view, point);
  for (std::uint16_t i = 0; i < member_count; ++i) {
    if (i != self_.value) out.signatures.push_back({{i}, cheap_scheme().sign(member_secret({i}), digest)});
  }
  if (!made_.emplace(phase, view, place).second) return out;
  if (phase == Phase::final) {
    finals_.push_back(out);
    (void)certify(Phase::lock, view, place);
    if (extends(place, final_place_)) final_place_ = place;
  } else {
    locks_.push_back(out);
    locked_[view].push_back(place);
  }
  return out;
}

std::optional<ViewChange> Members::change(NodeId node, View view, std::optional<std::size_t> lock) {
  ViewChange out{{node, view, {{0}, {{0}, empty_root()}}, {}}, std::nullopt, std::nullopt};
  if (lock) {
    out.lc = locks_[*lock % locks_.size()];
    out.signed_part.lock = out.lc->lock();
  }
  if (!finals_.empty()) out.fc = finals_.back();
  const auto rank = out.signed_part.lock.rank();
  if (out.signed_part.lock.view >= view && lock) return std::nullopt;
  if (honest_majority_ && rank < highest_final_below(view)) return std::nullopt;
  changes_sent_.push_back({view, rank});
  return std::get<ViewChange>(sign(node, std::move(out)));
}

std::optional<NewView> Members::new_view(View view, const std::vector<ViewChange>& changes) {
  const auto leader = fuzz_genesis().leader(view);
  if (leader == self_ || changes.empty()) return std::nullopt;
  const auto& highest =
      *std::ranges::max_element(changes, {}, [](const ViewChange& change) { return change.signed_part.lock.rank(); });
  NewView out{view, highest.signed_part.lock, highest.lc, {}, {}};
  for (const auto& change : changes) out.changes.push_back(change.signed_part);
  if (honest_majority_ && !may_base(view, out.base.point)) return std::nullopt;
  base_named(view, out.base.point);
  return std::get<NewView>(sign(leader, std::move(out)));
}

void Members::base_named(View view, const LogPoint& base) {
  if (const auto place = place_of(base)) bases_.emplace(view, *place);
}

void Members::proposed_by_self(const ProposalHeader& header, const RequestsPtr& requests) {
  if (const auto place = place_of(Batch{header, requests, 0})) own_proposals_.emplace(header.view, *place);
}

Proposal Members::propose(View view, std::size_t place) const {
  const auto& batch = *spots_[place].batch;
  Proposal out{batch.header, batch.requests, std::nullopt, std::nullopt, std::nullopt};
  out.header.view = view;
  out.header.signature = {};
  return std::get<Proposal>(sign(fuzz_genesis().leader(view), std::move(out)));
}

}  // namespace zell::testing
