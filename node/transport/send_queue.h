#pragma once
// What waits to be sent to one peer: three lanes, each bounded, the more urgent first.

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "node/base/bytes.h"
#include "node/transport/segments.h"

namespace zell {

/// Bytes for one gathered write. Short pieces are copied together, long ones only referred to.
class WriteBatch {
 public:
  void copy(ByteView bytes);
  /// Keeps `owner` alive; `bytes` is part of it.
  void refer(std::shared_ptr<const Bytes> owner, ByteView bytes);
  /// The bytes in order, as few pieces as possible. Valid while this is neither changed nor moved.
  [[nodiscard]] std::vector<ByteView> pieces() const;
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  struct Piece {
    std::shared_ptr<const Bytes> owner;  ///< null: part of copied_
    const std::uint8_t* data = nullptr;  ///< with an owner
    std::size_t size = 0;
  };
  Bytes copied_;
  std::vector<Piece> pieces_;
  std::size_t size_ = 0;
};

class SendQueue {
 public:
  /// Bytes that each lane may hold: bodies and what the format and this queue add to each.
  explicit SendQueue(const std::array<std::size_t, lane_count>& lane_bytes) : limits_(lane_bytes) {}

  /// False, and nothing changed, if the lane would hold more than its limit. REQUIRES: a body of 1 to 2^32 - 1 bytes.
  [[nodiscard]] bool push(Lane lane, std::shared_ptr<const Bytes> body);
  /// Cuts whole segments off the most urgent frames until about `budget` bytes are reached (at most one segment more).
  [[nodiscard]] WriteBatch take(std::size_t budget);
  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t queued_bytes(Lane lane) const { return lanes_[index_of(lane)].bytes; }
  /// Frames not yet, or not wholly, taken.
  [[nodiscard]] std::size_t queued_frames(Lane lane) const { return lanes_[index_of(lane)].frames.size(); }
  [[nodiscard]] std::uint64_t frames_begun() const { return frames_begun_; }

 private:
  struct LaneQueue {
    std::deque<std::shared_ptr<const Bytes>> frames;
    std::size_t sent = 0;  ///< body bytes of the first frame that were taken
    bool begun = false;    ///< the first frame's length was taken
    std::size_t bytes = 0;
  };
  void take_segment(std::size_t lane, WriteBatch& batch);

  std::array<std::size_t, lane_count> limits_;
  std::array<LaneQueue, lane_count> lanes_;
  std::uint64_t frames_begun_ = 0;
};

}  // namespace zell
