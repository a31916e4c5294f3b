#pragma once
// What stands behind Transport: the listener, the connections not yet proven, and a link to each member.

#include <list>
#include <vector>

#include "node/base/prng.h"
#include "node/transport/peer_link.h"
#include "node/transport/refusals.h"

namespace zell {

class Mesh final : public ConnectionOwner, public LinkHost {
 public:
  Mesh(uv_loop_t* loop, const Genesis& genesis, NodeId self, const SecretKey& secret, const SignatureScheme& scheme,
       Endpoint listen, const std::map<NodeId, Endpoint>& peers, const TransportLimits& limits,
       TransportHandler& handler);

  // As in Transport.
  [[nodiscard]] Status start();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void set_peer(NodeId node, Endpoint endpoint);
  bool send(NodeId to, Lane lane, std::shared_ptr<const Bytes> body);
  [[nodiscard]] bool connected(NodeId node) const;
  void pause_reading(NodeId node);
  void resume_reading(NodeId node);
  [[nodiscard]] std::size_t queued_bytes(NodeId node, Lane lane) const;
  [[nodiscard]] TransportStats stats() const;
  void close(std::function<void()> done);

 private:
  // Of the connections.
  void on_authenticated(Connection& connection) override;
  void on_frame(Connection& connection, Bytes&& body) override;
  void on_knock(NodeId node) override;
  void on_closed(Connection& connection, const CloseReason& reason) override;
  void wants_flush() override;
  // Of the links.
  std::unique_ptr<Connection> make_dialled(std::unique_ptr<Stream> stream, NodeId peer) override;
  [[nodiscard]] Bytes knock_frame() const override;
  std::uint64_t random_below(std::uint64_t bound) override { return jitter_.below(bound); }
  void retire(std::unique_ptr<Connection> connection) override;
  void note_closed(const Connection& connection, const CloseReason& reason) override;
  void report_up(NodeId peer) override;
  void report_down(NodeId peer, bool refused) override;

  [[nodiscard]] Status listen();
  void accept();
  std::unique_ptr<Connection> take_unauthenticated(const Connection& connection);
  void flush();
  void check_progress();
  /// Null for this node itself. REQUIRES: a member.
  [[nodiscard]] PeerLink* link(NodeId node) const;
  [[nodiscard]] std::string name_of(const Connection& connection) const;

  TransportLimits limits_;
  const Genesis genesis_;
  const NodeId self_;
  const SecretKey secret_;
  const SignatureScheme& scheme_;
  const Endpoint listen_;
  TransportHandler& handler_;
  Prng jitter_;
  MeshIdentity identity_;  ///< from start() on
  std::unique_ptr<ReadBuffer> buffer_ = std::make_unique<ReadBuffer>();
  StreamContext context_;
  Refusals refusals_;
  bool closing_ = false;
  std::uint16_t port_ = 0;
  std::uint64_t accepted_ = 0;

  using Listener = OwnedHandle<uv_tcp_t, Mesh*>;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<BeforeWait> flusher_;
  std::unique_ptr<Timer> ticker_;
  std::list<std::unique_ptr<Connection>> unauthenticated_;  ///< incoming, the oldest first
  std::vector<std::unique_ptr<PeerLink>> links_;            ///< by member; none for this node
  std::vector<std::unique_ptr<Connection>> retired_;        ///< freed when nothing can be inside them
};

}  // namespace zell
