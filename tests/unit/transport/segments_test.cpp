#include <catch2/catch.hpp>
#include <random>

#include "node/base/prng.h"
#include "node/transport/send_queue.h"

namespace zell {
namespace {

constexpr std::array<std::size_t, 3> roomy = {8u << 20, 64u << 20, 64u << 20};

Bytes flatten(const WriteBatch& batch) {
  Bytes out;
  for (auto piece : batch.pieces()) out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

std::shared_ptr<const Bytes> body(std::size_t size, std::uint8_t fill) {
  return std::make_shared<const Bytes>(size, fill);
}

struct Got {
  Lane lane;
  Bytes body;
};

Bytes segment(std::uint8_t lane, std::uint32_t length, ByteView content) {
  Writer out;
  out.u32(static_cast<std::uint32_t>(lane) << 24 | length);
  out.raw(content);
  return out.take();
}

std::optional<Cause> error_of(ByteView bytes, const std::array<std::size_t, 3>& limits = roomy) {
  SegmentReader reader(limits);
  return reader.feed(bytes, [](Lane, Bytes&&) { return true; }).error;
}

}  // namespace

TEST_CASE("frames of random sizes and lanes arrive whole and in their lane's order, however the bytes are cut") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  Prng prng(seed);
  SendQueue queue(roomy);
  std::array<std::vector<Bytes>, 3> sent;
  for (int i = 0; i < 200; ++i) {
    const auto lane = prng.below(3);
    const std::size_t bounds[] = {64, 3'000, 200'000};
    Bytes one(1 + prng.below(bounds[prng.below(3)]));
    for (auto& byte : one) byte = static_cast<std::uint8_t>(prng.next());
    sent[lane].push_back(one);
    REQUIRE(queue.push(static_cast<Lane>(lane), std::make_shared<const Bytes>(std::move(one))));
  }
  Bytes wire;
  while (!queue.empty()) {
    const auto part = flatten(queue.take(1 + prng.below(300'000)));
    wire.insert(wire.end(), part.begin(), part.end());
  }
  std::array<std::vector<Bytes>, 3> received;
  SegmentReader reader(roomy);
  ByteView rest(wire);
  while (!rest.empty()) {
    const auto n = std::min<std::size_t>(rest.size(), 1 + prng.below(prng.chance(500'000) ? 7 : 150'000));
    const auto fed = reader.feed(rest.first(n), [&](Lane lane, Bytes&& got) {
      received[index_of(lane)].push_back(std::move(got));
      return true;
    });
    REQUIRE_FALSE(fed.error);
    REQUIRE(fed.consumed == n);
    rest = rest.subspan(n);
  }
  CHECK(received == sent);
  for (auto lane : {Lane::urgent, Lane::normal, Lane::bulk}) CHECK(queue.queued_bytes(lane) == 0);
}

TEST_CASE("an urgent frame overtakes a long bulk frame between two of its segments") {
  SendQueue queue(roomy);
  REQUIRE(queue.push(Lane::bulk, body(10u << 20, 1)));
  auto wire = flatten(queue.take(256u << 10));
  REQUIRE(queue.push(Lane::urgent, body(150, 2)));
  const auto next = flatten(queue.take(256u << 10));
  wire.insert(wire.end(), next.begin(), next.end());
  SegmentReader reader(roomy);
  std::vector<Lane> got;
  REQUIRE_FALSE(reader
                    .feed(wire,
                          [&](Lane lane, Bytes&&) {
                            got.push_back(lane);
                            return true;
                          })
                    .error);
  CHECK(got == std::vector{Lane::urgent});
  CHECK(wire.size() < (600u << 10));
}

TEST_CASE("a reader that is stopped says how far it came, and goes on from there") {
  SendQueue queue(roomy);
  for (std::uint8_t i = 0; i < 3; ++i) REQUIRE(queue.push(Lane::normal, body(10, i)));
  const auto wire = flatten(queue.take(1'000));
  SegmentReader reader(roomy);
  std::vector<Bytes> got;
  ByteView rest(wire);
  for (int i = 0; i < 3; ++i) {
    const auto fed = reader.feed(rest, [&](Lane, Bytes&& one) {
      got.push_back(std::move(one));
      return false;
    });
    CHECK(got.size() == static_cast<std::size_t>(i + 1));
    rest = rest.subspan(fed.consumed);
  }
  CHECK(rest.empty());
}

TEST_CASE("segments outside the format are refused before anything of them is kept") {
  const Bytes zeros(16, 0);
  CHECK(error_of(segment(3, 16, zeros)) == Cause::bad_segment);
  CHECK(error_of(segment(0xff, 0xffffff, {})) == Cause::bad_segment);
  CHECK(error_of(segment(0, 0, {})) == Cause::bad_segment);
  CHECK(error_of(segment(0, max_segment_bytes + 1, {})) == Cause::bad_segment);
  CHECK(error_of(segment(1, 16, zeros)) == Cause::bad_segment);  // a frame of no bytes
}

TEST_CASE("a frame that announces more than its lane allows is refused at its length") {
  const Bytes four_gib(4, 0xff);
  CHECK(error_of(segment(1, 100, four_gib)) == Cause::frame_too_long);
  Writer length;
  length.u32(101);
  CHECK(error_of(segment(0, 4, length.bytes()), {100, 200, 300}) == Cause::frame_too_long);
  CHECK_FALSE(error_of(segment(1, 4, length.bytes()), {100, 200, 300}));
}

TEST_CASE("a lane holds no more than its limit, tiny frames counted with what they cost") {
  SendQueue queue({1'000, 10'000, 10'000});
  int taken = 0;
  while (queue.push(Lane::urgent, body(1, 0))) ++taken;
  CHECK(taken == 1'000 / 65);
  CHECK(queue.push(Lane::normal, body(9'000, 0)));
  CHECK_FALSE(queue.push(Lane::normal, body(9'000, 0)));
  while (!queue.empty()) (void)queue.take(100);
  CHECK(queue.push(Lane::urgent, body(1, 0)));
  CHECK(queue.push(Lane::normal, body(9'000, 0)));
}

TEST_CASE("one write gathers thousands of small frames in one piece") {
  SendQueue queue(roomy);
  for (int i = 0; i < 1'000; ++i) REQUIRE(queue.push(Lane::urgent, body(150, 0)));
  const auto batch = queue.take(256u << 10);
  CHECK(batch.size() == 1'000 * 158);
  CHECK(batch.pieces().size() == 1);
}

TEST_CASE("a long frame is referred to, not copied") {
  SendQueue queue(roomy);
  const auto frame = body(1u << 20, 0);
  REQUIRE(queue.push(Lane::bulk, frame));
  const auto batch = queue.take(64u << 10);
  CHECK(frame.use_count() == 3);  // ours, the queue's, the batch's
  CHECK(batch.pieces()[1].data() == frame->data());
}

TEST_CASE("random bytes never make a reader keep more than its limits allow") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  Prng prng(seed);
  for (int round = 0; round < 2'000; ++round) {
    SegmentReader reader({100, 1'000, 10'000});
    Bytes noise;
    // Often a plausible header, so that the noise gets further than the first check.
    for (int i = 0; i < 40; ++i) {
      Writer out;
      out.u32(static_cast<std::uint32_t>(prng.below(4) << 24 | prng.below(300)));
      if (prng.chance(700'000)) out.u32(static_cast<std::uint32_t>(prng.below(2'000)));
      noise.insert(noise.end(), out.bytes().begin(), out.bytes().end());
      for (auto n = prng.below(64); n > 0; --n) noise.push_back(static_cast<std::uint8_t>(prng.next()));
    }
    const auto fed = reader.feed(noise, [](Lane lane, Bytes&& got) {
      constexpr std::size_t bounds[] = {100, 1'000, 10'000};
      CHECK(got.size() <= bounds[index_of(lane)]);
      return true;
    });
    CHECK((fed.error || fed.consumed == noise.size()));
  }
}

}  // namespace zell
