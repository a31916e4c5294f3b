// The log above the finalised prefix, and the rules that allow a vote.

#include <catch2/catch.hpp>

#include "node/consensus/safety_rules.h"
#include "tests/unit/consensus/fixtures.h"

using namespace zell;
using namespace zell::consensus_test;

namespace {

/// Two branches from the empty log: a1, a2 and b1, b2.
struct Branches {
  BatchPtr a1 = make_batch({0}, {}, {make_request(1, 1), make_request(1, 2)});
  CompactRange at_a1 = after({}, *a1);
  BatchPtr a2 = make_batch({0}, at_a1, {make_request(1, 3)});
  BatchPtr b1 = make_batch({0}, {}, {make_request(1, 1)});
  CompactRange at_b1 = after({}, *b1);
  BatchPtr b2 = make_batch({0}, at_b1, {make_request(2, 1), make_request(2, 2), make_request(2, 3)});
  OrderedLog log{CompactRange{}, NonceWindows{}};

  Branches() {
    log.append(a1);
    log.append(a2);
  }
  static LogPoint end(const BatchPtr& batch) { return batch->header.end; }
};

DurableState state_at(View view, const LogPoint& base) {
  DurableState state;
  state.view = view;
  state.base = base;
  return state;
}

const LogPoint empty_log{Index{}, empty_root()};

}  // namespace

TEST_CASE("a batch follows the tip, leads to its root, and takes each nonce once") {
  Branches b;
  CHECK(b.log.tip() == Branches::end(b.a2));
  CHECK(b.log.find((*b.a2->requests)[0]->id) == Index{3});
  CHECK(b.log.check(*b.b2).fit == OrderedLog::Fit::wrong_parent);
  auto wrong = std::make_shared<Batch>(*make_batch({0}, b.log.tip_range(), {make_request(3, 1)}));
  wrong->header.end.root.bytes[0] ^= 1;
  CHECK(b.log.check(*wrong).fit == OrderedLog::Fit::wrong_root);
  wrong = std::make_shared<Batch>(*make_batch({0}, b.log.tip_range(), {make_request(3, 1)}));
  wrong->header.end.index = wrong->header.end.index.next();
  CHECK(b.log.check(*wrong).fit == OrderedLog::Fit::wrong_root);
  auto taken = make_batch({0}, b.log.tip_range(), {make_request(3, 1), make_request(1, 2, 9)});
  CHECK(b.log.check(*taken).fit == OrderedLog::Fit::bad_nonce);
  CHECK(b.log.check(*taken).position == 1);
  auto twice = make_batch({0}, b.log.tip_range(), {make_request(3, 1), make_request(3, 1, 9)});
  CHECK(b.log.check(*twice).fit == OrderedLog::Fit::bad_nonce);
  CHECK(b.log.nonces().check(some_key(3), 1) == NonceVerdict::fresh);  // trying left no trace
}

TEST_CASE("a cut gives back requests and nonces, and keeps what it removed aside") {
  Branches b;
  b.log.cut_to(Branches::end(b.a1));
  CHECK(b.log.tip() == Branches::end(b.a1));
  CHECK(b.log.find((*b.a2->requests)[0]->id) == Index{});
  CHECK(b.log.nonces().check(some_key(1), 3) == NonceVerdict::fresh);
  CHECK(b.log.known(Branches::end(b.a2)));
  CHECK_FALSE(b.log.on_chain(Branches::end(b.a2)));
}

TEST_CASE(
    "a switch takes the chain to another branch and back; forgetting drops all but what leads to what is wanted") {
  Branches b;
  b.log.keep_aside(b.b1);
  CHECK_FALSE(b.log.known(Branches::end(b.b2)));
  b.log.keep_aside(b.b2);
  REQUIRE(b.log.known(Branches::end(b.b2)));
  REQUIRE(b.log.switch_to(Branches::end(b.b2)));
  CHECK(b.log.tip() == Branches::end(b.b2));
  CHECK(b.log.nonces().check(some_key(1), 2) == NonceVerdict::fresh);
  CHECK(b.log.nonces().check(some_key(2), 3) == NonceVerdict::duplicate);
  auto forgotten = b.log.forget_side_except({Branches::end(b.a1)});
  CHECK(forgotten == std::set{Branches::end(b.a2)});
  REQUIRE(b.log.switch_to(Branches::end(b.a1)));
  CHECK(b.log.tip() == Branches::end(b.a1));
}

