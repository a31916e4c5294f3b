#include "cluster/supervisor_socket.h"

#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "cluster/control_channel.h"
#include "cluster/paths.h"

namespace zell {
namespace {

constexpr std::size_t max_unread_bytes = 1 << 20;

}  // namespace

struct SupervisorSocket::Impl {
  uv_loop_t& loop;
  std::filesystem::path path;
  Handler handler;
  uv_pipe_t* listener = nullptr;                         // deletes itself when closed
  std::vector<std::shared_ptr<Connection>> connections;  // the oldest first
  bool closing = false;

  void make_room();
};

/// Keeps itself alive until its handle is closed.
struct SupervisorSocket::Connection : std::enable_shared_from_this<Connection> {
  Impl* server = nullptr;
  uv_pipe_t pipe{};
  std::string received;
  std::size_t replies_due = 0, writes = 0;
  bool closing = false;
  std::shared_ptr<Connection> self;

  [[nodiscard]] bool idle() const { return replies_due == 0 && writes == 0; }

  void close() {
    if (closing) return;
    closing = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&pipe),
             [](uv_handle_t* handle) { static_cast<Connection*>(handle->data)->self.reset(); });
    std::erase(server->connections, shared_from_this());
  }

  void write(std::string line) {
    if (closing) return;
    struct Write {
      uv_write_t request{};
      std::string text;
      std::shared_ptr<Connection> connection;
    };
    auto* write = new Write{{}, std::move(line) + "\n", shared_from_this()};
    write->request.data = write;
    auto buffer = uv_buf_init(write->text.data(), static_cast<unsigned>(write->text.size()));
    ++writes;
    const auto done = [](uv_write_t* request, int status) {
      std::unique_ptr<Write> written(static_cast<Write*>(request->data));
      auto& connection = *written->connection;
      --connection.writes;
      if (status < 0 || (connection.server->closing && connection.writes == 0)) connection.close();
    };
    if (uv_write(&write->request, reinterpret_cast<uv_stream_t*>(&pipe), &buffer, 1, done) != 0) {
      delete write;
      --writes;
      close();
    }
  }

  void take(const char* bytes, std::size_t count) {
    received.append(bytes, count);
    // Questions without end, whose answers nobody reads.
    if (uv_stream_get_write_queue_size(reinterpret_cast<uv_stream_t*>(&pipe)) > max_unread_bytes) return close();
    for (auto end = received.find('\n'); end != std::string::npos && !closing; end = received.find('\n')) {
      const auto line = received.substr(0, end);
      received.erase(0, end + 1);
      ++replies_due;
      server->handler(line, [weak = weak_from_this()](std::string reply) {
        auto connection = weak.lock();
        if (!connection) return;
        --connection->replies_due;
        connection->write(std::move(reply));
      });
    }
    if (received.size() > max_answer_bytes_per_line) close();
  }

  void start() {
    self = shared_from_this();
    server->connections.push_back(self);
    const auto allocate = [](uv_handle_t*, std::size_t, uv_buf_t* buffer) {
      static thread_local char bytes[4096];
      *buffer = uv_buf_init(bytes, sizeof bytes);
    };
    uv_read_start(reinterpret_cast<uv_stream_t*>(&pipe), allocate,
                  [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
                    auto keep = static_cast<Connection*>(stream->data)->shared_from_this();
                    if (count < 0) return keep->close();
                    keep->take(buffer->base, static_cast<std::size_t>(count));
                  });
  }
};

void SupervisorSocket::Impl::make_room() {
  if (connections.size() <= max_supervisor_connections) return;
  const auto oldest = std::find_if(connections.begin(), connections.end(), [](auto& one) { return one->idle(); });
  (oldest == connections.end() ? connections.back() : *oldest)->close();
}

namespace {

Error socket_error(const std::filesystem::path& socket, int code) {
  return {"io", "cannot listen on " + socket.string() + ": " + uv_strerror(code), ""};
}

}  // namespace

SupervisorSocket::SupervisorSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SupervisorSocket::~SupervisorSocket() = default;

Result<std::unique_ptr<SupervisorSocket>> SupervisorSocket::listen(uv_loop_t& loop, const std::filesystem::path& socket,
                                                                   Handler handler) {
  if (socket.string().size() > max_socket_path_bytes) return socket_error(socket, UV_ENAMETOOLONG);
  std::unique_ptr<SupervisorSocket> server(new SupervisorSocket(
      std::unique_ptr<Impl>(new Impl{loop, socket, std::move(handler), new uv_pipe_t{}, {}, false})));
  auto* listener = server->impl_->listener;
  uv_pipe_init(&loop, listener, 0);
  listener->data = server->impl_.get();
  if (is_answered(socket)) {  // of a supervisor whose folder was replaced: it takes the file away when it has stopped
    server->close();
    return Error{"busy", "another supervisor still listens on " + socket.string(), "try again in a moment"};
  }
  std::error_code none;
  std::filesystem::remove(socket, none);
  // The folder is private already; the mode is for whoever copies the path elsewhere.
  const auto old_mask = ::umask(0177);
  int result = uv_pipe_bind(listener, socket.c_str());
  ::umask(old_mask);
  const auto accept = [](uv_stream_t* stream, int status) {
    if (status < 0) return;
    auto* impl = static_cast<Impl*>(stream->data);
    auto connection = std::make_shared<Connection>();
    connection->server = impl;
    uv_pipe_init(&impl->loop, &connection->pipe, 0);
    connection->pipe.data = connection.get();
    const bool accepted = uv_accept(stream, reinterpret_cast<uv_stream_t*>(&connection->pipe)) == 0;
    connection->start();
    if (!accepted) return connection->close();
    impl->make_room();
  };
  if (result == 0) result = uv_listen(reinterpret_cast<uv_stream_t*>(listener), 16, accept);
  if (result == 0) return server;
  server->close();
  return socket_error(socket, result);
}

void SupervisorSocket::close() {
  if (impl_->closing) return;
  impl_->closing = true;
  // libuv removes the socket's file when it closes a pipe that it bound.
  uv_close(reinterpret_cast<uv_handle_t*>(impl_->listener),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_pipe_t*>(handle); });
  const auto open = impl_->connections;
  for (const auto& connection : open) {
    if (connection->writes == 0) connection->close();
  }
}

}  // namespace zell
