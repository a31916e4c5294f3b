// The small parts of the core, each by its own rules.

#include <catch2/catch.hpp>

#include "node/consensus/evidence.h"
#include "node/consensus/mempool.h"
#include "node/consensus/pacemaker.h"
#include "node/consensus/view_book.h"
#include "node/consensus/vote_collector.h"
#include "tests/unit/consensus/fixtures.h"

using namespace zell;
using namespace zell::consensus_test;

namespace {

Vote vote_of(std::uint16_t signer, const LogPoint& point) {
  return {Phase::lock, {}, point, {signer}, {}};
}

LogPoint point(std::uint64_t index, std::uint8_t tag) {
  LogPoint out{{index}, {}};
  out.root.bytes[0] = tag;
  return out;
}

SignedChallenge challenge_of(std::uint16_t node, std::uint64_t view) {
  return {{node}, {view}, Reason::manual, {}};
}

}  // namespace

TEST_CASE("a nonce window keeps the 1,024 highest nonces, and forgets the lowest for a higher one only") {
  NonceWindows windows;
  auto key = some_key(1);
  for (std::uint64_t n = 1; n <= nonces_per_sender; ++n) (void)windows.insert(key, 10 * n);
  CHECK(windows.check(key, 10) == NonceVerdict::duplicate);
  CHECK(windows.check(key, 9) == NonceVerdict::too_old);
  CHECK(windows.check(key, 15) == NonceVerdict::fresh);  // a gap above the minimum may still be filled
  CHECK(windows.check(some_key(2), 9) == NonceVerdict::fresh);
  auto undo = windows.insert(key, 15);
  CHECK(undo.evicted == 10);
  CHECK(windows.check(key, 10) == NonceVerdict::too_old);
}

TEST_CASE("a window that is not full takes any nonce that it does not hold") {
  NonceWindows windows;
  (void)windows.insert(some_key(1), 100);
  CHECK(windows.check(some_key(1), 1) == NonceVerdict::fresh);
  CHECK(windows.check(some_key(1), 100) == NonceVerdict::duplicate);
}

TEST_CASE("insertions undone in reverse order leave the windows as they were") {
  NonceWindows windows;
  auto key = some_key(1);
  for (std::uint64_t n = 0; n < nonces_per_sender; ++n) (void)windows.insert(key, 100 + 2 * n);
  std::vector<NonceWindows::Undo> done;
  for (std::uint64_t n = 0; n < 50; ++n) done.push_back(windows.insert(key, 101 + 4 * n + 200));
  for (auto undo = done.rbegin(); undo != done.rend(); ++undo) windows.undo(*undo);
  for (std::uint64_t n = 0; n < nonces_per_sender; ++n)
    CHECK(windows.check(key, 100 + 2 * n) == NonceVerdict::duplicate);
  CHECK(windows.check(key, 99) == NonceVerdict::too_old);
  CHECK(windows.check(key, 301) == NonceVerdict::fresh);
  auto only = windows.insert(some_key(2), 1);
  windows.undo(only);
  CHECK(windows.senders() == 1);  // nothing is kept of a sender who has nothing in the log
}

TEST_CASE("nonce windows are made again from what they say they hold") {
  NonceWindows windows;
  for (std::uint64_t n = 0; n < nonces_per_sender + 10; ++n) (void)windows.insert(some_key(2), 5 + 2 * n);
  (void)windows.insert(some_key(1), 7);
  CHECK(windows.count() == nonces_per_sender + 1);
  windows.undo(windows.insert(some_key(2), 9'999));
  CHECK(windows.count() == nonces_per_sender + 1);
  const auto all = NonceWindows(windows).all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].sender < all[1].sender);
  const NonceWindows again(all);
  CHECK(NonceWindows(again).all() == all);
  CHECK(again.count() == windows.count());
  CHECK(again.check(some_key(2), 5) == NonceVerdict::too_old);
  CHECK(again.check(some_key(2), 26) == NonceVerdict::fresh);
  CHECK(again.check(some_key(2), 25) == NonceVerdict::duplicate);
  CHECK(again.check(some_key(1), 7) == NonceVerdict::duplicate);
}

