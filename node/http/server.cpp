#include "node/http/server.h"

#include <sys/socket.h>

#include <unordered_set>

#include "node/http/connection.h"
#include "node/http/guards.h"
#include "node/http/listener.h"
#include "node/http/mhd_loop.h"
#include "node/http/offload.h"
#include "node/http/params.h"
#include "node/http/routes.h"

namespace zell {

namespace {

/// Connections past the limit that are told so, instead of waiting in the kernel's backlog without a word.
constexpr std::size_t refused_connections = 32;
/// A body that is refused anyway is read to its end, so that the client gets the answer, but no further than this.
constexpr std::size_t max_discarded_bytes = 32 << 20;
/// Above max_wait: the node answers each wait by then, unless it is stuck.
constexpr std::chrono::milliseconds max_node_time = max_wait + std::chrono::seconds(15);
constexpr std::chrono::milliseconds sweep_every{500};

MHD_Result add_parameter(void* cls, MHD_ValueKind, const char* key, const char* value) {
  static_cast<HttpRequest*>(cls)->query.emplace_back(key ? key : "", value ? value : "");
  return MHD_YES;
}

HttpResponse too_large(std::size_t limit) {
  return error_response(
      413, {"too-large", "the body is over " + std::to_string(limit) + " bytes", "send fewer requests a call"});
}

HttpResponse busy(const char* what) {
  return error_response(503, {"busy", what, "try again shortly, or another node"}, std::chrono::seconds(1));
}

}  // namespace

struct HttpServer::Impl {
  Impl(uv_loop_t* loop_in, NodeApi& node_in, HttpOptions options_in)
      : loop(loop_in), node(node_in), options(std::move(options_in)) {}

  uv_loop_t* loop;
  NodeApi& node;
  HttpOptions options;
  std::uint16_t port = 0;
  MHD_Daemon* daemon = nullptr;
  std::unique_ptr<MhdLoop> driver;
  std::unordered_set<HttpConnection*> connections;
  std::size_t body_bytes = 0, response_bytes = 0;  ///< held for all connections together
  HttpCounters counters;
  std::size_t streams = 0;
  bool stopping = false;
  Offload offload;

  // ---- Life of a connection

  void opened(MHD_Connection* mhd, void** slot) {
    auto* connection = new HttpConnection;
    connection->mhd = mhd;
    connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection->over_limit = connections.size() >= options.max_connections;
    enter(*connection, ConnectionStage::receiving_head);
    connections.insert(connection);
    counters.connections = connections.size();
    *slot = connection;
  }

  void closed(void** slot) {
    auto* connection = static_cast<HttpConnection*>(*slot);
    connections.erase(connection);
    counters.connections = connections.size();
    delete connection;
    *slot = nullptr;
    // At its limit, libmicrohttpd has stopped listening, and goes on with it only when it is run once more.
    if (driver) driver->wake();
  }

  void enter(HttpConnection& connection, ConnectionStage stage) {
    connection.stage = stage;
    connection.since_ms = uv_now(loop);
  }

  static HttpConnection& connection_of(MHD_Connection* mhd) {
    const auto* info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    ZELL_CHECK(info != nullptr && info->socket_context != nullptr);
    return *static_cast<HttpConnection*>(info->socket_context);
  }

  // ---- Life of a request: its head, pieces of its body, its end, (a wait,) its answer

  MHD_Result on_request(MHD_Connection* mhd, const char* url, const char* method, const char* data,
                        std::size_t* data_bytes, void** slot) {
    auto& connection = connection_of(mhd);
    if (*slot == nullptr) {
      *slot = connection.active = new ActiveRequest;
      return begin(connection, url, method);
    }
    auto& active = *static_cast<ActiveRequest*>(*slot);
    if (*data_bytes > 0) {
      bool go_on = receive(active, {data, *data_bytes});
      *data_bytes = 0;
      return go_on ? MHD_YES : MHD_NO;
    }
    if (active.gone) return MHD_NO;
    // A connection that is suspended when the daemon stops ends the process: nothing waits any more.
    if (stopping && !active.response) active.response = stopped();
    if (!active.response) dispatch(connection);
    if (active.response) return queue(connection);
    MHD_suspend_connection(mhd);
    active.suspended = true;
    enter(connection, ConnectionStage::waiting);
    return MHD_YES;
  }