TEST_CASE("a switch to a branch whose nonces do not fit changes nothing") {
  Branches b;
  auto bad = make_batch({0}, b.at_b1, {make_request(1, 1, 7)});  // b1 has this sender's nonce 1 already
  b.log.keep_aside(b.b1);
  b.log.keep_aside(bad);
  CHECK_FALSE(b.log.switch_to(Branches::end(bad)));
  CHECK(b.log.tip() == Branches::end(b.a2));
  CHECK(b.log.nonces().check(some_key(1), 3) == NonceVerdict::duplicate);

  auto bad_above = make_batch({0}, b.at_a1, {make_request(1, 1, 7)});  // one that shares a batch with the chain
  b.log.keep_aside(bad_above);
  CHECK_FALSE(b.log.switch_to(Branches::end(bad_above)));
  CHECK(b.log.tip() == Branches::end(b.a2));
}

TEST_CASE("what is final is given out once, in order, and ends the branches at or below it") {
  Branches b;
  b.log.keep_aside(b.b1);
  auto out = b.log.finalise(Branches::end(b.a2));
  REQUIRE(out.size() == 2);
  CHECK(out[0] == b.a1);
  CHECK(b.log.finalised() == Branches::end(b.a2));
  CHECK(b.log.unfinalised_count() == 0);
  b.log.keep_aside(b.b1);
  CHECK(b.log.side_count() == 0);
  CHECK(b.log.finalise(Branches::end(b.a2)).empty());
  CHECK(b.log.forget_side_except({}).empty());
}

TEST_CASE("the nonces of what is final are told without those of what is not yet") {
  Branches b;
  CHECK(b.log.finalised_nonces().all().empty());
  b.log.finalise(Branches::end(b.a1));
  const auto all = b.log.finalised_nonces().all();
  REQUIRE(all.size() == 1);
  CHECK(all[0].sender == (*b.a1->requests)[0]->sender);
  CHECK(all[0].nonces == std::vector<std::uint64_t>{1, 2});
  CHECK(b.log.nonces().check(all[0].sender, 3) == NonceVerdict::duplicate);  // it is only a copy that lacks it
}

TEST_CASE("LOCK: allowed above the base or the last LOCK on this chain, refused otherwise") {
  Branches b;
  auto state = state_at({0}, empty_log);
  auto a1 = Branches::end(b.a1), a2 = Branches::end(b.a2);
  CHECK(may_lock(state, b.log, a1).empty());
  CHECK(may_lock(state, b.log, a2).empty());
  CHECK_FALSE(may_lock(state, b.log, empty_log).empty());
  CHECK_FALSE(may_lock(state, b.log, Branches::end(b.b1)).empty());

  state.last_lock = a1;
  CHECK_FALSE(may_lock(state, b.log, a1).empty());
  CHECK(may_lock(state, b.log, a2).empty());

  state = state_at({1}, a2);
  CHECK(may_lock(state, b.log, a2).empty());  // the base itself
  CHECK_FALSE(may_lock(state, b.log, a1).empty());
}

// The log grows only where it ends, and leaves a LOCK of the view only for a branch that is certified in it: so no run
// of correct cores comes here, and the rule is tried on a log that was made up.
TEST_CASE("LOCK: a log that extends neither the last LOCK of the view nor its base is refused") {
  Branches b;
  auto a2 = Branches::end(b.a2), b1 = Branches::end(b.b1);
  auto state = state_at({1}, empty_log);
  REQUIRE(may_lock(state, b.log, a2).empty());
  state.last_lock = b1;
  CHECK(may_lock(state, b.log, a2) == "does not extend the last LOCK or the base of this view");
  state = state_at({1}, b1);
  CHECK(may_lock(state, b.log, a2) == "does not extend the last LOCK or the base of this view");
}

TEST_CASE("LOCK: a longer LC of the view takes the last LOCK's place, one of another view does not") {
  Branches b;
  auto a1 = Branches::end(b.a1), a2 = Branches::end(b.a2);
  auto state = state_at({2}, empty_log);
  state.last_lock = Branches::end(b.b1);
  state.highest_lc = make_certificate(Phase::lock, {2}, a1, {0, 1, 2});
  CHECK(may_lock(state, b.log, a2).empty());
  state.highest_lc->point = a2;
  CHECK(may_lock(state, b.log, a1) == "below what it must extend");
  state.highest_lc->view = {1};
  CHECK_FALSE(may_lock(state, b.log, a2).empty());
}

