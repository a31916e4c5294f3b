#include "tests/unit/transport/mesh_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

namespace zell::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Loop::Loop() {
  REQUIRE(uv_loop_init(&loop_) == 0);
  uv_timer_init(&loop_, &pulse_);
}

Loop::~Loop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&pulse_), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop_) == 0);
}

bool Loop::run_until(const std::function<bool()>& holds, std::chrono::milliseconds limit) {
  uv_update_time(&loop_);
  const auto end = uv_now(&loop_) + static_cast<std::uint64_t>(limit.count());
  uv_timer_start(&pulse_, [](uv_timer_t*) {}, 1, 2);
  bool held = holds();
  while (!held && uv_now(&loop_) < end) {
    uv_run(&loop_, UV_RUN_ONCE);
    held = holds();
  }
  uv_timer_stop(&pulse_);
  return held;
}

void Loop::run_for(std::chrono::milliseconds time) {
  (void)run_until([] { return false; }, time);
}

std::size_t Loop::open_handles() {
  std::size_t count = 0;
  uv_walk(&loop_, [](uv_handle_t*, void* counter) { ++*static_cast<std::size_t*>(counter); }, &count);
  return count - 1;  // the pulse
}

SecretKey key_of(std::size_t member) {
  return dev_secret_key(7, "n" + std::to_string(member + 1));
}

Genesis make_genesis(std::size_t members, std::uint64_t chain_id) {
  Genesis genesis;
  genesis.chain_id = chain_id;
  for (std::size_t i = 0; i < members; ++i) {
    genesis.members.push_back({"n" + std::to_string(i + 1), *secp256k1_scheme().public_key(key_of(i)), 1});
  }
  REQUIRE(genesis.validate().ok());
  return genesis;
}

std::shared_ptr<const Bytes> body_of(std::size_t size, std::uint8_t fill) {
  return std::make_shared<const Bytes>(size, fill);
}

Node::Node(Loop& on, const Genesis& genesis, std::uint16_t id, const TransportLimits& limits,
           std::optional<SecretKey> secret, std::uint16_t port)
    : loop(on),
      self{id},
      transport(std::make_unique<Transport>(on.uv(), genesis, NodeId{id}, secret ? *secret : key_of(id),
                                            secp256k1_scheme(), Endpoint{"127.0.0.1", port},
                                            std::map<NodeId, Endpoint>{}, limits, *this)) {}

Node::~Node() {
  stop();
}

void Node::on_frame(NodeId from, Bytes body) {
  if (each_frame) each_frame(from, body);
  frames.emplace_back(from.value, std::move(body));
}

void Node::on_peer_up(NodeId node) {
  ups.push_back(node.value);
  if (each_up) each_up(node);
}

void Node::stop() {
  if (!transport) return;
  bool done = false;
  transport->close([&done] { done = true; });
  CHECK(loop.run_until([&done] { return done; }));
  transport.reset();
}

std::uint64_t Node::closed(const std::string& cause) const {
  const auto counts = transport->stats().closed;
  const auto place = counts.find(cause);
  return place == counts.end() ? 0 : place->second;
}

void Node::knows(const Node& other) {
  transport->set_peer(other.self, {"127.0.0.1", other.transport->port()});
}

bool Node::was_told(const std::string& part) const {
  return std::any_of(refusals.begin(), refusals.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

bool all_connected(const std::vector<std::unique_ptr<Node>>& nodes) {
  for (const auto& node : nodes) {
    for (const auto& other : nodes) {
      if (node != other && !node->up(other->self.value)) return false;
    }
  }
  return true;
}

std::vector<std::unique_ptr<Node>> start_mesh(Loop& loop, const Genesis& genesis, std::size_t count,
                                              const TransportLimits& limits) {
  std::vector<std::unique_ptr<Node>> nodes;
  for (std::uint16_t i = 0; i < count; ++i) {
    nodes.push_back(std::make_unique<Node>(loop, genesis, i, limits));
    REQUIRE(nodes.back()->transport->start().ok());
  }
  for (auto& node : nodes) {
    for (auto& other : nodes) {
      if (node != other) node->knows(*other);
    }
  }
  REQUIRE(loop.run_until([&] { return all_connected(nodes); }));
  return nodes;
}

RawPeer::~RawPeer() {
  close();
  if (listener_ >= 0) ::close(listener_);
}

void RawPeer::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void RawPeer::connect(std::uint16_t port) {
  close();
  received_.clear();
  ended_ = false;
  fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto address = loopback(port);
  REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

std::uint16_t RawPeer::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  auto address = loopback(0);
  REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener_, 8) == 0);
  ::fcntl(listener_, F_SETFL, O_NONBLOCK);
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

bool RawPeer::accept() {
  close();
  received_.clear();
  ended_ = false;
  return loop_.run_until([this] {
    fd_ = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    return fd_ >= 0;
  });
}

void RawPeer::send(ByteView bytes) const {
  (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

bool RawPeer::read_some() {
  std::uint8_t buffer[4096];
  while (true) {
    const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) {
      received_.insert(received_.end(), buffer, buffer + n);
    } else {
      ended_ = ended_ || n == 0 || (errno != EAGAIN && errno != EINTR);
      return ended_;
    }
  }
}

Bytes RawPeer::receive_frame() {
  const auto whole = [this] {
    read_some();
    return received_.size() >= 4 && received_.size() >= 4 + Reader(received_).u32();
  };
  (void)loop_.run_until([&] { return whole() || ended_; });
  if (!whole()) return {};
  const auto end = received_.begin() + 4 + Reader(received_).u32();
  Bytes body(received_.begin() + 4, end);
  received_.erase(received_.begin(), end);
  return body;
}

std::optional<HandshakeFrame> RawPeer::receive() {
  const auto body = receive_frame();
  if (body.empty()) return std::nullopt;
  auto frame = decode_handshake(body, wire_version);
  return frame ? std::optional(*frame) : std::nullopt;
}

bool RawPeer::sees_end() {
  return loop_.run_until([this] { return read_some(); });
}

bool RawPeer::authenticate(const MeshIdentity& identity, NodeId peer) {
  Nonce32 nonce;
  random_bytes(nonce.bytes);
  auto handshake = Handshake::dial(identity, peer, nonce);
  send(handshake.opening());
  while (true) {
    const auto body = receive_frame();
    if (body.empty()) return false;
    const auto step = handshake.on_frame(body);
    send(step.reply);
    if (step.done) return true;
    if (step.refused) return false;
  }
}

}  // namespace zell::test