  MHD_Result begin(HttpConnection& connection, const char* url, const char* method) {
    auto& active = *connection.active;
    auto& request = *active.request;
    active.head_only = method == std::string_view("HEAD");
    request.method = active.head_only ? "GET" : method;
    request.path = url;
    request.content_type = media_type(header(connection.mhd, "Content-Type"));
    request.accept = header(connection.mhd, "Accept");
    request.last_event_id = header(connection.mhd, "Last-Event-ID");
    MHD_get_connection_values(connection.mhd, MHD_GET_ARGUMENT_KIND, add_parameter, &request);
    auto length_text = header(connection.mhd, "Content-Length");
    auto length = parse_decimal(length_text).value_or(0);
    active.response = refuse(connection, length);
    enter(connection, ConnectionStage::receiving_body);
    // Refused before the body is sent, if the client waits to be told, or if there would be too much to read.
    bool refuse_now = length > max_discarded_bytes || !header(connection.mhd, "Expect").empty();
    return active.response && refuse_now ? queue(connection) : MHD_YES;
  }

  std::optional<HttpResponse> refuse(const HttpConnection& connection, std::uint64_t length) const {
    if (connection.over_limit) {
      return error_response(503,
                            {"too-many-connections",
                             "this node serves " + std::to_string(options.max_connections) + " connections already",
                             "reuse connections, or use another node"},
                            std::chrono::seconds(1));
    }
    const char* origin = MHD_lookup_connection_value(connection.mhd, MHD_HEADER_KIND, "Origin");
    auto caller = check_caller(header(connection.mhd, "Host"),
                               origin ? std::optional<std::string>(origin) : std::nullopt, options.allowed_hosts);
    if (!caller) return error_response(caller.error().code == "foreign-host" ? 421 : 403, caller.error());
    if (auto refused = refuse_head(*connection.active->request)) return refused;
    if (length > options.max_body_bytes) return too_large(options.max_body_bytes);
    return std::nullopt;
  }

  /// False: cut the connection.
  bool receive(ActiveRequest& active, std::string_view data) {
    if (!active.response) {
      auto& body = active.request->body;
      if (body.size() + data.size() > options.max_body_bytes) {
        active.response = too_large(options.max_body_bytes);
      } else if (body_bytes + data.size() > options.max_total_body_bytes) {
        active.response = busy("too many large requests at once");
      } else {
        body_bytes += data.size();
        body.append(data);
        return true;
      }
      release_body(active);
    }
    active.discarded_bytes += data.size();
    return active.discarded_bytes <= max_discarded_bytes;
  }

  void release_body(ActiveRequest& active) {
    body_bytes -= active.request->body.size();
    std::string().swap(active.request->body);
  }

  void dispatch(HttpConnection& connection) {
    auto* active = connection.active;
    auto reply = [this, &connection](HttpResponse response) {
      connection.active->response = std::move(response);
      resume(connection);
    };
    active->exchange = std::make_shared<Exchange>(node, counters, std::move(reply));
    auto exchange = active->exchange;
    handle_request(active->request, exchange, offload);
  }

  void resume(HttpConnection& connection) {
    if (!connection.active->suspended) return;
    connection.active->suspended = false;
    MHD_resume_connection(connection.mhd);
    // libmicrohttpd doesn't wake a loop that polls its epoll descriptor from outside.
    if (driver) driver->wake();
  }

  MHD_Result queue(HttpConnection& connection) {
    auto& active = *connection.active;
    if (response_bytes + active.response->body.size() > options.max_total_response_bytes) {
      active.response = busy("too many large answers wait to be taken");
    }
    if (active.response->stream && streams >= options.max_streams) active.response = too_many_streams();
    counters.answered(route_label(active.request->path), active.response->status);
    auto* response = active.response->stream ? stream_body(connection) : whole_body(active);
    ZELL_CHECK(response != nullptr);
    MHD_add_response_header(response, "Content-Type", active.response->content_type.c_str());
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : active.response->headers) {
      MHD_add_response_header(response, name.c_str(), value.c_str());
    }
    // libmicrohttpd ends a body in chunks also where HEAD had none: nothing may follow that on this connection.
    bool broken = active.head_only && active.response->stream;
    if (connection.over_limit || broken || stopping) MHD_add_response_header(response, "Connection", "close");
    enter(connection, ConnectionStage::sending);
    auto result = MHD_queue_response(connection.mhd, active.response->status, response);
    MHD_destroy_response(response);
    return result;
  }

