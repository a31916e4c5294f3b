#include "node/transport/dial.h"

#include <netdb.h>

#include <cstring>

namespace zell {

struct Dial::Lookup {
  uv_getaddrinfo_t request;
  Dial* dial;  ///< null once that is destroyed
  HandleCountPtr handles;
};

namespace {

addrinfo stream_hints() {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  return hints;
}

}  // namespace

std::optional<sockaddr_storage> numeric_address(const Endpoint& endpoint) {
  sockaddr_storage out{};
  if (uv_ip4_addr(endpoint.host.c_str(), endpoint.port, reinterpret_cast<sockaddr_in*>(&out)) == 0) return out;
  if (uv_ip6_addr(endpoint.host.c_str(), endpoint.port, reinterpret_cast<sockaddr_in6*>(&out)) == 0) return out;
  return std::nullopt;
}

Result<sockaddr_storage> resolve_now(uv_loop_t* loop, const Endpoint& endpoint) {
  if (auto numeric = numeric_address(endpoint)) return *numeric;
  uv_getaddrinfo_t request;
  const auto hints = stream_hints();
  const auto port = std::to_string(endpoint.port);
  const int status = uv_getaddrinfo(loop, &request, nullptr, endpoint.host.c_str(), port.c_str(), &hints);
  if (status != 0) {
    return Error{"bad-address", "the address '" + endpoint.host + "' is not known: " + uv_strerror(status),
                 "give an IP address or a name that this machine can look up"};
  }
  sockaddr_storage out{};
  std::memcpy(&out, request.addrinfo->ai_addr, request.addrinfo->ai_addrlen);
  uv_freeaddrinfo(request.addrinfo);
  return out;
}

Dial::Dial(const StreamContext& context, Endpoint endpoint, std::uint32_t timeout_ms, Done done)
    : context_(context),
      endpoint_(std::move(endpoint)),
      timeout_ms_(timeout_ms),
      done_(std::move(done)),
      timer_(context.loop, context.handles, [this] { finish(status_); }) {}

Dial::~Dial() {
  if (lookup_ == nullptr) return;
  lookup_->dial = nullptr;
  // Where the lookup has begun already, it ends in its own time and is then ignored.
  uv_cancel(reinterpret_cast<uv_req_t*>(&lookup_->request));
}

void Dial::start() {
  timer_.start(timeout_ms_);
  const auto numeric = numeric_address(endpoint_);
  const int status = numeric ? connect(reinterpret_cast<const sockaddr&>(*numeric)) : look_up();
  if (status != 0) finish_later(status);
}

int Dial::look_up() {
  auto lookup = std::make_unique<Lookup>();
  lookup->dial = this;
  lookup->handles = context_.handles;
  lookup->request.data = lookup.get();
  const auto hints = stream_hints();
  const auto port = std::to_string(endpoint_.port);
  const int begun = uv_getaddrinfo(
      context_.loop, &lookup->request,
      [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
        std::unique_ptr<Lookup> own(static_cast<Lookup*>(request->data));
        if (own->dial != nullptr) {
          own->dial->lookup_ = nullptr;
          if (status == 0) status = own->dial->connect(*found->ai_addr);
          if (status != 0) own->dial->finish(status);
        }
        uv_freeaddrinfo(found);
        auto handles = std::move(own->handles);
        own.reset();
        handles->remove();
      },
      endpoint_.host.c_str(), port.c_str(), &hints);
  if (begun != 0) return begun;
  context_.handles->add();
  lookup_ = lookup.release();
  return 0;
}

int Dial::connect(const sockaddr& address) {
  stream_ = std::make_unique<Stream>(context_);
  return stream_->connect(address, [this](int status) { finish(status); });
}

void Dial::finish(int status) {
  auto done = std::move(done_);
  auto stream = status == 0 ? std::move(stream_) : nullptr;
  stream_.reset();
  timer_.stop();
  done(status, std::move(stream));
}

void Dial::finish_later(int status) {
  status_ = status;
  stream_.reset();
  timer_.start(0);
}

}  // namespace zell