TEST_CASE("votes certify by stake, not by heads, and exactly two thirds are not enough") {
  auto genesis = make_genesis({1, 1, 1, 3});
  VoteCollector heads(genesis);
  auto p = point(5, 1);
  CHECK_FALSE(heads.add(vote_of(0, p)));
  CHECK_FALSE(heads.add(vote_of(1, p)));
  CHECK_FALSE(heads.add(vote_of(2, p)));  // three of four members: half of the stake
  auto certificate = heads.add(vote_of(3, p));
  REQUIRE(certificate);
  CHECK(certificate->signatures.size() == 4);
  VoteCollector thirds(genesis);
  CHECK_FALSE(thirds.add(vote_of(3, p)));
  CHECK_FALSE(thirds.add(vote_of(0, p)));  // 4 of 6
  CHECK(thirds.add(vote_of(1, p)));
}

TEST_CASE("a signer counts once, and its second root for an index is noticed and not counted") {
  auto genesis = make_genesis({1, 1, 1, 1});
  VoteCollector votes(genesis);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(votes.add(vote_of(0, point(5, 1))));
  CHECK_FALSE(votes.add(vote_of(1, point(5, 1))));
  CHECK(votes.conflicting(vote_of(1, point(5, 1))) == nullptr);
  REQUIRE(votes.conflicting(vote_of(1, point(5, 2))) != nullptr);
  CHECK(votes.conflicting(vote_of(1, point(5, 2)))->point == point(5, 1));
  CHECK_FALSE(votes.add(vote_of(2, point(5, 2))));
  auto certificate = votes.add(vote_of(3, point(5, 1)));
  REQUIRE(certificate);
  CHECK(certificate->has_signer({0}));
  CHECK_FALSE(certificate->has_signer({2}));
  CHECK_FALSE(votes.add(vote_of(2, point(5, 1))));  // made once
}

TEST_CASE("the view timeout doubles with each move up to the cap, and shrinks only after a full quiet period") {
  Parameters parameters;
  parameters.view_timeout_ms = 100;
  parameters.view_timeout_cap_ms = 400;
  Pacemaker pace(parameters);
  using std::chrono::milliseconds;
  Instant now{1'000'000};
  for (auto expected : {200, 400, 400, 400}) {
    pace.moved(now);
    CHECK(pace.timeout() == milliseconds(expected));
  }
  pace.start(now);
  pace.progressed(now);
  pace.tick(now + milliseconds(399));
  CHECK(pace.timeout() == milliseconds(400));
  pace.tick(now + milliseconds(400));
  CHECK(pace.timeout() == milliseconds(200));
  now = now + milliseconds(400);
  pace.tick(now + milliseconds(200));  // nothing was finalised in this one
  CHECK(pace.timeout() == milliseconds(200));
  now = now + milliseconds(200);
  pace.progressed(now);
  pace.complained();
  pace.tick(now + milliseconds(200));  // this node had a complaint
  CHECK(pace.timeout() == milliseconds(200));
}

TEST_CASE("each member has one slot for its challenge, and a challenge counts against all views up to its own") {
  auto genesis = make_genesis({1, 1, 1, 1});
  ChallengeBook book(genesis);
  CHECK(book.add(challenge_of(0, 3)));
  CHECK_FALSE(book.challenged());
  CHECK_FALSE(book.add(challenge_of(0, 3)));
  CHECK_FALSE(book.add(challenge_of(0, 2)));
  CHECK_FALSE(book.challenged());
  CHECK(book.add(challenge_of(1, 7)));
  CHECK(book.challenged() == View{3});  // only one member stands against 4..7
  CHECK(book.against({3}).size() == 2);
  CHECK(book.against({4}).size() == 1);
}

