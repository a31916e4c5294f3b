#pragma once
// One node: its store, its core, its connections and its clients, on one libuv loop.

#include <functional>
#include <memory>
#include <optional>

#include "node/config/node_config.h"
#include "node/http/server.h"
#include "node/runtime/api.h"
#include "node/runtime/control.h"
#include "node/runtime/driver.h"
#include "node/runtime/event_log.h"
#include "node/runtime/inbound.h"
#include "node/runtime/log_server.h"
#include "node/runtime/node_metrics.h"
#include "node/runtime/replay_points.h"
#include "node/runtime/storage_link.h"
#include "node/runtime/view_causes.h"
#include "node/transport/transport.h"

namespace zell {

/// What a Node is made from. All of it was checked when it was loaded.
struct NodeSetup {
  NodeConfig config;  ///< ports of 0 take any free one; an empty control socket leaves control out
  GenesisFile genesis;
  SecretKey secret;     ///< this member's
  std::string version;  ///< of the program, for status
  std::uint64_t requests_between_replay_points = zell::requests_between_replay_points;
};

/// Made, used and destroyed on the loop thread, which never waits for a disk, a peer or a client in it.
class Node : private TransportHandler {
 public:
  /// `log` outlives it. `stop_requested`: the control socket was told to stop; it may call stop().
  Node(uv_loop_t& loop, NodeSetup setup, Log& log, std::function<void()> stop_requested);
  /// REQUIRES: stop() has said that it is done.
  ~Node() override;

  /// Opens the store, recovers, listens and begins to take part. Reading a long log takes a while. After an error:
  /// stop(). Codes: the store's ("locked", "foreign", "newer-schema", "older-schema", "corrupt", "disk-full", "io"),
  /// "unknown-node", "no-address", "port-in-use" or "port-taken", "bad-address", "cannot-listen", "wrong-key", the
  /// control socket's ("bad-path", "in-use", "too-open").
  [[nodiscard]] Status start();
  /// Takes in nothing more, writes what was decided, closes all handles; then calls `stopped` from the loop, which may
  /// destroy this. REQUIRES: not called before.
  void stop(std::function<void()> stopped);
  [[nodiscard]] bool stopping() const { return stopping_; }

  // REQUIRES: started.
  [[nodiscard]] NodeApi& api() { return *api_; }
  [[nodiscard]] std::uint16_t peer_port() const { return transport_->port(); }
  [[nodiscard]] std::uint16_t api_port() const { return http_->port(); }
  void set_peer(NodeId node, const HostPort& where);
  /// This member challenges the leader of its view. False, with the status unchanged, where the rules forbid it now.
  bool challenge();

 private:
  void on_frame(NodeId from, Bytes frame_body) override;
  void on_peer_up(NodeId node) override;
  void on_peer_down(NodeId node, bool refused) override;
  void on_refused(std::string what) override;

  [[nodiscard]] Status open_core();
  void make_driver(Recovered recovered, NonceWindows nonces);
  void make_api(ProofIndex tree, Index final);
  [[nodiscard]] Status open_doors(const std::vector<std::optional<HostPort>>& peers);
  [[nodiscard]] Status open_transport(const std::vector<std::optional<HostPort>>& peers);
  [[nodiscard]] Status open_http();
  [[nodiscard]] Status open_control();
  void on_event(const Event& event);
  void check_finality(const Certificate& older);
  [[nodiscard]] NodeStatus status() const;
  [[nodiscard]] Health health() const;
  void write_metrics(MetricsText& out) const;
  [[nodiscard]] Result<std::string> on_command(std::string_view command);
  [[nodiscard]] Result<std::string> set_log_level(std::string_view word);

  // stop(), in three steps, each when the one before is done.
  void close_network();
  void close_handles();
  [[nodiscard]] std::function<void()> one_closed(void (Node::*next)());

  uv_loop_t& loop_;
  const NodeSetup setup_;
  Log& log_;
  std::function<void()> stop_requested_;
  NodeId self_;
  EventLog events_;
  NodeCounters counters_;
  const CountedScheme signatures_{secp256k1_scheme()};
  std::vector<PeerStatus> peers_;  ///< by member; this node's own is not used
  Instant started_at_;
  std::string storage_failure_;  ///< the store's error code; empty while it works
  ViewCauses view_causes_;
  HandleCountPtr handles_ = std::make_shared<HandleCount>();

  std::unique_ptr<RequestCache> request_cache_;
  std::unique_ptr<Verifier> verifier_;
  std::unique_ptr<WorkPool> pool_;
  std::unique_ptr<StorageLink> storage_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Inbound> inbound_;
  std::unique_ptr<LogServer> log_server_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<ReplayPoints> replay_points_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<ControlServer> control_;

  bool stopping_ = false;
  bool takes_part_ = false;  ///< start() went through
  std::function<void()> stopped_;
  std::size_t closing_ = 0;  ///< parts of this step that are not closed yet
};

}  // namespace zell
