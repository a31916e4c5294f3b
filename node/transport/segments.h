#pragma once
// How frames are cut for the wire, so that a long frame of one lane does not hold up the others. FORMAT.md, "Segments".

#include <array>
#include <functional>
#include <optional>

#include "node/base/bytes.h"
#include "node/transport/hello.h"
#include "node/transport/lanes.h"

namespace zell {

inline constexpr std::uint32_t max_segment_bytes = 64u << 10;
inline constexpr std::size_t segment_header_bytes = 4;  ///< u8 lane, u24 length
inline constexpr std::size_t frame_header_bytes = 4;    ///< u32 length

/// Puts frames together again from whatever pieces the connection yields. Copies each byte once. What it holds is
/// bounded by one unfinished frame a lane, and a frame's memory grows with what has arrived, not with what was
/// announced.
class SegmentReader {
 public:
  /// Longest frame of each lane, bytes.
  explicit SegmentReader(const std::array<std::size_t, lane_count>& max_frame) : max_frame_(max_frame) {}

  /// Takes a whole frame body; returns false to stop there.
  using Deliver = std::function<bool(Lane, Bytes&&)>;
  struct Fed {
    std::size_t consumed = 0;    ///< less than given only if `deliver` stopped it, or on an error
    std::optional<Cause> error;  ///< frame_too_long or bad_segment: the reader is of no further use
  };
  [[nodiscard]] Fed feed(ByteView bytes, const Deliver& deliver);

 private:
  struct Partial {
    std::uint32_t header = 0;  ///< bytes of the frame's length so far
    std::uint32_t length = 0;
    Bytes body;
  };
  std::optional<Cause> read_header(ByteView& bytes);
  std::optional<Cause> read_frame_length(Partial& partial, ByteView& bytes);
  void read_body(Partial& partial, ByteView& bytes);

  std::array<std::size_t, lane_count> max_frame_;
  std::array<Partial, lane_count> partial_;
  std::uint32_t header_ = 0;        ///< of the segment, as far as read
  std::size_t header_bytes_ = 0;    ///< how many of its bytes were read
  std::size_t lane_ = 0;            ///< of the segment being read
  std::uint32_t segment_left_ = 0;  ///< its bytes still to come
};

}  // namespace zell
