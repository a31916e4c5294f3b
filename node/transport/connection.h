#pragma once
// One TCP connection from its handshake to its end: bytes to frames, frames to bytes, and what it may hold.

#include <memory>
#include <optional>
#include <string>

#include "node/transport/handshake.h"
#include "node/transport/segments.h"
#include "node/transport/send_queue.h"
#include "node/transport/stream.h"
#include "node/transport/transport.h"

namespace zell {

class Connection;

/// Why a connection is closed.
struct CloseReason {
  Cause cause{};
  std::optional<Cause> they_said = {};  ///< with refused_by_peer
  int status = 0;                       ///< with ended: libuv's code
};

class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  /// The peer proved its key: from now on frames come and go. The owner may have moved the connection when this
  /// returns.
  virtual void on_authenticated(Connection& connection) = 0;
  virtual void on_frame(Connection& connection, Bytes&& body) = 0;
  /// An unproven member asks to be dialled; on_closed follows.
  virtual void on_knock(NodeId node) = 0;
  /// Closed by the peer or for what it did; not by close(). Once, and last. The owner keeps the object until the loop
  /// next waits, since it may be in the middle of a read.
  virtual void on_closed(Connection& connection, const CloseReason& reason) = 0;
  /// flush() is due before the loop next waits.
  virtual void wants_flush() = 0;
};

/// The bounds of a mesh's connections, from TransportLimits.
[[nodiscard]] std::array<std::size_t, lane_count> frame_limits(const TransportLimits& limits);

/// Loop thread.
class Connection final : private StreamEvents {
 public:
  Connection(std::unique_ptr<Stream> stream, Handshake handshake, bool incoming, const StreamContext& context,
             const TransportLimits& limits, ConnectionOwner& owner);

  /// Begins the handshake. The owner may hear on_closed before it returns.
  void open();
  /// False if the lane is full. REQUIRES: authenticated; a body of 1 to frame_limits() bytes.
  [[nodiscard]] bool send(Lane lane, std::shared_ptr<const Bytes> body);
  /// Hands queued frames to the kernel, and goes on reading after resume().
  void flush();
  void pause();
  void resume();
  /// Called now and then: closes the connection if the peer has taken nothing for too long.
  void check_progress(std::uint64_t now_ms);
  /// Lets go of the socket; no more events.
  void close();

  [[nodiscard]] bool incoming() const { return incoming_; }
  [[nodiscard]] bool authenticated() const { return authenticated_; }
  [[nodiscard]] bool closed() const { return stream_ == nullptr; }
  /// Whom it leads to, as far as is known: proven only once authenticated() holds.
  [[nodiscard]] std::optional<NodeId> peer() const { return handshake_.peer(); }
  [[nodiscard]] const std::string& remote() const { return remote_; }
  [[nodiscard]] const SendQueue& queue() const { return queue_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] std::uint64_t bytes_received() const { return bytes_received_; }
  [[nodiscard]] std::uint64_t frames_received() const { return frames_received_; }

 private:
  void on_bytes(ByteView bytes) override;
  void on_end(int status) override;
  void on_drained() override;

  /// Returns what follows the handshake, or nothing while that goes on.
  ByteView read_handshake(ByteView bytes);
  void on_handshake_frame(ByteView body);
  void become_authenticated();
  void read_segments(ByteView bytes);
  void send_handshake(const Bytes& frame);
  void fail(const CloseReason& reason);

  std::unique_ptr<Stream> stream_;  ///< null once closed
  Handshake handshake_;
  const bool incoming_;
  const StreamContext& context_;
  const TransportLimits& limits_;
  ConnectionOwner& owner_;
  const std::string remote_;
  std::unique_ptr<Timer> handshake_timer_;
  bool authenticated_ = false;

  Bytes handshake_frame_;  ///< as far as received, at most max_handshake_bytes and its length
  SegmentReader reader_;
  Bytes unread_;  ///< received but not looked at, because of pause(): at most one read
  bool paused_ = false;
  bool reading_ = false;

  SendQueue queue_;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t frames_received_ = 0;
  std::uint64_t taken_mark_ = 0;     ///< bytes that the kernel had taken when it was last seen to take any
  std::uint64_t taken_mark_ms_ = 0;  ///< when that was
};

}  // namespace zell
