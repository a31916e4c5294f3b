// libuv's TCP on loopback, between two threads that each run a loop: how soon an answer is there, and how many frames
// go through when writes are gathered.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>

#include "cluster/load/limits_probes.h"
#include "cluster/unique_fd.h"
#include "node/base/bytes.h"
#include "node/base/check.h"

namespace zell::limits {
namespace {

using namespace std::chrono_literals;

constexpr auto slice = 100ms;
constexpr std::size_t frame_bytes = 256;
constexpr std::size_t gathered_bytes = 64 << 10;
constexpr std::size_t writes_under_way = 4;

Error socket_error(const char* doing) {
  return {"io", std::string("loopback: cannot ") + doing + ": " + std::generic_category().message(errno), ""};
}

struct Pair {
  UniqueFd near, far;
};

Result<Pair> connect_pair() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (!listener.valid() || ::bind(listener.get(), any, size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), any, &size) != 0) {
    return socket_error("listen");
  }
  Pair out;
  out.near.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out.near.valid() || ::connect(out.near.get(), any, size) != 0) return socket_error("connect");
  out.far.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!out.far.valid()) return socket_error("accept");
  return out;
}

/// One end, with a loop of its own. Ends when the other end closes, or when it is closed here.
class End {
 public:
  explicit End(UniqueFd fd) {
    ZELL_CHECK(uv_loop_init(&loop_) == 0);
    ZELL_CHECK(uv_tcp_init(&loop_, &tcp_) == 0);
    ZELL_CHECK(uv_tcp_open(&tcp_, fd.get()) == 0);
    fd.release();
    ZELL_CHECK(uv_tcp_nodelay(&tcp_, 1) == 0);
    tcp_.data = this;
  }
  virtual ~End() { ZELL_CHECK(uv_loop_close(&loop_) == 0); }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  void run() {
    ZELL_CHECK(uv_read_start(stream(), &End::on_buffer, &End::on_data) == 0);
    start();
    uv_run(&loop_, UV_RUN_DEFAULT);
  }

 protected:
  virtual void start() {}
  virtual void received(ByteView bytes) = 0;
  virtual void sent() {}

  /// The bytes must stay until it is sent.
  void send(ByteView bytes) {
    auto request = std::make_unique<uv_write_t>();
    auto buffer = uv_buf_init(reinterpret_cast<char*>(const_cast<std::uint8_t*>(bytes.data())),
                              static_cast<unsigned>(bytes.size()));
    if (uv_write(request.get(), stream(), &buffer, 1, &End::on_sent) != 0) return close();
    (void)request.release();  // on_sent() owns it
  }
  /// After all that was sent, so that the other end reads it all and then closes, too.
  void finish() {
    if (uv_shutdown(&shutdown_, stream(), [](uv_shutdown_t*, int) {}) != 0) close();
  }
  void close() {
    auto* handle = reinterpret_cast<uv_handle_t*>(&tcp_);
    if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
  }

 private:
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }
  static void on_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    auto& room = static_cast<End*>(handle->data)->room_;
    *buffer = uv_buf_init(reinterpret_cast<char*>(room.data()), static_cast<unsigned>(room.size()));
  }
  static void on_data(uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
    auto& self = *static_cast<End*>(stream->data);
    if (count < 0) return self.close();
    self.received(ByteView(self.room_).first(static_cast<std::size_t>(count)));
  }
  static void on_sent(uv_write_t* done, int status) {
    const std::unique_ptr<uv_write_t> request(done);
    auto& self = *static_cast<End*>(request->handle->data);
    if (status != 0) return self.close();
    self.sent();
  }

  uv_loop_t loop_;
  uv_tcp_t tcp_;
  uv_shutdown_t shutdown_;
  Bytes room_ = Bytes(gathered_bytes);
};

/// Sends back what it gets.
class Echo final : public End {
 public:
  using End::End;

 private:
  void received(ByteView bytes) override {
    ZELL_CHECK(bytes.size() <= answer_.size());  // the other end has one frame under way
    std::copy(bytes.begin(), bytes.end(), answer_.begin());
    send(ByteView(answer_).first(bytes.size()));
  }
  std::array<std::uint8_t, frame_bytes> answer_{};
};

class Sink final : public End {
 public:
  using End::End;

 private:
  void received(ByteView) override {}
};

/// Sends one frame, waits until it is back, and again.
class RoundTrips final : public End {
 public:
  using End::End;
  std::vector<double> took_us;

 private:
  void start() override {
    until_ = Clock::now() + slice;
    next();
  }
  void next() {
    missing_ = frame_bytes;
    sent_at_ = Clock::now();
    send(frame_);
  }
  void received(ByteView bytes) override {
    missing_ -= bytes.size();
    if (missing_ > 0) return;
    const auto now = Clock::now();
    took_us.push_back(std::chrono::duration<double, std::micro>(now - sent_at_).count());
    if (now < until_) return next();
    close();
  }
  Clock::time_point until_, sent_at_;
  std::size_t missing_ = 0;
  Bytes frame_ = Bytes(frame_bytes, 0x5a);
};

/// Keeps the connection full with writes of many frames each.
class Gathered final : public End {
 public:
  using End::End;
  std::uint64_t bytes = 0;

 private:
  void start() override {
    until_ = Clock::now() + slice;
    for (std::size_t i = 0; i < writes_under_way; ++i) next();
  }
  void next() {
    bytes += frames_.size();
    ++under_way_;
    send(frames_);
  }
  void sent() override {
    --under_way_;
    if (Clock::now() < until_) return next();
    if (under_way_ == 0) finish();
  }
  void received(ByteView) override {}
  Clock::time_point until_;
  std::size_t under_way_ = 0;
  Bytes frames_ = Bytes(gathered_bytes, 0x5a);
};

/// Runs both ends to their end; seconds.
double run_both(End& near, End& far) {
  const auto begin = Clock::now();
  std::jthread other([&far] { far.run(); });
  near.run();
  other.join();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Result<std::vector<double>> measure_round_trips() {
  auto pair = connect_pair();
  if (!pair) return pair.error();
  RoundTrips near(std::move(pair->near));
  Echo far(std::move(pair->far));
  run_both(near, far);
  auto& took = near.took_us;
  if (took.empty()) return Error{"io", "loopback: the connection broke", ""};
  std::sort(took.begin(), took.end());
  return std::vector{took[took.size() / 2]};
}

Result<std::vector<double>> measure_gathered() {
  auto pair = connect_pair();
  if (!pair) return pair.error();
  Gathered near(std::move(pair->near));
  Sink far(std::move(pair->far));
  const auto seconds = run_both(near, far);
  const auto frames = near.bytes / frame_bytes;
  return std::vector{static_cast<double>(frames) / seconds};
}

}  // namespace

std::vector<Probe> network_probes() {
  return {{{{"loopback-round-trip", "us", frame_bytes}}, measure_round_trips},
          {{{"loopback-frames-gathered", "frames/s", frame_bytes}}, measure_gathered}};
}

}  // namespace zell::limits
