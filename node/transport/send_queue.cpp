#include "node/transport/send_queue.h"

#include <algorithm>
#include <limits>

#include "node/base/check.h"
#include "node/base/coding.h"

namespace zell {
namespace {

/// Counted for each queued frame beside its body, so that many tiny frames are bounded too: the queue's slot, the
/// shared buffer's own header, and the headers on the wire.
constexpr std::size_t frame_overhead_bytes = 64;
/// Up to here a copy is cheaper than a piece of its own in a gathered write.
constexpr std::size_t copy_bytes = 1024;

}  // namespace

void WriteBatch::copy(ByteView bytes) {
  if (pieces_.empty() || pieces_.back().owner) pieces_.emplace_back();
  copied_.insert(copied_.end(), bytes.begin(), bytes.end());
  pieces_.back().size += bytes.size();
  size_ += bytes.size();
}

void WriteBatch::refer(std::shared_ptr<const Bytes> owner, ByteView bytes) {
  pieces_.push_back({std::move(owner), bytes.data(), bytes.size()});
  size_ += bytes.size();
}

std::vector<ByteView> WriteBatch::pieces() const {
  std::vector<ByteView> out;
  out.reserve(pieces_.size());
  std::size_t copied = 0;
  for (const auto& piece : pieces_) {
    if (piece.owner) {
      out.emplace_back(piece.data, piece.size);
    } else {
      out.emplace_back(copied_.data() + copied, piece.size);
      copied += piece.size;
    }
  }
  return out;
}

bool SendQueue::push(Lane lane, std::shared_ptr<const Bytes> body) {
  ZELL_CHECK(body && !body->empty() && body->size() <= std::numeric_limits<std::uint32_t>::max());
  auto& queue = lanes_[index_of(lane)];
  const auto cost = body->size() + frame_overhead_bytes;
  if (cost > limits_[index_of(lane)] - queue.bytes) return false;
  queue.bytes += cost;
  queue.frames.push_back(std::move(body));
  return true;
}

WriteBatch SendQueue::take(std::size_t budget) {
  WriteBatch batch;
  for (std::size_t lane = 0; lane < lane_count; ++lane) {
    while (!lanes_[lane].frames.empty() && batch.size() < budget) take_segment(lane, batch);
  }
  return batch;
}

bool SendQueue::empty() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const LaneQueue& lane) { return lane.frames.empty(); });
}

void SendQueue::take_segment(std::size_t lane, WriteBatch& batch) {
  auto& queue = lanes_[lane];
  const auto& frame = queue.frames.front();
  const std::size_t header = queue.begun ? 0 : frame_header_bytes;
  const auto part = ByteView(*frame)
                        .subspan(queue.sent)
                        .first(std::min<std::size_t>(frame->size() - queue.sent, max_segment_bytes - header));

  Writer head;
  head.u32(static_cast<std::uint32_t>(lane << 24 | (header + part.size())));
  if (!queue.begun) {
    head.u32(static_cast<std::uint32_t>(frame->size()));
    ++frames_begun_;
  }
  batch.copy(head.bytes());
  if (part.size() <= copy_bytes) {
    batch.copy(part);
  } else {
    batch.refer(frame, part);
  }

  queue.begun = true;
  queue.sent += part.size();
  if (queue.sent < frame->size()) return;
  queue.bytes -= frame->size() + frame_overhead_bytes;
  queue.frames.pop_front();
  queue.begun = false;
  queue.sent = 0;
}

}  // namespace zell
