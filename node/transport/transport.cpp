#include "node/transport/transport.h"

#include "node/transport/mesh.h"

namespace zell {

Transport::Transport(uv_loop_t* loop, const Genesis& genesis, NodeId self, const SecretKey& secret,
                     const SignatureScheme& scheme, Endpoint listen, const std::map<NodeId, Endpoint>& peers,
                     const TransportLimits& limits, TransportHandler& handler)
    : mesh_(std::make_unique<Mesh>(loop, genesis, self, secret, scheme, std::move(listen), peers, limits, handler)) {}

Transport::~Transport() = default;

Status Transport::start() {
  return mesh_->start();
}
std::uint16_t Transport::port() const {
  return mesh_->port();
}
void Transport::set_peer(NodeId node, Endpoint endpoint) {
  mesh_->set_peer(node, std::move(endpoint));
}
bool Transport::send(NodeId to, Lane lane, std::shared_ptr<const Bytes> frame_body) {
  return mesh_->send(to, lane, std::move(frame_body));
}
bool Transport::connected(NodeId node) const {
  return mesh_->connected(node);
}
void Transport::pause_reading(NodeId node) {
  mesh_->pause_reading(node);
}
void Transport::resume_reading(NodeId node) {
  mesh_->resume_reading(node);
}
std::size_t Transport::queued_bytes(NodeId node, Lane lane) const {
  return mesh_->queued_bytes(node, lane);
}
TransportStats Transport::stats() const {
  return mesh_->stats();
}
void Transport::close(std::function<void()> done) {
  mesh_->close(std::move(done));
}

}  // namespace zell
