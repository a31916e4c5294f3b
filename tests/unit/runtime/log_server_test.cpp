// A peer that catches up is served ahead of its questions, within bounds; what is lost is sent again.

#include "node/runtime/log_server.h"

#include <catch2/catch.hpp>
#include <deque>

#include "node/wire/codec.h"
#include "tests/support/chain.h"

namespace zell {
namespace {

using testing::Chain;

std::unique_ptr<Store> empty_store(const Genesis& genesis) {
  auto made = make_memory_store(genesis, Standing::member);
  REQUIRE(made->recover([](const Batch&) {}).ok());
  return made;
}

/// A log of so many chunks of 32 requests; reads wait until the test lets them be done.
struct Served {
  explicit Served(std::size_t chunks) {
    for (std::size_t i = 0; i < chunks; ++i) append_a_chunk();
    LogServer::Outlets outlets;
    outlets.read = [this](auto work, auto done) -> Status {
      reads.emplace_back(std::move(work), std::move(done));
      return Ok{};
    };
    outlets.has_room = [this](NodeId) { return room; };
    outlets.send = [this](NodeId to, Lane lane, FramePtr frame) {
      CHECK(to == NodeId{2});
      CHECK(lane == Lane::bulk);
      auto message = decode_message(*frame, {chain.domain, chain.genesis.parameters, chain.genesis.size()});
      REQUIRE(message.ok());
      const auto& chunk = std::get<Chunk>(*message);
      sent.emplace_back(chunk.from.value, chunk.batches.back()->header.end.index.value);
    };
    outlets.failed = [](const Error&) { FAIL("the store can be read"); };
    server = std::make_unique<LogServer>(chain.domain.epoch, chain.genesis.size(), std::move(outlets));
  }
  /// Two batches: a third would not fit in the chunk.
  void append_a_chunk() {
    for (int batch = 0; batch < 2; ++batch) {
      Requests requests;
      for (int i = 0; i < 16; ++i) requests.push_back(chain.request(++nonce, std::string(62'000, 'x')));
      chain.append(std::move(requests));
      Delta delta;
      delta.batches = {chain.batches.back()};
      delta.state.emplace();
      delta.state->active = true;
      delta.state->base = {{0}, empty_root()};
      delta.state->tip = chain.tip();
      delta.fc = chain.certificates.at(chain.tip().index.value);
      REQUIRE(store->commit(std::span(&delta, 1)).ok());
    }
  }
  void ask(std::uint64_t from) { server->serve({NodeId{2}, {from}}); }
  /// The reads that are asked for by now, and those that follow from them, are done.
  void read_all() {
    while (!reads.empty()) read_one();
  }
  void read_one() {
    auto [work, done] = std::move(reads.front());
    reads.pop_front();
    work(*store);
    done();
  }
  using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  Ranges take() { return std::exchange(sent, {}); }

  Chain chain;
  std::uint64_t nonce = 0;
  std::unique_ptr<Store> store = empty_store(chain.genesis);
  std::deque<std::pair<std::function<void(Store&)>, std::function<void()>>> reads;
  Ranges sent;
  bool room = true;
  std::unique_ptr<LogServer> server;
};

using Ranges = Served::Ranges;

}  // namespace

TEST_CASE("the first question is answered with several chunks, and each that shows that they arrive with one more") {
  Served peer(5);
  peer.ask(0);
  peer.read_all();
  CHECK(peer.take() == Ranges{{0, 32}, {32, 64}, {64, 96}});
  peer.ask(32);
  peer.read_all();
  CHECK(peer.take() == Ranges{{96, 128}});
  peer.ask(64);
  peer.read_all();
  CHECK(peer.take() == Ranges{{128, 160}});
  for (std::uint64_t has : {96u, 128u, 160u}) peer.ask(has);
  peer.read_all();
  CHECK(peer.take().empty());  // that was the end
  peer.append_a_chunk();
  peer.ask(160);
  peer.read_all();
  CHECK(peer.take() == Ranges{{160, 192}});
}

TEST_CASE("the same question again means that something was lost: it is served from there") {
  Served peer(5);
  peer.ask(0);
  peer.read_all();
  (void)peer.take();
  peer.ask(32);
  peer.read_all();
  CHECK(peer.take() == Ranges{{96, 128}});
  peer.ask(32);
  peer.read_all();
  CHECK(peer.take() == Ranges{{32, 64}, {64, 96}, {96, 128}});
}

TEST_CASE("whoever asks for something else while it is served gets that, and one read runs at a time") {
  Served peer(5);
  peer.ask(0);
  for (int i = 0; i < 5; ++i) peer.ask(64);
  CHECK(peer.reads.size() == 1);
  peer.read_one();
  CHECK(peer.take().empty());  // what was read is not what is asked for by now
  peer.read_all();
  CHECK(peer.take() == Ranges{{64, 96}, {96, 128}, {128, 160}});
}

TEST_CASE("nothing is read for a peer whose queue is full") {
  Served peer(2);
  peer.room = false;
  peer.ask(0);
  CHECK(peer.reads.empty());
  peer.room = true;
  peer.ask(0);
  peer.read_all();
  CHECK(peer.take() == Ranges{{0, 32}, {32, 64}});
}

}  // namespace zell