TEST_CASE("a member's ViewChange is replaced by one for a higher view or with a higher lock only") {
  auto genesis = make_genesis({1, 1, 1, 1});
  ViewChangeBook book(genesis);
  auto change = [](std::uint16_t node, std::uint64_t view, std::uint64_t index) {
    return ViewChange{{{node}, {view}, {View{}, point(index, 1)}, {}}, {}, {}};
  };
  CHECK(book.add(change(0, 4, 2)));
  CHECK_FALSE(book.add(change(0, 4, 1)));
  CHECK(book.add(change(0, 4, 3)));
  CHECK_FALSE(book.add(change(0, 3, 9)));
  CHECK(book.add(change(1, 4, 0)));
  CHECK_FALSE(book.quorum_for({4}));
  CHECK(book.add(change(2, 5, 0)));
  CHECK_FALSE(book.quorum_for({4}));
  CHECK(book.add(change(3, 4, 0)));
  CHECK(book.quorum_for({4}));
  CHECK(book.for_view({4}).size() == 3);
}

TEST_CASE("a leader serves the forwarding nodes in turn and refuses nothing inside their quota") {
  ForwardQueues queues(3);
  for (std::uint64_t n = 1; n <= 3; ++n) CHECK(queues.push({0}, make_request(1, n)));
  CHECK_FALSE(queues.push({0}, make_request(1, 4)));
  CHECK(queues.push({0}, make_request(1, 2)));  // queued already: not a second one
  CHECK(queues.push({2}, make_request(2, 1)));
  CHECK(queues.count() == 4);
  std::vector<std::uint16_t> turns;
  while (queues.pop()) turns.push_back(queues.last_popped().value);
  CHECK(turns == std::vector<std::uint16_t>{2, 0, 0, 0});
  CHECK(queues.bytes() == 0);
}

TEST_CASE("a pool has room while neither its count nor its bytes are used up") {
  ReplicaOptions options;
  const auto size = make_request(1, 1)->canonical.size();
  options.pool_max_requests = 3;
  options.pool_max_bytes = 2 * size;
  LocalPool by_bytes(options);
  for (std::uint64_t n = 1; n <= 2; ++n) {
    REQUIRE(by_bytes.has_room(*make_request(1, n)));
    by_bytes.add(make_request(1, n), true, {});
  }
  CHECK_FALSE(by_bytes.has_room(*make_request(1, 3)));
  by_bytes.remove(make_request(1, 3)->id);  // not there: nothing changes
  CHECK(by_bytes.bytes() == 2 * size);
  by_bytes.remove(make_request(1, 2)->id);
  CHECK(by_bytes.has_room(*make_request(1, 3)));
  options.pool_max_bytes = 100 * size;
  for (std::uint64_t n = 3; n <= 4; ++n) by_bytes.add(make_request(1, n), true, {});
  CHECK_FALSE(by_bytes.has_room(*make_request(1, 5)));
}

TEST_CASE("evidence and headers are remembered up to a bound, whatever is signed") {
  EvidenceWatch watch;
  for (std::uint64_t view = 0; view < 1'024; ++view) {
    CHECK(watch.is_new(TwoProposals{{{view}, {}, {}, {}, {}}, {}, {}, {}}, {1}));
  }
  CHECK_FALSE(watch.is_new(TwoProposals{{{0}, {}, {}, {}, {}}, {}, {}, {}}, {1}));  // known
  CHECK_FALSE(watch.is_new(TwoProposals{{{5'000}, {}, {}, {}, {}}, {}, {}, {}}, {1}));
  CHECK(watch.count() == 1'024);

  const auto header = [](std::uint64_t at) { return ProposalHeader{{0}, {2 * at}, {}, point(2 * at, 1), {}}; };
  for (std::uint64_t at = 1; at <= 256; ++at) CHECK_FALSE(watch.saw_header(header(at)));  // none overlap or adjoin
  auto rival = header(256);
  rival.end.root.bytes[0] = 2;
  CHECK(watch.saw_header(rival));
  CHECK_FALSE(watch.saw_header(header(257)));  // not kept
  rival = header(257);
  rival.end.root.bytes[0] = 2;
  CHECK_FALSE(watch.saw_header(rival));
}
