#include "node/transport/stream.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace zell {
namespace {

constexpr unsigned keepalive_s = 10;

struct WriteRequest {
  uv_write_t request;
  WriteBatch batch;
};

void set_option(int fd, int option, unsigned value) {
  // Best effort: a kernel that lacks an option serves as well, only less promptly.
  (void)setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value);
}

/// Without what the kernel has already taken.
std::vector<uv_buf_t> buffers_after(const std::vector<ByteView>& pieces, std::size_t taken) {
  std::vector<uv_buf_t> out;
  out.reserve(pieces.size());
  for (auto piece : pieces) {
    const auto skipped = std::min(taken, piece.size());
    taken -= skipped;
    piece = piece.subspan(skipped);
    if (piece.empty()) continue;
    // libuv's type is not const; it only reads.
    auto* data = reinterpret_cast<char*>(const_cast<std::uint8_t*>(piece.data()));
    out.push_back(uv_buf_init(data, static_cast<unsigned>(piece.size())));
  }
  return out;
}

}  // namespace

std::string to_string(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    uv_ip4_name(&v4, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    uv_ip6_name(&v6, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return {};
}

Stream::Stream(const StreamContext& context) : context_(context) {
  State state;
  state.buffer = context.buffer;
  handle_ = std::make_unique<Handle>(context.handles, std::move(state),
                                     [&](uv_tcp_t* tcp) { return uv_tcp_init(context.loop, tcp); });
  handle_->state().stream = this;
}

Stream::~Stream() {
  handle_->state().stream = nullptr;
  handle_->state().events = nullptr;
}

std::unique_ptr<Stream> Stream::accept(uv_stream_t* listener, const StreamContext& context) {
  auto stream = std::make_unique<Stream>(context);
  if (uv_accept(listener, stream->uv()) != 0) return nullptr;
  stream->on_connected();
  return stream;
}

int Stream::connect(const sockaddr& address, std::function<void(int)> done) {
  auto& state = handle_->state();
  state.connected = std::move(done);
  return uv_tcp_connect(&state.connect_request, handle_->get(), &address, [](uv_connect_t* request, int status) {
    auto& own = Handle::state_of(reinterpret_cast<uv_tcp_t*>(request->handle));
    if (own.stream == nullptr) return;
    if (status == 0) own.stream->on_connected();
    auto callback = std::exchange(own.connected, nullptr);
    callback(status);
  });
}

void Stream::on_connected() {
  sockaddr_storage address{};
  int size = sizeof address;
  if (uv_tcp_getpeername(handle_->get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    remote_ = to_string(reinterpret_cast<const sockaddr&>(address));
  }
  uv_tcp_nodelay(handle_->get(), 1);
  uv_tcp_keepalive(handle_->get(), 1, keepalive_s);
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(handle_->get()), &fd) != 0) return;
  // The kernel takes more than this only as the peer acknowledges it: what it has taken can't be overtaken any more.
  set_option(fd, TCP_NOTSENT_LOWAT, static_cast<unsigned>(context_.write_ahead_bytes));
  set_option(fd, TCP_USER_TIMEOUT, context_.unanswered_ms);
}

int Stream::start_reading(StreamEvents& events) {
  handle_->state().events = &events;
  return uv_read_start(
      uv(),
      [](uv_handle_t* handle, size_t, uv_buf_t* out) {
        auto& buffer = *Handle::state_of(reinterpret_cast<uv_tcp_t*>(handle)).buffer;
        *out = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
      },
      [](uv_stream_t* handle, ssize_t count, const uv_buf_t* in) {
        auto* listener = Handle::state_of(reinterpret_cast<uv_tcp_t*>(handle)).events;
        if (listener == nullptr || count == 0) return;
        if (count < 0) return listener->on_end(static_cast<int>(count));
        listener->on_bytes({reinterpret_cast<const std::uint8_t*>(in->base), static_cast<std::size_t>(count)});
      });
}

void Stream::stop_reading() {
  uv_read_stop(uv());
}

int Stream::write(WriteBatch batch, bool always_wait) {
  ZELL_CHECK(!waiting());
  std::size_t taken = 0;
  if (!always_wait) {
    const auto buffers = buffers_after(batch.pieces(), 0);
    const int written = uv_try_write(uv(), buffers.data(), static_cast<unsigned>(buffers.size()));
    if (written < 0 && written != UV_EAGAIN) return written;
    if (written > 0) taken = static_cast<std::size_t>(written);
    if (taken == batch.size()) return 1;
  }
  auto request = std::make_unique<WriteRequest>();
  request->batch = std::move(batch);
  request->request.data = request.get();
  const auto buffers = buffers_after(request->batch.pieces(), taken);
  const int status =
      uv_write(&request->request, uv(), buffers.data(), static_cast<unsigned>(buffers.size()), &Stream::after_write);
  if (status != 0) return status;
  (void)request.release();  // after_write frees it
  handle_->state().waiting = true;
  return 0;
}

void Stream::after_write(uv_write_t* request, int status) {
  std::unique_ptr<WriteRequest> own(static_cast<WriteRequest*>(request->data));
  auto& state = Handle::state_of(reinterpret_cast<uv_tcp_t*>(request->handle));
  state.waiting = false;
  if (state.events == nullptr) return;
  if (status < 0) return state.events->on_end(status);
  state.events->on_drained();
}

bool Stream::waiting() const {
  return handle_->state().waiting;
}

std::size_t Stream::waiting_bytes() const {
  return uv_stream_get_write_queue_size(uv());
}

}  // namespace zell
