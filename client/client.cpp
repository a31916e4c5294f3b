#include "client/client.h"

#include "client/deadline.h"
#include "client/session.h"
#include "client/submission.h"
#include "node/wire/request_codec.h"

namespace zell {

Client::Client(Genesis genesis, std::vector<ClientNode> nodes, ClientOptions options)
    : session_(std::make_unique<ClientSession>(std::move(genesis), std::move(nodes), std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

RequestPtr Client::sign(const SecretKey& secret, std::string_view app, std::span<const Bytes> payloads) {
  return sign_request(session_->verifier.domain(), secp256k1_scheme(), secret, app, session_->nonces.next(), payloads);
}

Result<std::vector<Outcome>> Client::submit(std::span<const RequestPtr> requests, RequestState wait,
                                            std::chrono::milliseconds timeout) {
  if (auto usable = session_->usable(); !usable) return usable.error();
  return Submission(*session_, requests, wait, timeout).run();
}

Result<Outcome> Client::wait(const RequestId& id, RequestState state, std::chrono::milliseconds timeout) {
  if (auto usable = session_->usable(); !usable) return usable.error();
  return session_->wait(id, state, timeout);
}

Result<ProvenRequest> Client::prove(const RequestId& id) {
  if (auto usable = session_->usable(); !usable) return usable.error();
  return session_->prove_anywhere(id, 0, false);
}

Result<ProvenRequest> Client::prove(Index index) {
  if (auto usable = session_->usable(); !usable) return usable.error();
  return session_->prove_anywhere(index, 0, false);
}

Result<CertificatePtr> Client::newest_certificate(std::size_t node) {
  if (auto usable = session_->usable(); !usable) return usable.error();
  ZELL_CHECK(node < session_->nodes.size());
  return session_->certificate(node);
}

Result<std::vector<PendingRequest>> Client::pending(std::size_t node, Index from) {
  if (auto usable = session_->usable(); !usable) return usable.error();
  ZELL_CHECK(node < session_->nodes.size());
  return session_->pending(node, from);
}

Result<ProvenFaults> Client::evidence(std::size_t node) {
  if (auto usable = session_->usable(); !usable) return usable.error();
  ZELL_CHECK(node < session_->nodes.size());
  return session_->evidence(node);
}

const std::vector<NodeFault>& Client::faults() const {
  return session_->faults;
}
const std::optional<Fork>& Client::fork() const {
  return session_->fork;
}
const Genesis& Client::genesis() const {
  return session_->genesis;
}
const std::vector<ClientNode>& Client::nodes() const {
  return session_->nodes;
}
void Client::cancel() {
  session_->cancel();
}

}  // namespace zell
