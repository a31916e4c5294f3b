#pragma once
// Reading and writing the bytes of one connection. All that the rest knows of a connection passes here, so TLS can take
// this class's place.

#include <uv.h>

#include <functional>
#include <memory>
#include <string>

#include "node/transport/send_queue.h"
#include "node/transport/uv_handles.h"

namespace zell {

/// What reads go into, shared by the connections of a loop: libuv hands each read on before it begins the next.
using ReadBuffer = std::array<char, 128u << 10>;

/// What every stream of one mesh shares.
struct StreamContext {
  uv_loop_t* loop = nullptr;
  HandleCountPtr handles;
  ReadBuffer* buffer = nullptr;       ///< outlives the streams
  std::size_t write_ahead_bytes = 0;  ///< left unsent in the kernel
  std::uint32_t unanswered_ms = 0;    ///< after which the kernel gives up on bytes that nobody acknowledged
};

class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  /// The bytes are gone after the call.
  virtual void on_bytes(ByteView bytes) = 0;
  /// The other side closed (UV_EOF), or reading or writing failed: a libuv error code. Nothing follows.
  virtual void on_end(int status) = 0;
  /// All that was written is with the kernel.
  virtual void on_drained() = 0;
};

/// A TCP connection, closed on destruction. Loop thread. May be destroyed inside its own events.
class Stream {
 public:
  /// A connection waiting at `listener`; null if there is none after all.
  [[nodiscard]] static std::unique_ptr<Stream> accept(uv_stream_t* listener, const StreamContext& context);
  explicit Stream(const StreamContext& context);

  /// Calls back once with 0 or a libuv error code, never before it returns, and not at all if this is destroyed before.
  /// Returns an error code where nothing could be begun.
  [[nodiscard]] int connect(const sockaddr& address, std::function<void(int)> done);
  /// REQUIRES: connected; events outlives this.
  [[nodiscard]] int start_reading(StreamEvents& events);
  void stop_reading();
  /// Hands bytes to the kernel, and what it does not take to libuv, which calls on_drained when it has. Returns whether
  /// the kernel took all (1), a rest waits (0), or an error code. With `always_wait` it reports through on_drained in
  /// any case. REQUIRES: !waiting().
  [[nodiscard]] int write(WriteBatch batch, bool always_wait);
  [[nodiscard]] bool waiting() const;
  /// Bytes that libuv still holds.
  [[nodiscard]] std::size_t waiting_bytes() const;
  /// "127.0.0.1:4001"; what it was when the connection was made.
  [[nodiscard]] const std::string& remote() const { return remote_; }

 private:
  struct State {
    Stream* stream = nullptr;  ///< null once it is destroyed
    StreamEvents* events = nullptr;
    ReadBuffer* buffer = nullptr;
    std::function<void(int)> connected;
    uv_connect_t connect_request;
    bool waiting = false;
  };
  using Handle = OwnedHandle<uv_tcp_t, State>;

  [[nodiscard]] uv_stream_t* uv() const { return reinterpret_cast<uv_stream_t*>(handle_->get()); }
  void on_connected();
  static void after_write(uv_write_t* request, int status);

  StreamContext context_;
  std::unique_ptr<Handle> handle_;
  std::string remote_;

 public:
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();
};

/// "127.0.0.1:4001", "[::1]:4001"; empty for any other family.
[[nodiscard]] std::string to_string(const sockaddr& address);

}  // namespace zell
