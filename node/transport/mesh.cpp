#include "node/transport/mesh.h"

#include <netinet/in.h>

#include <algorithm>
#include <csignal>

namespace zell {
namespace {

constexpr int listen_backlog = 128;
/// How often a stall timeout is looked at, as a part of itself.
constexpr std::uint32_t progress_checks = 8;

std::uint64_t random_seed() {
  std::array<std::uint8_t, 8> bytes{};
  random_bytes(bytes);
  return Reader(bytes).u64();
}

Nonce32 fresh_nonce() {
  Nonce32 nonce;
  random_bytes(nonce.bytes);
  return nonce;
}

Error listen_error(int status, const Endpoint& endpoint) {
  const auto where = endpoint.host + ":" + std::to_string(endpoint.port);
  if (status == UV_EADDRINUSE) {
    return {"port-in-use",
            "port " + std::to_string(endpoint.port) + " on " + endpoint.host + " is in use by another process",
            "stop that process ('ss -ltnp' names it), or choose another port"};
  }
  if (status == UV_EADDRNOTAVAIL) {
    return {"bad-address", "cannot listen on " + where + ": this machine does not have that address",
            "listen on 127.0.0.1, 0.0.0.0 or an address of this machine"};
  }
  return {"cannot-listen", "cannot listen on " + where + ": " + uv_strerror(status), {}};
}

}  // namespace

Mesh::Mesh(uv_loop_t* loop, const Genesis& genesis, NodeId self, const SecretKey& secret, const SignatureScheme& scheme,
           Endpoint listen, const std::map<NodeId, Endpoint>& peers, const TransportLimits& limits,
           TransportHandler& handler)
    : limits_(limits),
      genesis_(genesis),
      self_(self),
      secret_(secret),
      scheme_(scheme),
      listen_(std::move(listen)),
      handler_(handler),
      jitter_(random_seed()),
      context_{loop, std::make_shared<HandleCount>(), buffer_.get(), limits.write_ahead_bytes,
               limits.stall_timeout_ms + limits.stall_timeout_ms / 2},
      refusals_(limits.refusal_log_period_ms, [this](std::string what) {
        if (!closing_) handler_.on_refused(std::move(what));
      }) {
  ZELL_CHECK(self.value < genesis.size());
  for (std::size_t i = 0; i < genesis.size(); ++i) {
    const NodeId node{static_cast<std::uint16_t>(i)};
    links_.push_back(node == self ? nullptr : std::make_unique<PeerLink>(context_, limits_, *this, node, self > node));
  }
  for (const auto& [node, endpoint] : peers) set_peer(node, endpoint);
}

Status Mesh::start() {
  ZELL_CHECK(!listener_ && !closing_);
  auto identity = MeshIdentity::make(genesis_, self_, secret_, scheme_);
  if (!identity) return identity.error();
  identity_ = std::move(*identity);
  std::signal(SIGPIPE, SIG_IGN);
  if (auto status = listen(); !status) {
    listener_.reset();
    return status;
  }
  flusher_ = std::make_unique<BeforeWait>(context_.loop, context_.handles, [this] { flush(); });
  ticker_ = std::make_unique<Timer>(context_.loop, context_.handles, [this] { check_progress(); });
  const auto period_ms = std::max(1u, limits_.stall_timeout_ms / progress_checks);
  ticker_->start(period_ms, period_ms);
  for (auto& link : links_) {
    if (link) link->start();
  }
  return Ok{};
}

Status Mesh::listen() {
  auto address = resolve_now(context_.loop, listen_);
  if (!address) return address.error();
  listener_ = std::make_unique<Listener>(context_.handles, this,
                                         [this](uv_tcp_t* tcp) { return uv_tcp_init(context_.loop, tcp); });
  if (int status = uv_tcp_bind(listener_->get(), reinterpret_cast<const sockaddr*>(&*address), 0); status != 0) {
    return listen_error(status, listen_);
  }
  const int listening =
      uv_listen(reinterpret_cast<uv_stream_t*>(listener_->get()), listen_backlog, [](uv_stream_t* server, int status) {
        // A connection that failed before it was accepted is nobody's loss.
        if (status == 0) Listener::state_of(reinterpret_cast<uv_tcp_t*>(server))->accept();
      });
  if (listening != 0) return listen_error(listening, listen_);
  sockaddr_storage bound{};
  int size = sizeof bound;
  ZELL_CHECK(uv_tcp_getsockname(listener_->get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
  port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                            : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  return Ok{};
}

void Mesh::accept() {
  if (closing_) return;
  auto stream = Stream::accept(reinterpret_cast<uv_stream_t*>(listener_->get()), context_);
  if (!stream) return;
  ++accepted_;
  if (unauthenticated_.size() >= limits_.max_unauthenticated) {
    // The oldest is the likeliest to be idle: a real peer is through within milliseconds.
    auto oldest = std::move(unauthenticated_.front());
    unauthenticated_.pop_front();
    oldest->close();
    note_closed(*oldest, {Cause::too_many});
    retire(std::move(oldest));
    if (closing_) return;
  }
  unauthenticated_.push_back(std::make_unique<Connection>(
      std::move(stream), Handshake::accept(identity_, fresh_nonce()), true, context_, limits_, *this));
  unauthenticated_.back()->open();
}

void Mesh::on_authenticated(Connection& connection) {
  auto& to = *link(*connection.peer());
  auto owned = connection.incoming() ? take_unauthenticated(connection) : to.take_dialled(connection);
  ZELL_CHECK(owned);
  to.attach(std::move(owned));
}

void Mesh::on_frame(Connection& connection, Bytes&& body) {
  if (!closing_) handler_.on_frame(*connection.peer(), std::move(body));
}

void Mesh::on_knock(NodeId node) {
  link(node)->on_knock();
}

void Mesh::on_closed(Connection& connection, const CloseReason& reason) {
  if (!connection.incoming() || connection.authenticated())
    return link(*connection.peer())->on_closed(connection, reason);
  auto owned = take_unauthenticated(connection);
  note_closed(connection, reason);
  retire(std::move(owned));
}

void Mesh::wants_flush() {
  if (flusher_) flusher_->schedule();
}

std::unique_ptr<Connection> Mesh::make_dialled(std::unique_ptr<Stream> stream, NodeId peer) {
  return std::make_unique<Connection>(std::move(stream), Handshake::dial(identity_, peer, fresh_nonce()), false,
                                      context_, limits_, *this);
}

Bytes Mesh::knock_frame() const {
  return encode_handshake(Knock{wire_version, identity_.domain.cluster, self_});
}

void Mesh::retire(std::unique_ptr<Connection> connection) {
  retired_.push_back(std::move(connection));
  wants_flush();
}

void Mesh::note_closed(const Connection& connection, const CloseReason& reason) {
  const bool known = !connection.incoming() || connection.authenticated();
  refusals_.note(uv_now(context_.loop), reason, known ? connection.peer() : std::nullopt, name_of(connection));
}

void Mesh::report_up(NodeId peer) {
  if (!closing_) handler_.on_peer_up(peer);
}

void Mesh::report_down(NodeId peer, bool refused) {
  if (!closing_) handler_.on_peer_down(peer, refused);
}

std::unique_ptr<Connection> Mesh::take_unauthenticated(const Connection& connection) {
  const auto place = std::find_if(unauthenticated_.begin(), unauthenticated_.end(),
                                  [&](const auto& one) { return one.get() == &connection; });
  ZELL_CHECK(place != unauthenticated_.end());
  auto owned = std::move(*place);
  unauthenticated_.erase(place);
  return owned;
}

void Mesh::flush() {
  retired_.clear();
  for (auto& link : links_) {
    if (link) link->flush();
  }
}

void Mesh::check_progress() {
  for (auto& link : links_) {
    if (link) link->check_progress();
  }
}

PeerLink* Mesh::link(NodeId node) const {
  ZELL_CHECK(node.value < links_.size());
  return links_[node.value].get();
}

std::string Mesh::name_of(const Connection& connection) const {
  const auto peer = connection.peer();
  if (!peer) return connection.remote();
  const auto& name = genesis_.members[peer->value].name;
  const bool proven = !connection.incoming() || connection.authenticated();
  return connection.remote() + (proven ? " (" + name + ")" : " (which says it is " + name + ")");
}

void Mesh::set_peer(NodeId node, Endpoint endpoint) {
  if (auto* to = link(node)) to->set_endpoint(std::move(endpoint));
}

bool Mesh::send(NodeId to, Lane lane, std::shared_ptr<const Bytes> body) {
  auto* peer = link(to);
  ZELL_CHECK(peer != nullptr && body != nullptr);
  if (!peer->send(lane, std::move(body))) return false;
  wants_flush();
  return true;
}

bool Mesh::connected(NodeId node) const {
  const auto* to = link(node);
  return to != nullptr && to->connected();
}

void Mesh::pause_reading(NodeId node) {
  auto* from = link(node);
  if (from != nullptr && from->connection() != nullptr) from->connection()->pause();
}

void Mesh::resume_reading(NodeId node) {
  auto* from = link(node);
  if (from != nullptr && from->connection() != nullptr) from->connection()->resume();
}

std::size_t Mesh::queued_bytes(NodeId node, Lane lane) const {
  auto* to = link(node);
  return to != nullptr && to->connected() ? to->connection()->queue().queued_bytes(lane) : 0;
}

TransportStats Mesh::stats() const {
  TransportStats out;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (links_[i]) out.peers.emplace(NodeId{static_cast<std::uint16_t>(i)}, links_[i]->stats());
  }
  out.unauthenticated = unauthenticated_.size();
  out.accepted = accepted_;
  out.closed = refusals_.counts();
  return out;
}

void Mesh::close(std::function<void()> done) {
  ZELL_CHECK(!closing_);
  closing_ = true;
  for (auto& link : links_) {
    if (link) link->stop();
  }
  while (!unauthenticated_.empty()) {
    auto connection = std::move(unauthenticated_.front());
    unauthenticated_.pop_front();
    connection->close();
    retire(std::move(connection));
  }
  listener_.reset();
  flusher_.reset();
  ticker_.reset();
  context_.handles->when_none(std::move(done));
}

}  // namespace zell
