// A sequence of inputs to a real core, whose three peers say what the bytes choose. All that it is told has passed the
// verifier, as in a node. Whatever happens it breaks none of its own checks, signs nothing twice for one slot and
// nothing before it is durable, and sends nothing that an honest peer would refuse. While less than a third lies
// (the first bit), it also never stops, and calls final only what is.

#include <algorithm>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/replica_machine.h"
#include "tests/fuzz/replica_members.h"

namespace {

using namespace zell;
using namespace zell::testing;
using simulation::Violation;
using std::chrono::milliseconds;

class Play {
 public:
  explicit Play(ByteView bytes)
      : in_(bytes), setup_(in_.u8()), members_(self(), honest_majority()), node_(make_node()) {
    for (std::uint16_t i = 0; i < member_count && (setup_ & 16) != 0; ++i) {
      if (i != self().value) node_.step(PeerUp{{i}});
    }
  }
  void run();

 private:
  [[nodiscard]] bool honest_majority() const { return (setup_ & 1) != 0; }
  [[nodiscard]] NodeId self() const { return {static_cast<std::uint16_t>(setup_ >> 1 & 3)}; }
  [[nodiscard]] ReplicaMachine make_node() const {
    const auto standing = (setup_ & 8) != 0 ? Standing::learner : Standing::member;
    return {fuzz_genesis(), fuzz_verifier(), self(), member_secret(self()), standing};
  }

  // ---- What the bytes choose
  std::uint8_t byte() { return in_.u8(); }
  NodeId other() {
    const auto which = static_cast<std::uint16_t>(byte() % (member_count - 1));
    return {static_cast<std::uint16_t>(which < self().value ? which : which + 1)};
  }
  View view();
  std::size_t place();
  Requests some_requests(std::size_t count);
  std::optional<Certificate> certificate(Phase phase);
  std::optional<Certificate> maybe_final() { return byte() % 4 == 0 ? certificate(Phase::final) : std::nullopt; }

  // ---- What happens
  void hear(NodeId from, Message message);
  void hear_if(NodeId from, auto message) {
    if (message) hear(from, std::move(*message));
  }
  void submit();
  void time_passes();
  void peer_changes();
  void extend();
  void propose();
  void vote();
  void certify();
  void challenge();
  void challenge_with_evidence();
  void challenge_together();
  void change_view();
  void new_view();
  void heartbeat();
  void fetch();
  void forward();
  void chunk();
  void ask_or_answer_view();
  void restart();
  void conflict();
  void replay();
  void normal_round();
  void choose();
  void look_back();

