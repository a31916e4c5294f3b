#include "tests/simulation/liars/gang.h"

#include <algorithm>

#include "node/wire/request_codec.h"

namespace zell::simulation {
namespace {

constexpr std::size_t max_memory = 64;

/// Takes off the signature that sign_message would put on.
struct Unsigning {
  void operator()(Proposal& m) const { m.header.signature = {}; }
  void operator()(Heartbeat& m) const { m.signature = {}; }
  void operator()(NewView& m) const { m.signature = {}; }
  void operator()(Vote& m) const { m.signature = {}; }
  void operator()(Challenge& m) const { m.signed_part.signature = {}; }
  void operator()(ViewChange& m) const { m.signed_part.signature = {}; }
  void operator()(ViewAnswer& m) const { m.signature = {}; }
  template <class Unsigned>
  void operator()(Unsigned&) const {}
};

}  // namespace

Gang::Gang(std::uint64_t seed, const Genesis& genesis_in, const SignatureScheme& scheme_in, Surroundings around_in)
    : genesis(genesis_in),
      scheme(scheme_in),
      domain(SigningDomain::of(genesis)),
      around(std::move(around_in)),
      random(seed ^ 0x11a2),
      user_(dev_secret_key(seed, "liar")),
      seed_(seed) {}

Message Gang::sign_in(const SigningDomain& in, Message message, NodeId as) const {
  std::visit(Unsigning{}, message);
  return sign_message(std::move(message), as, secrets_.at(as), scheme, in);
}

bool Gang::chooses(View view, std::uint64_t what, std::uint32_t per_million) const {
  return Prng(seed_ ^ (view.value << 20) ^ (what << 40)).chance(per_million);
}

bool Gang::is_victim(View view, NodeId node) const {
  return chooses(view, 1'000 + node.value, 500'000);
}

NodeId Gang::favourite(View view) const {
  Prng choice(seed_ ^ (view.value << 24));
  for (;;) {
    NodeId node{static_cast<std::uint16_t>(choice.below(genesis.size()))};
    if (!has(node)) return node;
  }
}

bool Gang::is_starved(View view, NodeId node) const {
  auto first = favourite(view).value;
  std::size_t left = genesis.tolerated_faults();
  for (std::size_t i = 0; i < genesis.size() && left > 0; ++i) {
    NodeId at{static_cast<std::uint16_t>((first + i) % genesis.size())};
    if (has(at)) continue;
    if (at == node) return true;
    --left;
  }
  return false;
}

NodeId Gang::any_outsider() {
  for (;;) {
    NodeId node{static_cast<std::uint16_t>(random.below(genesis.size()))};
    if (!has(node)) return node;
  }
}

RequestPtr Gang::with_other_payload(const Request& request) {
  Request out = request;
  out.canonical.back() ^= 1;
  return std::make_shared<const Request>(std::move(out));
}

RequestPtr Gang::own_request(std::string_view app, std::uint64_t nonce, std::uint8_t payload) const {
  Bytes bytes{0xff, payload};
  return sign_request(domain, scheme, user_, app, nonce, std::span(&bytes, 1));
}

std::optional<Message> Gang::make_proposal(View view, const CompactRange& parent, Requests requests,
                                           NodeId leader) const {
  if (requests.empty()) return std::nullopt;
  Proposal lie;
  lie.header.view = view;
  lie.header.first = {parent.size() + 1};
  lie.header.parent_root = parent.root();
  CompactRange range = parent;
  for (const auto& request : requests) range.append(request->leaf);
  lie.header.end = {{range.size()}, range.root()};
  lie.requests = std::make_shared<const Requests>(std::move(requests));
  return sign(lie, leader);
}

MessagePtr Gang::forked(const Proposal& truth, NodeId leader) {
  auto [at, fresh] = lies_.try_emplace({truth.header.view, truth.header.end});
  if (!fresh) return at->second;
  auto requests = Requests(truth.requests->rbegin(), truth.requests->rend());
  if (!fork || fork->view != truth.header.view) {
    const auto* range = random.chance(500'000) ? around.chains.range_at(truth.header.parent()) : nullptr;
    if (!range) return nullptr;
    begin_fork(truth.header.view, *range);
    if (requests.size() == genesis.parameters.batch_max_requests) requests.pop_back();
    requests.push_back(own_request("default", next_nonce++, 0));
    around.submitted(requests.back());
  }
  auto message = make_proposal(fork->view, fork->range, requests, leader);
  if (!message) return nullptr;
  for (const auto& request : requests) fork->range.append(request->leaf);
  forked_points_.insert(fork->tip());
  return at->second = std::make_shared<const Message>(std::move(*message));
}

void Gang::begin_fork(View view, const CompactRange& range) {
  fork = Fork{view, range};
}

void Gang::hear(const MessagePtr& message) {
  if (const auto* change = std::get_if<ViewChange>(message.get())) {
    changes[change->signed_part.view].insert_or_assign(change->signed_part.node, *change);
  } else if (const auto* challenge = std::get_if<Challenge>(message.get())) {
    hoard.insert_or_assign(challenge->signed_part.node, challenge->signed_part);
  } else if (const auto* certificate = std::get_if<CertificateMessage>(message.get())) {
    if (certificate->certificate.phase == Phase::lock) newest_lc = certificate->certificate;
  }
  if (!random.chance(100'000)) return;
  if (memory.size() < max_memory) {
    memory.push_back(message);
  } else {
    memory[random.below(max_memory)] = message;
  }
}

void Gang::count(const Vote& vote, std::vector<Certificate>& out) {
  if (!forked_points_.contains(vote.point)) return;
  auto& votes = votes_[{vote.phase, vote.view, vote.point}];
  MemberSet before;
  for (const auto& [node, counted] : votes) before.set(node.value);
  if (genesis.is_quorum(before)) return;
  votes.emplace(vote.signer, vote);
  for (const auto& [member, secret] : secrets_) {
    Message own = sign(Vote{vote.phase, vote.view, vote.point, member, {}}, member);
    votes.emplace(member, std::get<Vote>(own));
  }
  MemberSet set;
  Certificate certificate{vote.phase, vote.view, vote.point, {}};
  for (const auto& [node, counted] : votes) {
    set.set(node.value);
    certificate.signatures.push_back({node, counted.signature});
  }
  if (genesis.is_quorum(set)) out.push_back(std::move(certificate));
}

}  // namespace zell::simulation
