// Frames come out of segments alike however the connection cuts the bytes; and what a queue sends arrives.

#include <algorithm>

#include "node/transport/send_queue.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace zell;

constexpr std::array<std::size_t, lane_count> max_frame = {1 << 10, 4 << 10, 1 << 20};

struct Got {
  std::vector<std::pair<Lane, Bytes>> frames;
  std::optional<Cause> error;
  friend bool operator==(const Got&, const Got&) = default;
};

/// Fed in pieces of 1 to `longest` bytes, by a seed.
Got read(ByteView bytes, std::size_t longest, std::uint64_t seed) {
  SegmentReader reader(max_frame);
  Prng prng(seed);
  Got out;
  const auto keep = [&](Lane lane, Bytes&& body) {
    ZELL_CHECK(!body.empty() && body.size() <= max_frame[index_of(lane)]);
    out.frames.emplace_back(lane, std::move(body));
    return true;
  };
  while (!bytes.empty() && !out.error) {
    const auto piece = bytes.first(std::min<std::size_t>(bytes.size(), 1 + prng.below(longest)));
    const auto fed = reader.feed(piece, keep);
    ZELL_CHECK(fed.error || fed.consumed == piece.size());
    out.error = fed.error;
    bytes = bytes.subspan(piece.size());
  }
  return out;
}

/// The bytes as frames: a byte for the lane, two for the length, the body.
void send(ByteView bytes, std::uint64_t seed) {
  SendQueue queue({1 << 20, 1 << 20, 1 << 20});
  std::array<std::vector<Bytes>, lane_count> sent, arrived;
  Reader in(bytes);
  while (in.left() > 3) {
    const auto lane = in.u8() % lane_count;
    const auto length = std::clamp<std::size_t>(in.u16() * std::size_t{5}, 1, max_frame[lane]);
    const auto start = in.raw(std::min(length, in.left()));
    Bytes body(start.begin(), start.end());
    body.resize(length);
    if (queue.push(static_cast<Lane>(lane), std::make_shared<const Bytes>(body))) sent[lane].push_back(std::move(body));
  }
  Bytes wire;
  Prng prng(seed);
  while (!queue.empty()) {
    const auto batch = queue.take(1 + prng.below(200'000));
    for (auto piece : batch.pieces()) wire.insert(wire.end(), piece.begin(), piece.end());
  }
  auto got = read(wire, 100'000, seed);
  ZELL_CHECK(!got.error);
  for (auto& [lane, body] : got.frames) arrived[index_of(lane)].push_back(std::move(body));
  ZELL_CHECK(arrived == sent);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  const auto whole = read(bytes, std::max<std::size_t>(bytes.size(), 1), data[0]);
  ZELL_CHECK(read(bytes, 1, data[0]) == whole);
  ZELL_CHECK(read(bytes, 9, data[0]) == whole);
  send(bytes, data[0]);
  return 0;
}
