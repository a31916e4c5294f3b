#pragma once
// The way to one other member: when to dial it, which connection counts, and what to say when that is lost.

#include <memory>
#include <optional>

#include "node/transport/connection.h"
#include "node/transport/dial.h"
#include "node/transport/uv_handles.h"

namespace zell {

/// What a link needs of the mesh. Reports may end in stop().
class LinkHost {
 public:
  virtual ~LinkHost() = default;
  [[nodiscard]] virtual std::unique_ptr<Connection> make_dialled(std::unique_ptr<Stream> stream, NodeId peer) = 0;
  /// The frame by which this node asks to be dialled.
  [[nodiscard]] virtual Bytes knock_frame() const = 0;
  [[nodiscard]] virtual std::uint64_t random_below(std::uint64_t bound) = 0;
  /// Keeps a closed connection until nothing can be using it any more.
  virtual void retire(std::unique_ptr<Connection> connection) = 0;
  virtual void note_closed(const Connection& connection, const CloseReason& reason) = 0;
  virtual void report_up(NodeId peer) = 0;
  virtual void report_down(NodeId peer, bool refused) = 0;
};

/// Loop thread. Of each pair the higher member dials, again and again; the lower one only knocks: it connects, asks to
/// be dialled, and closes. It does so when it starts, so that nobody's back-off delays its return, and when it lost the
/// connection, where the attempt also tells whether the peer's process still listens.
class PeerLink {
 public:
  PeerLink(const StreamContext& context, const TransportLimits& limits, LinkHost& host, NodeId peer, bool dials);

  void set_endpoint(Endpoint endpoint);
  void start();
  void stop();

  /// A connection on which this peer proved its key. It replaces an older one: the peer would not have made another if
  /// it still had that.
  void attach(std::unique_ptr<Connection> connection);
  /// The connection that this link dialled, if `connection` is that one.
  [[nodiscard]] std::unique_ptr<Connection> take_dialled(const Connection& connection);
  /// REQUIRES: it is one of this link's.
  void on_closed(const Connection& connection, const CloseReason& reason);
  /// Somebody who says that he is the peer asks to be dialled.
  void on_knock();

  bool send(Lane lane, std::shared_ptr<const Bytes> body);
  void flush();
  void check_progress();
  [[nodiscard]] Connection* connection() { return connection_.get(); }
  [[nodiscard]] bool connected() const { return connection_ != nullptr; }
  [[nodiscard]] PeerStats stats() const;

 private:
  [[nodiscard]] std::uint64_t now_ms() const { return uv_now(context_.loop); }
  [[nodiscard]] bool attempting() const { return dial_ || dialled_; }
  void attempt();
  void on_attempt(int status, std::unique_ptr<Stream> stream);
  void begin_handshake(std::unique_ptr<Stream> stream);
  void knock(Stream& stream) const;
  void retry_later();
  void on_lost(const CloseReason& reason);
  void let_go(std::unique_ptr<Connection> connection);
  void settle_verdict(bool refused);

  const StreamContext& context_;
  const TransportLimits& limits_;
  LinkHost& host_;
  const NodeId peer_;
  const bool dials_;
  bool running_ = false;
  std::optional<Endpoint> endpoint_;

  std::unique_ptr<Connection> connection_;  ///< proven, in use
  std::unique_ptr<Connection> dialled_;     ///< in its handshake
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<Timer> retry_;
  std::unique_ptr<Timer> verdict_;
  bool verdict_due_ = false;  ///< lost, and not yet reported: the next attempt decides what is said
  bool refused_due_ = false;  ///< lost, and never found refused since: worth a second report
  int knocks_left_ = 1;
  std::uint32_t backoff_ms_;
  std::uint64_t up_since_ms_ = 0;
  std::optional<std::uint64_t> hurried_ms_;  ///< last attempt made without back-off
  PeerStats past_;                           ///< of the connections before this one
};

}  // namespace zell
