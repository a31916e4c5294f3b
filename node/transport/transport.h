#pragma once
// The mesh of TCP connections between the members of a cluster. Bytes on the wire: FORMAT.md.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "node/base/result.h"
#include "node/crypto/keys.h"
#include "node/transport/lanes.h"
#include "node/types/genesis.h"
#include "node/wire/codec.h"

typedef struct uv_loop_s uv_loop_t;

namespace zell {

class Mesh;

/// Where a node listens: a numeric address or a name, and a port.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// What one peer, or anybody who connects, can make grow. All members of a cluster use the same max_frame and lane
/// sizes.
struct TransportLimits {
  std::size_t max_frame = max_frame_bytes;  ///< bytes of one frame's body, either way
  /// Bytes queued for one peer, by lane. Also a lane's longest frame, where that is less than max_frame: a peer can
  /// leave one unfinished frame a lane here, 8 + 24 + 24 MiB.
  std::array<std::size_t, lane_count> lane_bytes = {8u << 20, 64u << 20, 64u << 20};
  /// Bytes handed to the kernel at once, and left unsent in it: what an urgent frame waits for on a slow link.
  std::size_t write_ahead_bytes = 256u << 10;
  std::size_t max_unauthenticated = 64;        ///< connections; past it the oldest is closed
  std::uint32_t handshake_timeout_ms = 3'000;  ///< from the connection, or from the dialling, to the peer's proof
  std::uint32_t stall_timeout_ms = 10'000;     ///< a peer that takes nothing for so long, with data queued, is closed
  std::uint32_t backoff_min_ms = 50;           ///< before the second attempt to connect; doubles, with jitter
  std::uint32_t backoff_max_ms = 2'000;
  std::uint32_t verdict_timeout_ms = 100;        ///< how long a lost connection waits to learn whether the peer is gone
  std::uint32_t refusal_log_period_ms = 30'000;  ///< between two log lines of one cause
};

/// What happens in the mesh. All on the loop thread. A call may use the Transport, but not destroy it.
class TransportHandler {
 public:
  virtual ~TransportHandler() = default;
  /// One whole frame body, as given to send() at the other side. Frames of one lane keep their order.
  virtual void on_frame(NodeId from, Bytes frame_body) = 0;
  /// The member proved its key. What is sent from now on goes to it.
  virtual void on_peer_up(NodeId node) = 0;
  /// The connection is gone, and with it what was queued. Once for each on_peer_up, and once more with refused = true
  /// where only a later attempt finds that nothing listens there: refused means that the process is gone.
  virtual void on_peer_down(NodeId node, bool refused) = 0;
  /// For the log: a connection was refused, and why. At a limited rate.
  virtual void on_refused(std::string what) = 0;
};

struct PeerStats {
  bool connected = false;
  std::uint64_t times_connected = 0;
  std::uint64_t frames_sent = 0;  ///< handed to the kernel, at least in part
  std::uint64_t bytes_sent = 0;   ///< handed to libuv, headers included
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_received = 0;
  std::array<std::size_t, lane_count> queued_bytes{};
  std::array<std::uint64_t, lane_count> dropped_frames{};  ///< not connected, lane full, or lost with the connection
};

struct TransportStats {
  std::map<NodeId, PeerStats> peers;
  std::size_t unauthenticated = 0;              ///< incoming connections, now
  std::uint64_t accepted = 0;                   ///< incoming connections, ever
  std::map<std::string, std::uint64_t> closed;  ///< how many connections were closed, by cause
};

/// One node's side of the mesh. The member of the higher id dials, so there is one connection a pair. All calls on the
/// loop's thread.
class Transport {
 public:
  /// `peers` may lack members (they can be named later) and may contain `self`. `handler` outlives this.
  /// REQUIRES: genesis.validate() is ok; self < genesis.size().
  Transport(uv_loop_t* loop, const Genesis& genesis, NodeId self, const SecretKey& secret,
            const SignatureScheme& scheme, Endpoint listen, const std::map<NodeId, Endpoint>& peers,
            const TransportLimits& limits, TransportHandler& handler);
  /// Closes what is open without a word; the loop must run on until it has closed the handles.
  ~Transport();

  /// Listens and begins to connect. Codes: "port-in-use", "bad-address", "cannot-listen", "wrong-key" (the secret is
  /// not self's), "bad-genesis". From here on the process ignores SIGPIPE: libuv writes to connections that a peer may
  /// have closed. REQUIRES: not called before.
  [[nodiscard]] Status start();
  /// The port listened on, also where 0 was asked for; 0 before start().
  [[nodiscard]] std::uint16_t port() const;
  /// Where a member listens from now on; an existing connection stays. REQUIRES: node < genesis.size().
  void set_peer(NodeId node, Endpoint endpoint);

  /// Queues an encoded message (encode_message) for one peer. False if it was dropped and counted: not connected, lane
  /// full, or longer than a frame may be. Frames of one lane keep their order; a higher lane overtakes a lower one.
  /// REQUIRES: another member than self.
  bool send(NodeId to, Lane lane, std::shared_ptr<const Bytes> frame_body);
  [[nodiscard]] bool connected(NodeId node) const;
  /// No on_frame from this peer until resume_reading. A reconnect resumes. While paused, the end of the connection may
  /// go unnoticed until something is sent to it.
  void pause_reading(NodeId node);
  void resume_reading(NodeId node);
  /// What waits for this peer in a lane; 0 while it is not connected. Cheap.
  [[nodiscard]] std::size_t queued_bytes(NodeId node, Lane lane) const;
  [[nodiscard]] TransportStats stats() const;

  /// Closes everything. The handler hears nothing from now on; `done` is called when libuv has let go of all handles
  /// (before this returns, if there are none), and may destroy this. REQUIRES: not called before.
  void close(std::function<void()> done);

 private:
  std::unique_ptr<Mesh> mesh_;
};

}  // namespace zell
