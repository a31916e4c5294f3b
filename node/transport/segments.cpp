#include "node/transport/segments.h"

#include <algorithm>

namespace zell {
namespace {

/// Reserved for a frame on its announcement alone. A longer one gets its whole room once so much has arrived.
constexpr std::size_t trusted_reserve_bytes = 1u << 20;

}  // namespace

SegmentReader::Fed SegmentReader::feed(ByteView bytes, const Deliver& deliver) {
  const auto given = bytes.size();
  const auto fed = [&](std::optional<Cause> error = {}) { return Fed{given - bytes.size(), error}; };
  while (!bytes.empty()) {
    if (segment_left_ == 0) {
      if (auto error = read_header(bytes)) return fed(error);
      continue;
    }
    auto& partial = partial_[lane_];
    if (partial.header < frame_header_bytes) {
      if (auto error = read_frame_length(partial, bytes)) return fed(error);
      continue;
    }
    read_body(partial, bytes);
    if (partial.body.size() < partial.length) continue;
    auto frame = std::exchange(partial, Partial{}).body;
    if (!deliver(static_cast<Lane>(lane_), std::move(frame))) return fed();
  }
  return fed();
}

std::optional<Cause> SegmentReader::read_header(ByteView& bytes) {
  const auto n = std::min(segment_header_bytes - header_bytes_, bytes.size());
  for (auto byte : bytes.first(n)) header_ = header_ << 8 | byte;
  header_bytes_ += n;
  bytes = bytes.subspan(n);
  if (header_bytes_ < segment_header_bytes) return std::nullopt;
  lane_ = header_ >> 24;
  segment_left_ = header_ & 0xffffff;
  header_ = 0;
  header_bytes_ = 0;
  const bool allowed = lane_ < lane_count && segment_left_ > 0 && segment_left_ <= max_segment_bytes;
  return allowed ? std::nullopt : std::optional(Cause::bad_segment);
}

std::optional<Cause> SegmentReader::read_frame_length(Partial& partial, ByteView& bytes) {
  while (partial.header < frame_header_bytes && segment_left_ > 0 && !bytes.empty()) {
    partial.length = partial.length << 8 | bytes.front();
    bytes = bytes.subspan(1);
    ++partial.header;
    --segment_left_;
  }
  if (partial.header < frame_header_bytes) return std::nullopt;
  if (partial.length == 0) return Cause::bad_segment;
  if (partial.length > max_frame_[lane_]) return Cause::frame_too_long;
  partial.body.reserve(std::min<std::size_t>(partial.length, trusted_reserve_bytes));
  return std::nullopt;
}

void SegmentReader::read_body(Partial& partial, ByteView& bytes) {
  const auto wanted = std::min<std::size_t>(segment_left_, partial.length - partial.body.size());
  const auto taken = bytes.first(std::min(wanted, bytes.size()));
  if (partial.body.size() + taken.size() > partial.body.capacity()) partial.body.reserve(partial.length);
  partial.body.insert(partial.body.end(), taken.begin(), taken.end());
  bytes = bytes.subspan(taken.size());
  segment_left_ -= static_cast<std::uint32_t>(taken.size());
}

}  // namespace zell
