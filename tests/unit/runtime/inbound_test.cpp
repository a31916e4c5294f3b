#include "node/runtime/inbound.h"

#include <atomic>
#include <vector>

#include "node/wire/request_codec.h"
#include "tests/unit/runtime/loop_fixture.h"

namespace zell {
namespace {

struct Fixture {
  Fixture() {
    for (int i = 1; i <= 4; ++i) {
      auto name = "n" + std::to_string(i);
      genesis.members.push_back({name, *secp256k1_scheme().public_key(dev_secret_key(1, name)), 1});
    }
    verifier = std::make_unique<Verifier>(genesis, secp256k1_scheme(), nullptr);
    Inbound::Outlets outlets;
    outlets.deliver = [this](NodeId from, const VerifiedMessage& message) {
      delivered.emplace_back(from, name_of(message->get()));
      if (auto* fetch = std::get_if<Fetch>(&message->get())) fetched.push_back(fetch->view.value);
    };
    outlets.refuse = [this](NodeId, const Error& why) { refused.push_back(why.code); };
    outlets.pause = [this](NodeId) { ++paused; };
    outlets.resume = [this](NodeId) { ++resumed; };
    inbound = std::make_unique<Inbound>(pool, *verifier, NodeId{0}, std::move(outlets));
  }
  ~Fixture() {
    bool closed = false;
    pool.close([&] { closed = true; });
    CHECK(loop.run_until([&] { return closed; }));
  }
  [[nodiscard]] Bytes encoded(const Message& message) const { return encode_message(message, Epoch{}); }
  [[nodiscard]] Bytes fetch(std::uint64_t number) const {
    return encoded(Fetch{Fetch::Kind::new_view, View{number}, {}, {}});
  }
  [[nodiscard]] Bytes forward(std::size_t bytes) const {
    std::vector<Bytes> payloads{Bytes(bytes)};
    Forward out;
    out.requests.push_back(
        sign_request(verifier->domain(), secp256k1_scheme(), dev_secret_key(1, "alice"), "default", 1, payloads));
    return encoded(out);
  }

  TestLoop loop;
  Genesis genesis;
  std::unique_ptr<Verifier> verifier;
  WorkPool pool{loop, 3, 100'000};
  std::unique_ptr<Inbound> inbound;
  std::vector<std::pair<NodeId, std::string_view>> delivered;
  std::vector<std::uint64_t> fetched;
  std::vector<std::string> refused;
  int paused = 0, resumed = 0;
};

}  // namespace

TEST_CASE("messages of one peer and lane reach the core in order, however long each takes to check") {
  Fixture fixture;
  for (std::uint64_t i = 0; i < 300; ++i) {
    if (i % 10 == 0) fixture.inbound->on_frame(NodeId{1}, fixture.forward(100'000));
    fixture.inbound->on_frame(NodeId{1}, fixture.fetch(i));
  }
  REQUIRE(fixture.loop.run_until([&] { return fixture.delivered.size() == 330; }));
  for (std::uint64_t i = 0; i < 300; ++i) CHECK(fixture.fetched[i] == i);
  CHECK(fixture.delivered[0].second == "Forward");
  CHECK(fixture.delivered[1].second == "Fetch");
}

TEST_CASE(
    "garbage, unknown types, other epochs and forged signatures from a peer are refused, and what follows is not") {
  Fixture fixture;
  fixture.inbound->on_frame(NodeId{1}, {});
  fixture.inbound->on_frame(NodeId{1}, {1});
  fixture.inbound->on_frame(NodeId{1}, Bytes(100, 0xff));
  auto unknown = fixture.fetch(1);
  unknown[1] = 99;
  fixture.inbound->on_frame(NodeId{1}, unknown);
  fixture.inbound->on_frame(NodeId{1}, encode_message(Message(Fetch{}), Epoch{7}));
  auto forged = fixture.forward(10);
  forged.back() ^= 1;
  fixture.inbound->on_frame(NodeId{1}, forged);
  fixture.inbound->on_frame(NodeId{1}, fixture.fetch(5));
  REQUIRE(fixture.loop.run_until([&] { return fixture.delivered.size() == 1; }));
  CHECK(fixture.refused.size() == 6);
  CHECK(fixture.fetched == std::vector<std::uint64_t>{5});
}

TEST_CASE("a peer past its budget of bytes or frames is not read until half of it is checked") {
  Fixture fixture;
  auto large = fixture.forward(200'000);
  std::size_t count = inbound_bytes_per_peer / large.size() + 2;
  for (std::size_t i = 0; i < count; ++i) fixture.inbound->on_frame(NodeId{2}, large);
  CHECK(fixture.paused == 1);
  fixture.inbound->on_peer_up(NodeId{2});  // a reconnect does not get around it
  CHECK(fixture.paused == 2);
  REQUIRE(fixture.loop.run_until([&] { return fixture.delivered.size() == count; }));
  CHECK(fixture.resumed == 1);
  fixture.inbound->on_peer_up(NodeId{2});
  CHECK(fixture.paused == 2);

  fixture.inbound->on_frame(NodeId{1}, large);  // the pool is busy: small frames wait, too
  for (std::uint64_t i = 0; i <= inbound_frames_per_peer; ++i) fixture.inbound->on_frame(NodeId{3}, fixture.fetch(i));
  CHECK(fixture.paused == 3);
  REQUIRE(fixture.loop.run_until([&] { return fixture.fetched.size() == inbound_frames_per_peer + 1; }));
  CHECK(fixture.resumed == 2);
}

TEST_CASE("a small frame is checked at once while nothing else is being checked, and else in its turn") {
  Fixture fixture;
  fixture.inbound->on_frame(NodeId{1}, fixture.fetch(1));
  CHECK(fixture.fetched == std::vector<std::uint64_t>{1});
  fixture.inbound->on_frame(NodeId{1}, {1});
  CHECK(fixture.refused.size() == 1);
  fixture.inbound->on_frame(NodeId{1}, fixture.forward(checked_here_bytes));
  fixture.inbound->on_frame(NodeId{1}, fixture.fetch(2));
  CHECK(fixture.fetched.size() == 1);
  REQUIRE(fixture.loop.run_until([&] { return fixture.fetched.size() == 2; }));
  REQUIRE(fixture.loop.run_until([&] { return fixture.delivered.size() == 3; }));
}

TEST_CASE("a peer that sends many small frames at once is paused, and does not hold the loop") {
  Fixture fixture;
  for (std::uint64_t i = 0; i < 10'000; ++i) fixture.inbound->on_frame(NodeId{1}, fixture.fetch(i));
  CHECK(fixture.fetched.size() <= checked_here_at_once);
  CHECK(fixture.paused == 1);
  REQUIRE(fixture.loop.run_until([&] { return fixture.fetched.size() == 10'000; }));
  for (std::uint64_t i = 0; i < 10'000; ++i) REQUIRE(fixture.fetched[i] == i);
}

TEST_CASE("the lane of a frame is that of its message") {
  Fixture fixture;
  Vote vote;
  vote.phase = Phase::lock;
  CHECK(lane_of_frame(fixture.encoded(vote)) == Lane::urgent);
  CHECK(lane_of_frame(fixture.fetch(1)) == lane_of(Message(Fetch{})));
  CHECK(lane_of_frame(fixture.encoded(Chunk{})) == Lane::bulk);
  CHECK(lane_of_frame({}) == Lane::normal);
}

}  // namespace zell
