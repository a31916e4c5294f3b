#include "node/transport/connection.h"

#include <algorithm>

namespace zell {
namespace {

/// Gathered writes in one go; after them others get their turn, although the kernel would take more.
constexpr int writes_per_flush = 4;

}  // namespace

std::array<std::size_t, lane_count> frame_limits(const TransportLimits& limits) {
  auto out = limits.lane_bytes;
  for (auto& bytes : out) bytes = std::min(bytes, limits.max_frame);
  return out;
}

Connection::Connection(std::unique_ptr<Stream> stream, Handshake handshake, bool incoming, const StreamContext& context,
                       const TransportLimits& limits, ConnectionOwner& owner)
    : stream_(std::move(stream)),
      handshake_(std::move(handshake)),
      incoming_(incoming),
      context_(context),
      limits_(limits),
      owner_(owner),
      remote_(stream_->remote()),
      reader_(frame_limits(limits)),
      queue_(limits.lane_bytes) {}

void Connection::open() {
  handshake_timer_ = std::make_unique<Timer>(context_.loop, context_.handles, [this] { fail({Cause::too_slow}); });
  handshake_timer_->start(limits_.handshake_timeout_ms);
  if (const int status = stream_->start_reading(*this); status != 0) return on_end(status);
  reading_ = true;
  send_handshake(handshake_.opening());
}

bool Connection::send(Lane lane, std::shared_ptr<const Bytes> body) {
  ZELL_CHECK(authenticated_ && body->size() <= frame_limits(limits_)[index_of(lane)]);
  return !closed() && queue_.push(lane, std::move(body));
}

void Connection::flush() {
  if (!closed() && !paused_ && !reading_) {
    const auto unread = std::exchange(unread_, {});
    read_segments(unread);
    if (!closed() && !paused_) {
      if (const int status = stream_->start_reading(*this); status != 0) return on_end(status);
      reading_ = true;
    }
  }
  for (int round = 1; !closed() && !stream_->waiting() && !queue_.empty(); ++round) {
    auto batch = queue_.take(limits_.write_ahead_bytes);
    const auto size = batch.size();
    const int status = stream_->write(std::move(batch), round == writes_per_flush);
    if (status < 0) return on_end(status);
    bytes_sent_ += size;
  }
}

void Connection::pause() {
  paused_ = true;
  if (!closed() && reading_) {
    stream_->stop_reading();
    reading_ = false;
  }
}

void Connection::resume() {
  if (!paused_) return;
  paused_ = false;
  owner_.wants_flush();
}

void Connection::check_progress(std::uint64_t now_ms) {
  if (closed()) return;
  const auto taken = bytes_sent_ - std::min<std::uint64_t>(bytes_sent_, stream_->waiting_bytes());
  if (!stream_->waiting() || taken != taken_mark_) {
    taken_mark_ = taken;
    taken_mark_ms_ = now_ms;
  } else if (now_ms - taken_mark_ms_ >= limits_.stall_timeout_ms) {
    fail({Cause::stalled});
  }
}

void Connection::close() {
  handshake_timer_.reset();
  stream_.reset();
}

void Connection::on_bytes(ByteView bytes) {
  bytes_received_ += bytes.size();
  if (!authenticated_) bytes = read_handshake(bytes);
  if (!closed() && !bytes.empty()) read_segments(bytes);
}

void Connection::on_end(int status) {
  if (!closed()) fail({.cause = Cause::ended, .they_said = {}, .status = status});
}

void Connection::on_drained() {
  flush();
}

ByteView Connection::read_handshake(ByteView bytes) {
  while (!bytes.empty() && !closed() && !authenticated_) {
    auto wanted = frame_header_bytes;
    if (handshake_frame_.size() >= frame_header_bytes) wanted += Reader(handshake_frame_).u32();
    const auto n = std::min(bytes.size(), wanted - handshake_frame_.size());
    handshake_frame_.insert(handshake_frame_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    if (handshake_frame_.size() < wanted) break;
    if (wanted == frame_header_bytes) {
      const auto length = Reader(handshake_frame_).u32();
      if (length == 0) fail({Cause::malformed});
      if (length > max_handshake_bytes) fail({Cause::frame_too_long});
      continue;
    }
    const auto frame = std::exchange(handshake_frame_, {});
    on_handshake_frame(ByteView(frame).subspan(frame_header_bytes));
  }
  return bytes;
}

void Connection::on_handshake_frame(ByteView body) {
  const auto step = handshake_.on_frame(body);
  send_handshake(step.reply);
  if (closed()) return;
  if (step.refused) return fail({.cause = *step.refused, .they_said = step.they_said});
  if (step.knocked) {
    owner_.on_knock(*step.knocked);
    return fail({Cause::knocked});
  }
  if (step.done) become_authenticated();
}

void Connection::become_authenticated() {
  authenticated_ = true;
  handshake_timer_.reset();
  taken_mark_ms_ = uv_now(context_.loop);
  owner_.on_authenticated(*this);
}

void Connection::read_segments(ByteView bytes) {
  if (!paused_) {
    const auto fed = reader_.feed(bytes, [this](Lane, Bytes&& body) {
      ++frames_received_;
      owner_.on_frame(*this, std::move(body));
      return !closed() && !paused_;
    });
    if (closed()) return;
    if (fed.error) return fail({*fed.error});
    bytes = bytes.subspan(fed.consumed);
  }
  unread_.assign(bytes.begin(), bytes.end());
}

void Connection::send_handshake(const Bytes& frame) {
  if (frame.empty()) return;
  WriteBatch batch;
  batch.copy(frame);
  bytes_sent_ += frame.size();
  // At most three such frames ever: they fit into what the kernel holds, unless the peer is no node of ours.
  const int status = stream_->waiting() ? UV_ENOBUFS : stream_->write(std::move(batch), false);
  if (status < 0) on_end(status);
}

void Connection::fail(const CloseReason& reason) {
  if (closed()) return;
  close();
  owner_.on_closed(*this, reason);
}

}  // namespace zell