  MHD_Response* whole_body(ActiveRequest& active) {
    active.response_bytes = active.response->body.size();
    response_bytes += active.response_bytes;
    auto* body = new std::string(std::move(active.response->body));
    return MHD_create_response_from_buffer_with_free_callback_cls(
        body->size(), body->data(), [](void* cls) { delete static_cast<std::string*>(cls); }, body);
  }

  MHD_Response* stream_body(HttpConnection& connection) {
    struct Reading {
      Impl* server;
      HttpConnection* connection;
    };
    ++streams;
    connection.active->stream = connection.active->response->stream;
    connection.active->stream->on_ready = [this, &connection] { resume(connection); };
    auto read = [](void* cls, std::uint64_t, char* to, std::size_t room) {
      auto* reading = static_cast<Reading*>(cls);
      return reading->server->read_stream(*reading->connection, to, room);
    };
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, std::size_t{16} << 10, read,
                                             new Reading{this, &connection},
                                             [](void* cls) { delete static_cast<Reading*>(cls); });
  }

  /// libmicrohttpd asks for more once it has given the kernel all that it had.
  ssize_t read_stream(HttpConnection& connection, char* to, std::size_t room) {
    auto& active = *connection.active;
    if (active.gone) return MHD_CONTENT_READER_END_WITH_ERROR;
    auto count = active.stream->take(to, room);
    if (count > 0) {
      enter(connection, ConnectionStage::sending);
      return static_cast<ssize_t>(count);
    }
    if (active.stream->ended() || stopping) return MHD_CONTENT_READER_END_OF_STREAM;
    MHD_suspend_connection(connection.mhd);
    active.suspended = true;
    enter(connection, ConnectionStage::streaming);
    return 0;
  }

  HttpResponse too_many_streams() const {
    return error_response(
        503,
        {"too-many-streams", "this node serves " + std::to_string(options.max_streams) + " streams already",
         "use another node, or GET /v1/log with wait_ms"},
        std::chrono::seconds(1));
  }

  void completed(MHD_Connection* mhd, void** slot) {
    auto* active = static_cast<ActiveRequest*>(*slot);
    if (active == nullptr) return;
    *slot = nullptr;
    if (auto exchange = active->exchange) exchange->cancel();
    if (active->stream) {
      active->stream->on_ready = nullptr;
      active->stream->stop();
      --streams;
    }
    body_bytes -= active->request->body.size();
    response_bytes -= active->response_bytes;
    auto& connection = connection_of(mhd);
    connection.active = nullptr;
    enter(connection, ConnectionStage::receiving_head);
    delete active;
  }

  // ---- Time

  /// Cuts connections that take too long, and gives up waits and streams whose clients have left.
  void sweep() {
    std::vector<HttpConnection*> all(connections.begin(), connections.end());
    for (auto* connection : all) {
      if (connection->active && connection->active->stream) connection->active->stream->tick();
      auto age = std::chrono::milliseconds(uv_now(loop) - connection->since_ms);
      switch (connection->stage) {
        case ConnectionStage::receiving_head:
        case ConnectionStage::receiving_body:
          if (age >= options.receive_timeout) shutdown(connection->fd, SHUT_RDWR);
          break;
        case ConnectionStage::sending:
          if (age >= options.send_timeout) shutdown(connection->fd, SHUT_RDWR);
          break;
        case ConnectionStage::waiting:
          sweep_wait(*connection, age);
          break;
        case ConnectionStage::streaming:
          sweep_stream(*connection, age);
          break;
      }
    }
  }

  void sweep_wait(HttpConnection& connection, std::chrono::milliseconds age) {
    if (!connection.active || !connection.active->suspended) return;
    bool left = client_left(connection);
    if (!left && age < max_node_time) return;
    auto exchange = connection.active->exchange;
    exchange->cancel();
    connection.active->gone = left;
    if (!left) connection.active->response = error_response(500, {"no-answer", "the node took too long to answer", ""});
    resume(connection);
  }

  void sweep_stream(HttpConnection& connection, std::chrono::milliseconds age) {
    auto& active = *connection.active;
    if (!active.suspended) return;
    if (client_left(connection)) {
      active.gone = true;
      resume(connection);
    } else if (age >= options.keep_alive_every) {
      active.stream->keep_alive();
    }
  }

  /// Answers all waits and ends all streams, so that the daemon can stop.
  void give_up_waits() {
    for (auto* connection : connections) {
      auto* active = connection->active;
      if (active && active->stream) active->stream->stop();
      if (!active || !active->exchange) continue;
      auto exchange = active->exchange;
      exchange->cancel();
      if (!active->suspended || active->stream) continue;
      active->response = stopped();
      resume(*connection);
    }
  }

  static HttpResponse stopped() {
    return error_response(503, {"stopped", "this node is stopping", "use another node"}, std::chrono::seconds(1));
  }

  Status listen();
  ~Impl();
};

