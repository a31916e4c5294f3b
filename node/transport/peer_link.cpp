#include "node/transport/peer_link.h"

#include <algorithm>

namespace zell {
namespace {

/// After a loss: one at once, and two more in case the first met a process that was still on its way out.
constexpr int knocks_after_loss = 3;
/// A connection that lasted so long makes the next attempt start from the shortest back-off again.
constexpr std::uint64_t steady_ms = 1'000;
/// Attempts without back-off are no nearer to each other than this, so that a peer that accepts and closes at once, or
/// somebody who knocks in its name, does not keep this node busy.
constexpr std::uint64_t hurry_apart_ms = 200;

}  // namespace

PeerLink::PeerLink(const StreamContext& context, const TransportLimits& limits, LinkHost& host, NodeId peer, bool dials)
    : context_(context), limits_(limits), host_(host), peer_(peer), dials_(dials), backoff_ms_(limits.backoff_min_ms) {}

void PeerLink::set_endpoint(Endpoint endpoint) {
  if (endpoint_ == endpoint) return;
  endpoint_ = std::move(endpoint);
  if (!running_ || connected()) return;
  dial_.reset();
  backoff_ms_ = limits_.backoff_min_ms;
  attempt();
}

void PeerLink::start() {
  running_ = true;
  retry_ = std::make_unique<Timer>(context_.loop, context_.handles, [this] { attempt(); });
  verdict_ = std::make_unique<Timer>(context_.loop, context_.handles, [this] { settle_verdict(false); });
  attempt();
}

void PeerLink::stop() {
  running_ = false;
  dial_.reset();
  retry_.reset();
  verdict_.reset();
  let_go(std::move(dialled_));
  let_go(std::move(connection_));
}

void PeerLink::attach(std::unique_ptr<Connection> connection) {
  if (connection_) {
    host_.note_closed(*connection_, {Cause::replaced});
    let_go(std::move(connection_));
    verdict_due_ = true;
  }
  settle_verdict(false);
  if (!running_) return let_go(std::move(connection));
  dial_.reset();
  let_go(std::move(dialled_));
  retry_->stop();
  refused_due_ = false;
  knocks_left_ = 0;
  up_since_ms_ = now_ms();
  ++past_.times_connected;
  connection_ = std::move(connection);
  host_.report_up(peer_);
}

std::unique_ptr<Connection> PeerLink::take_dialled(const Connection& connection) {
  return dialled_.get() == &connection ? std::move(dialled_) : nullptr;
}

void PeerLink::on_closed(const Connection& connection, const CloseReason& reason) {
  host_.note_closed(connection, reason);
  if (!running_) return;
  if (&connection == connection_.get()) return on_lost(reason);
  ZELL_CHECK(&connection == dialled_.get());
  let_go(std::move(dialled_));
  retry_later();
}

void PeerLink::on_lost(const CloseReason& reason) {
  const auto now = now_ms();
  const bool steady = now - up_since_ms_ >= steady_ms;
  let_go(std::move(connection_));
  if (steady) backoff_ms_ = limits_.backoff_min_ms;
  verdict_due_ = true;
  refused_due_ = true;
  if (reason.cause != Cause::ended) {
    // The peer's process is there, and did what got its connection closed.
    if (dials_) retry_later();
    return settle_verdict(false);
  }
  knocks_left_ = knocks_after_loss;
  verdict_->start(limits_.verdict_timeout_ms);
  if (!steady && hurried_ms_ && now - *hurried_ms_ < hurry_apart_ms) return retry_later();
  hurried_ms_ = now;
  attempt();
}

void PeerLink::on_knock() {
  if (!running_ || !dials_ || connected() || attempting()) return;
  const auto now = now_ms();
  if (hurried_ms_ && now - *hurried_ms_ < hurry_apart_ms) return;
  hurried_ms_ = now;
  attempt();
}

void PeerLink::attempt() {
  if (!running_ || !endpoint_ || connected() || attempting()) return;
  retry_->stop();
  dial_ = std::make_unique<Dial>(
      context_, *endpoint_, limits_.handshake_timeout_ms,
      [this](int status, std::unique_ptr<Stream> stream) { on_attempt(status, std::move(stream)); });
  dial_->start();
}

void PeerLink::on_attempt(int status, std::unique_ptr<Stream> stream) {
  dial_.reset();
  const bool refused = status == UV_ECONNREFUSED;
  if (dials_) {
    if (status == 0) {
      begin_handshake(std::move(stream));
    } else {
      retry_later();
    }
  } else {
    if (status == 0) knock(*stream);
    knocks_left_ = refused ? 0 : knocks_left_ - 1;
    if (knocks_left_ > 0) retry_later();
  }
  settle_verdict(refused);
}

void PeerLink::begin_handshake(std::unique_ptr<Stream> stream) {
  dialled_ = host_.make_dialled(std::move(stream), peer_);
  dialled_->open();
}

void PeerLink::knock(Stream& stream) const {
  WriteBatch batch;
  batch.copy(host_.knock_frame());
  // A knock that gets lost costs the peer's back-off, no more.
  (void)stream.write(std::move(batch), false);
}

void PeerLink::retry_later() {
  if (!running_) return;
  const auto jitter = host_.random_below(backoff_ms_ / 2 + 1);
  retry_->start(backoff_ms_ * 3 / 4 + jitter);
  backoff_ms_ = std::min(backoff_ms_ * 2, limits_.backoff_max_ms);
}

void PeerLink::let_go(std::unique_ptr<Connection> connection) {
  if (!connection) return;
  connection->close();
  const auto& queue = connection->queue();
  past_.frames_sent += queue.frames_begun();
  past_.bytes_sent += connection->bytes_sent();
  past_.frames_received += connection->frames_received();
  past_.bytes_received += connection->bytes_received();
  for (std::size_t lane = 0; lane < lane_count; ++lane) {
    past_.dropped_frames[lane] += queue.queued_frames(static_cast<Lane>(lane));
  }
  host_.retire(std::move(connection));
}

void PeerLink::settle_verdict(bool refused) {
  const bool report = verdict_due_ || (refused && refused_due_);
  verdict_due_ = false;
  if (refused) refused_due_ = false;
  if (verdict_) verdict_->stop();
  if (report) host_.report_down(peer_, refused);
}

bool PeerLink::send(Lane lane, std::shared_ptr<const Bytes> body) {
  const auto size = body->size();
  const auto index = index_of(lane);
  if (connection_ && size > 0 && size <= frame_limits(limits_)[index] && connection_->send(lane, std::move(body))) {
    return true;
  }
  ++past_.dropped_frames[index];
  return false;
}

void PeerLink::flush() {
  if (connection_) connection_->flush();
}

void PeerLink::check_progress() {
  if (connection_) connection_->check_progress(now_ms());
}

PeerStats PeerLink::stats() const {
  auto out = past_;
  out.connected = connected();
  if (!connection_) return out;
  const auto& queue = connection_->queue();
  out.frames_sent += queue.frames_begun();
  out.bytes_sent += connection_->bytes_sent();
  out.frames_received += connection_->frames_received();
  out.bytes_received += connection_->bytes_received();
  for (std::size_t lane = 0; lane < lane_count; ++lane) {
    out.queued_bytes[lane] = queue.queued_bytes(static_cast<Lane>(lane));
  }
  return out;
}

}  // namespace zell
