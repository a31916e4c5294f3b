#pragma once
// Nodes of one cluster in one process on one loop, and a raw socket that talks to them byte by byte.

#include <uv.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/transport/handshake.h"
#include "node/transport/transport.h"

namespace zell::test {

/// A loop that is run until something holds. On destruction nothing may be left open in it.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// False if it does not hold within the time.
  [[nodiscard]] bool run_until(const std::function<bool()>& holds,
                               std::chrono::milliseconds limit = std::chrono::seconds(20));
  /// For what must not happen: the time in which it would.
  void run_for(std::chrono::milliseconds time);
  uv_loop_t* uv() { return &loop_; }
  [[nodiscard]] std::size_t open_handles();

 private:
  uv_loop_t loop_{};
  uv_timer_t pulse_{};  ///< wakes the loop so that run_until looks again
};

[[nodiscard]] Genesis make_genesis(std::size_t members, std::uint64_t chain_id = 0);
[[nodiscard]] SecretKey key_of(std::size_t member);
[[nodiscard]] std::shared_ptr<const Bytes> body_of(std::size_t size, std::uint8_t fill);

/// A transport and all that it was told.
class Node : public TransportHandler {
 public:
  Node(Loop& loop, const Genesis& genesis, std::uint16_t self, const TransportLimits& limits = {},
       std::optional<SecretKey> secret = {}, std::uint16_t port = 0);
  ~Node() override;

  void on_frame(NodeId from, Bytes body) override;
  void on_peer_up(NodeId node) override;
  void on_peer_down(NodeId node, bool refused) override { downs.emplace_back(node.value, refused); }
  void on_refused(std::string what) override { refusals.push_back(std::move(what)); }

  /// Closes, and runs the loop until that is done.
  void stop();
  [[nodiscard]] bool up(std::uint16_t node) const { return transport->connected({node}); }
  [[nodiscard]] std::uint64_t closed(const std::string& cause) const;
  void knows(const Node& other);
  [[nodiscard]] bool was_told(const std::string& part) const;

  Loop& loop;
  NodeId self;
  std::vector<std::pair<std::uint16_t, Bytes>> frames;
  std::vector<std::uint16_t> ups;
  std::vector<std::pair<std::uint16_t, bool>> downs;
  std::vector<std::string> refusals;
  std::function<void(NodeId, const Bytes&)> each_frame;  ///< may be empty
  std::function<void(NodeId)> each_up;                   ///< may be empty
  std::unique_ptr<Transport> transport;
};

/// Starts `count` nodes that know each other's ports, and waits until all are connected.
[[nodiscard]] std::vector<std::unique_ptr<Node>> start_mesh(Loop& loop, const Genesis& genesis, std::size_t count,
                                                            const TransportLimits& limits = {});
[[nodiscard]] bool all_connected(const std::vector<std::unique_ptr<Node>>& nodes);

/// A socket of nobody's, or of a member that misbehaves after a proper handshake.
class RawPeer {
 public:
  explicit RawPeer(Loop& loop) : loop_(loop) {}
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  void connect(std::uint16_t port);
  /// Listens on a port of its own and returns it; accept() waits for a connection to it.
  std::uint16_t listen();
  [[nodiscard]] bool accept();
  void send(ByteView bytes) const;
  /// The body of the next handshake frame; empty if the connection ends before it.
  [[nodiscard]] Bytes receive_frame();
  [[nodiscard]] std::optional<HandshakeFrame> receive();
  /// The other side closes, after whatever it sent.
  [[nodiscard]] bool sees_end();
  /// Goes through the handshake as `identity`'s own member with `peer`, as the dialler.
  [[nodiscard]] bool authenticate(const MeshIdentity& identity, NodeId peer);
  void close();

 private:
  bool read_some();
  Loop& loop_;
  int fd_ = -1;
  int listener_ = -1;
  Bytes received_;
  bool ended_ = false;
};

}  // namespace zell::test