Status HttpServer::Impl::listen() {
  auto listener = listen_on(options.address, options.port);
  if (!listener) return listener.error();
  port = listener->port;
  auto on_request_c = [](void* cls, MHD_Connection* mhd, const char* url, const char* method, const char*,
                         const char* data, std::size_t* bytes, void** slot) {
    return static_cast<Impl*>(cls)->on_request(mhd, url, method, data, bytes, slot);
  };
  MHD_RequestCompletedCallback on_completed = [](void* cls, MHD_Connection* mhd, void** slot,
                                                 MHD_RequestTerminationCode) {
    static_cast<Impl*>(cls)->completed(mhd, slot);
  };
  MHD_NotifyConnectionCallback on_connection = [](void* cls, MHD_Connection* mhd, void** slot,
                                                  MHD_ConnectionNotificationCode code) {
    auto* self = static_cast<Impl*>(cls);
    code == MHD_CONNECTION_NOTIFY_STARTED ? self->opened(mhd, slot) : self->closed(slot);
  };
  daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, on_request_c, this,
                            MHD_OPTION_LISTEN_SOCKET, listener->fd, MHD_OPTION_CONNECTION_LIMIT,
                            static_cast<unsigned>(options.max_connections + refused_connections),
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, std::size_t{64} << 10, MHD_OPTION_NOTIFY_COMPLETED,
                            on_completed, this, MHD_OPTION_NOTIFY_CONNECTION, on_connection, this,
                            MHD_OPTION_UNESCAPE_CALLBACK, unescape, nullptr, MHD_OPTION_END);
  if (!daemon) {
    // The socket is not closed here: libmicrohttpd has closed it on some ways to this failure.
    return Error{"io", "the HTTP server can't start on port " + std::to_string(port), ""};
  }
  offload = [uv = loop](auto work, auto done) { run_on_pool(uv, std::move(work), std::move(done)); };
  driver = std::make_unique<MhdLoop>(loop, daemon, sweep_every, [this] { sweep(); });
  return Ok{};
}

HttpServer::Impl::~Impl() {
  driver.reset();
  if (!daemon) return;
  stopping = true;
  give_up_waits();
  MHD_run(daemon);           // lets the answers out; they are small
  constexpr int turns = 16;  // of which the last words of a stream take several
  for (int turn = 0; turn < turns && streams > 0; ++turn) MHD_run(daemon);
  MHD_stop_daemon(daemon);
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(uv_loop_t* loop, NodeApi& node, HttpOptions options) {
  auto impl = std::make_unique<Impl>(loop, node, std::move(options));
  auto listening = impl->listen();
  if (!listening) return listening.error();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::uint16_t HttpServer::port() const {
  return impl_->port;
}
std::size_t HttpServer::connections() const {
  return impl_->connections.size();
}
std::size_t HttpServer::streams() const {
  return impl_->streams;
}

}  // namespace zell