TEST_CASE("no vote by a learner, or in a view that is not active") {
  Branches b;
  auto a1 = Branches::end(b.a1);
  auto lc = make_certificate(Phase::lock, {0}, a1, {0, 1, 2});
  auto state = state_at({0}, empty_log);
  CHECK(may_final(state, b.log, lc).empty());
  state.active = false;
  CHECK_FALSE(may_lock(state, b.log, a1).empty());
  CHECK_FALSE(may_final(state, b.log, lc).empty());
  state.active = true;
  state.standing = Standing::learner;
  CHECK_FALSE(may_lock(state, b.log, a1).empty());
  CHECK_FALSE(may_final(state, b.log, lc).empty());
}

TEST_CASE("FINAL: only on an LC of this view with its bodies here, above the last FINAL") {
  Branches b;
  auto a1 = Branches::end(b.a1), a2 = Branches::end(b.a2);
  auto state = state_at({1}, empty_log);
  CHECK(may_final(state, b.log, make_certificate(Phase::lock, {1}, a2, {0, 1, 2})).empty());
  CHECK_FALSE(may_final(state, b.log, make_certificate(Phase::lock, {0}, a2, {0, 1, 2})).empty());
  CHECK_FALSE(may_final(state, b.log, make_certificate(Phase::lock, {1}, Branches::end(b.b2), {0, 1, 2})).empty());
  state.last_final = a1;
  CHECK_FALSE(may_final(state, b.log, make_certificate(Phase::lock, {1}, a1, {0, 1, 2})).empty());
  CHECK(may_final(state, b.log, make_certificate(Phase::lock, {1}, a2, {0, 1, 2})).empty());
}

// Two LCs of one view lie on one branch, by the rule for LOCK: this one too is tried on a log that was made up.
TEST_CASE("FINAL: a log that does not extend the last FINAL of the view is refused") {
  Branches b;
  auto state = state_at({1}, empty_log);
  auto lc = make_certificate(Phase::lock, {1}, Branches::end(b.a2), {0, 1, 2});
  REQUIRE(may_final(state, b.log, lc).empty());
  state.last_final = Branches::end(b.b1);
  CHECK(may_final(state, b.log, lc) == "does not extend the last FINAL of this view");
}

TEST_CASE("a lock is reported by a member that moves, not by a learner, nor by a rejoined node without a certificate") {
  auto state = state_at({3}, empty_log);
  CHECK_FALSE(may_report_lock(state).empty());  // active already
  state.active = false;
  CHECK(may_report_lock(state).empty());
  CHECK(reported_lock(state) == Lock{{0}, empty_log});
  for (auto standing : {Standing::learner, Standing::rejoined}) {
    state.standing = standing;
    CHECK_FALSE(may_report_lock(state).empty());
  }
}

TEST_CASE("a side batch that reaches into what is final leads on from there, if it agrees with it") {
  OrderedLog log({}, {});
  const auto whole = make_batch({0}, {}, make_requests(1, 1, 10));
  const auto front = make_batch({0}, {}, make_requests(1, 1, 5));
  const auto other = make_batch({0}, {}, make_requests(2, 1, 10));
  log.keep_aside(whole);
  log.keep_aside(other);
  log.append(front);
  (void)log.finalise(front->header.end);
  REQUIRE(log.known(whole->header.end));
  CHECK(log.path({5}, whole->header.end)->front()->header.first == Index{6});
  CHECK_FALSE(log.known(other->header.end));
}

TEST_CASE("where a batch is split the log goes on: what led there before is not forgotten as a branch") {
  OrderedLog log({}, {});
  const auto whole = make_batch({0}, {}, make_requests(1, 1, 10));
  const auto front = make_batch({0}, {}, make_requests(1, 1, 5));
  log.append(front);
  log.keep_aside(whole);
  REQUIRE(log.switch_to(whole->header.end));
  REQUIRE(log.split_at(front->header.end).size() == 2);
  CHECK(log.on_chain(front->header.end));
  CHECK(log.forget_side_except({}).empty());
}