  Reader in_;
  std::uint8_t setup_;
  Members members_;
  ReplicaMachine node_;
  std::size_t focus_ = 0, seen_ = 0;
  bool disk_failed_ = false;
};

View Play::view() {
  const auto which = byte();
  return which < 192 ? View{node_.status().view.value + which % 3} : View{which % 16u};
}

std::size_t Play::place() {
  const auto which = byte();
  const auto status = node_.status();
  const LogPoint near[] = {status.sequenced, status.locked, status.finalised};
  if (which < 96) return members_.place_of(near[which % 3]).value_or(focus_);
  return which < 160 ? focus_ : which % members_.spot_count();
}

Requests Play::some_requests(std::size_t count) {
  Requests out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(some_request(byte()));
  return out;
}

std::optional<Certificate> Play::certificate(Phase phase) {
  const auto of_view = view();
  auto out = members_.certify(phase, of_view, place());
  if (!out || byte() % 2 == 0) return out;
  // With the node's own vote, if it has signed it.
  for (const auto& message : node_.signed_messages()) {
    const auto* own = std::get_if<Vote>(&message);
    if (!own || own->phase != phase || own->view != of_view || own->point != out->point) continue;
    const auto at = std::ranges::find_if(out->signatures, [&](const auto& entry) { return entry.node > self(); });
    out->signatures.insert(at, {self(), own->signature});
    return out;
  }
  return out;
}

void Play::hear(NodeId from, Message message) {
  const auto checked = fuzz_verifier().check(std::move(message));
  if (checked.ok()) node_.step(Received{from, *checked});
}

void Play::submit() {
  const auto request = some_request(byte());
  if (fuzz_verifier().check(request).ok()) node_.step(Submit{{request}});
}

void Play::time_passes() {
  const auto how_much = byte();
  node_.pass(how_much < 200 ? milliseconds(how_much) : milliseconds(200 * (how_much - 199)));
  node_.tick();
}

void Play::peer_changes() {
  const auto peer = other();
  const auto how = byte() % 4;
  if (how < 2) return node_.step(PeerUp{peer});
  node_.step(PeerDown{peer, how == 3});
}

void Play::extend() {
  if (members_.spot_count() > 64) return;
  const auto parent = place();
  focus_ = members_.extend(parent, some_requests(1 + byte() % 3));
}

void Play::propose() {
  const auto of_view = view();
  const auto what = place();
  if (fuzz_genesis().leader(of_view) == self() || !members_.spot(what).batch) return;
  auto proposal = members_.propose(of_view, what);
  if (byte() % 4 == 0) proposal.lc = certificate(Phase::lock);
  proposal.fc = maybe_final();
  const auto by_leader = byte() % 4 != 0;
  hear(by_leader ? fuzz_genesis().leader(of_view) : other(), proposal);
}

void Play::vote() {
  const auto phase = byte() % 2 == 0 ? Phase::lock : Phase::final;
  const auto of_view = view();
  const auto what = place();
  if (honest_majority() && !members_.certify(phase, of_view, what)) return;
  const auto signer = other();
  const auto all = byte() % 2 == 0;
  for (std::uint16_t i = 0; i < member_count; ++i) {
    const NodeId node{i};
    if (node == self() || (!all && node != signer)) continue;
    hear(node, members_.sign(node, Vote{phase, of_view, members_.spot(what).point(), node, {}}));
  }
}

void Play::certify() {
  const auto phase = byte() % 2 == 0 ? Phase::lock : Phase::final;
  if (auto made = certificate(phase)) hear(other(), CertificateMessage{*made});
}

void Play::challenge() {
  const auto node = other();
  const auto reason = static_cast<Reason>(1 + byte() % 6);
  Challenge out{{node, view(), reason, {}}, nullptr, {}};
  if (reason == Reason::censored) out.censored = some_requests(byte() % 3);
  hear(node, members_.sign(node, std::move(out)));
}

void Play::challenge_with_evidence() {
  const auto of_view = view();
  const auto one = place(), two = place();
  if (fuzz_genesis().leader(of_view) == self() || !members_.spot(one).batch || !members_.spot(two).batch) return;
  auto a = members_.propose(of_view, one).header, b = members_.propose(of_view, two).header;
  if (a.end.index > b.end.index) std::swap(a, b);
  const auto node = other();
  const auto evidence = std::make_shared<const Evidence>(TwoProposals{a, b, {}, {}});
  hear(node, members_.sign(node, Challenge{{node, of_view, Reason::equivocation, {}}, evidence, {}}));
}

void Play::challenge_together() {
  const auto of_view = view();
  ChallengeCertificate out;
  for (std::uint16_t i = 0; i < member_count; ++i) {
    if (NodeId{i} == self()) continue;
    const auto one = members_.sign({i}, Challenge{{{i}, of_view, Reason::stalled, {}}, nullptr, {}});
    out.challenges.push_back(std::get<Challenge>(one).signed_part);
  }
  hear(other(), std::move(out));
}

void Play::change_view() {
  const auto node = other();
  const auto to = view();
  const auto which = byte();
  const bool locked = which % 4 != 0 && !members_.locks().empty();
  hear_if(node, members_.change(node, to, locked ? std::optional<std::size_t>(which) : std::nullopt));
}

void Play::new_view() {
  const auto to = view();
  std::vector<ViewChange> changes;
  for (std::uint16_t i = 0; i < member_count; ++i) {
    const auto which = byte();
    if (NodeId{i} == self()) {
      for (const auto& message : node_.signed_messages()) {
        const auto* own = std::get_if<ViewChange>(&message);
        if (own && own->signed_part.view == to && which % 2 == 0) changes.push_back(*own);
      }
      if (changes.size() > 1 && changes.back().signed_part.node == changes[changes.size() - 2].signed_part.node) return;
      continue;
    }
    const bool locked = which % 4 != 0 && !members_.locks().empty();
    auto one = members_.change({i}, to, locked ? std::optional<std::size_t>(which) : std::nullopt);
    if (one) changes.push_back(std::move(*one));
  }
  hear_if(other(), members_.new_view(to, changes));
}

void Play::heartbeat() {
  const auto of_view = view();
  const auto leader = fuzz_genesis().leader(of_view);
  if (leader == self()) return;
  Heartbeat out{of_view, members_.spot(place()).point(), byte(), {}, std::nullopt, std::nullopt};
  if (byte() % 4 == 0) out.lc = certificate(Phase::lock);
  out.fc = maybe_final();
  hear(leader, members_.sign(leader, std::move(out)));
}

void Play::fetch() {
  const auto kind = static_cast<Fetch::Kind>(1 + byte() % 3);
  const auto of_view = view();
  const auto peer = other();  // arguments are evaluated in any order, and an input must mean one play
  const auto index = members_.spot(place()).point().index;
  hear(peer, Fetch{kind, of_view, index, members_.spot(place()).point()});
}

void Play::chunk() {
  const auto from = place(), to = place();
  if (!members_.extends(to, from)) return;
  Chunk out{members_.spot(from).point().index, members_.batches(from, to), std::nullopt};
  if (out.batches.empty() || out.batches.front()->header.parent().index != out.from) return;
  if (byte() % 2 == 0) out.fc = members_.certify(Phase::final, view(), to);
  hear(other(), std::move(out));
}

void Play::ask_or_answer_view() {
  const auto node = other();
  if (byte() % 2 == 0) return hear(node, ViewQuery{});
  hear(node, members_.sign(node, ViewAnswer{node, view(), node_.asked_nonce(), {}}));
}

void Play::restart() {
  const auto how = byte();
  if ((how & 8) != 0) node_.step(Closing{});  // stopped, not killed
  node_.persist(how % 4);
  node_.restart(how > 240);
  disk_failed_ = false;
}

void Play::conflict() {
  const auto& finals = members_.finals();
  if (finals.size() < 2) return;
  auto a = finals[byte() % finals.size()], b = finals[byte() % finals.size()];
  if (a.point.index > b.point.index) std::swap(a, b);
  std::vector<Hash> leaves;
  for (const auto& request : members_.spot(*members_.place_of(b.point)).requests) leaves.push_back(request->leaf);
  if (a.point.index.value == 0) return;
  const auto root = tree_root(std::span(leaves).first(a.point.index.value));
  auto proof = a.point.index == b.point.index ? std::vector<Hash>{} : consistency_proof(a.point.index.value, leaves);
  hear(other(), Conflict{a, b, root, std::move(proof)});
}

void Play::forward() {
  const auto peer = other();
  hear(peer, Forward{some_requests(byte() % 4)});
}

/// Something of its own comes back to it.
void Play::replay() {
  const auto& own = node_.signed_messages();
  if (own.empty()) return;
  const auto peer = other();
  hear(peer, own[own.size() - 1 - byte() % own.size()]);
}

/// What happens all day: a batch of the leader, whoever that is, becomes final.
void Play::normal_round() {
  const auto of_view = node_.status().view;
  const auto leader = fuzz_genesis().leader(of_view);
  if (leader == self()) {
    submit();
    node_.persist(8);
  } else {
    extend();
    if (members_.spot(focus_).batch) hear(leader, members_.propose(of_view, focus_));
    node_.persist(8);
  }
  look_back();
  const auto tip = members_.place_of(node_.status().sequenced);
  if (!tip) return;
  for (auto phase : {Phase::lock, Phase::final}) {
    const auto made = members_.certify(phase, of_view, *tip);
    if (!made) return;
    hear(leader == self() ? other() : leader, CertificateMessage{*made});
    node_.persist(8);
  }
}

void Play::choose() {
  switch (byte() % 24) {
    case 0:
      return time_passes();
    case 1:
      return node_.persist(1 + byte() % 4);
    case 2:
      return peer_changes();
    case 3:
      return submit();
    case 4:
      return extend();
    case 5:
      return propose();
    case 6:
      return vote();
    case 7:
      return certify();
    case 8:
      return challenge();
    case 9:
      return challenge_together();
    case 10:
      return change_view();
    case 11:
      return new_view();
    case 12:
      return heartbeat();
    case 13:
      return fetch();
    case 14:
      return chunk();
    case 15:
      return ask_or_answer_view();
    case 16:
      return restart();
    case 17:
      return node_.step(ChallengeNow{});
    case 18:
      return forward();
    case 19:
      return conflict();
    case 20:
      return challenge_with_evidence();
    case 21:
      return replay();
    case 22:
      return normal_round();
    default:
      disk_failed_ = disk_failed_ || byte() > 250;
      if (disk_failed_) node_.fail_disk();
  }
}

/// What it signed as a leader, and what it called final.
void Play::look_back() {
  const auto& own = node_.signed_messages();
  for (; seen_ < own.size(); ++seen_) {
    if (const auto* news = std::get_if<NewView>(&own[seen_])) members_.base_named(news->view, news->base.point);
    const auto* proposal = std::get_if<Proposal>(&own[seen_]);
    if (proposal) members_.proposed_by_self(proposal->header, proposal->requests);
  }
  const auto& final = members_.spot(members_.final_place()).requests;
  for (const auto& batch : node_.take_finalised()) {
    auto index = batch->header.first.value;
    for (const auto& request : *batch->requests) {
      const bool is_final = index <= final.size() && final[index - 1]->leaf == request->leaf;
      if (honest_majority() && !is_final) throw Violation("called final what nobody certified");
      ++index;
    }
  }
  const auto status = node_.status();
  if (honest_majority() && status.stopped_code == "safety-violation") throw Violation(status.stopped_why);
}

void Play::run() {
  while (in_.left() > 0) {
    choose();
    look_back();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    Play({data, size}).run();
  } catch (const Unrecoverable&) {
    // Certificates that cannot all be honest may leave a disk that no node starts from; it says so, and that is the
    // end.
    if (size > 0 && (data[0] & 1) != 0) throw;
  }
  return 0;
}
