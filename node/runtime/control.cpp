#include "node/runtime/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "node/transport/uv_handles.h"

namespace zell {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string error_line(const Error& error) {
  Json line{{"ok", false}, {"error", {{"code", error.code}, {"reason", error.what}, {"hint", error.hint}}}};
  return line.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

Error io_error(const fs::path& path, int problem, std::string hint = {}) {
  return {"io", path.string() + ": " + std::strerror(problem), std::move(hint)};
}

Status prepare_folder(const fs::path& folder) {
  std::error_code problem;
  if (fs::create_directories(folder, problem); problem) return io_error(folder, problem.value());
  struct stat status{};
  if (stat(folder.c_str(), &status) != 0) return io_error(folder, errno);
  bool shared = (status.st_mode & S_ISVTX) != 0;  // /tmp and its like: others can't replace what is ours there
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !shared) {
    return Error{"too-open", folder.string() + ": others may write to it", "chmod 700 " + folder.string()};
  }
  return Ok{};
}

/// Whether a process listens at `path`: nothing there, and a socket that refuses, are both no.
Result<bool> somebody_listens(const fs::path& path) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return io_error(path, errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  int problem = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  close(fd);
  if (problem == 0 || problem == EAGAIN) return true;  // EAGAIN: its backlog is full
  if (problem == ECONNREFUSED || problem == ENOENT) return false;
  return io_error(path, problem, "is it another kind of file?");
}

Status remove_stale(const fs::path& path) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0) return errno == ENOENT ? Status(Ok{}) : Status(io_error(path, errno));
  if (!S_ISSOCK(status.st_mode)) {
    return Error{"in-use", path.string() + " is there and is no socket", "name another control socket"};
  }
  auto listens = somebody_listens(path);
  if (!listens.ok()) return listens.error();
  if (*listens)
    return Error{"in-use", path.string() + ": another node listens there", "stop it, or name another socket"};
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return io_error(path, errno);
  return Ok{};
}

}  // namespace

std::string answer_control_line(std::string_view line, const ControlHandler& handler) {
  auto json = Json::parse(line, nullptr, false);
  if (json.is_discarded() || !json.is_object() || json.size() != 1 || !json.contains("command") ||
      !json["command"].is_string()) {
    return error_line(
        {"bad-command", "a line must be {\"command\":NAME}", "NAME is challenge, log-level LEVEL, status or stop"});
  }
  auto result = handler(json["command"].get_ref<const std::string&>());
  if (!result.ok()) return error_line(result.error());
  auto answer = Json::parse(*result, nullptr, false);
  ZELL_CHECK(answer.is_object());
  answer["ok"] = true;
  return answer.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

class ControlConnection;
using ControlConnectionPtr = std::shared_ptr<ControlConnection>;

struct ControlServer::Impl {
  uv_loop_t* loop = nullptr;
  ControlOptions options;
  ControlHandler handler;
  HandleCountPtr handles = std::make_shared<HandleCount>();
  std::unique_ptr<OwnedHandle<uv_pipe_t, Impl*>> listener;
  std::set<ControlConnectionPtr> connections;
  bool closing = false;

  Status listen();
  void on_connection();
};

/// One client. Reads a line, answers it, and only then reads on: what it makes us hold is one line and one answer.
class ControlConnection : public std::enable_shared_from_this<ControlConnection> {
 public:
  explicit ControlConnection(ControlServer::Impl& server)
      : server_(server),
        pipe_(server.handles, this, [&](uv_pipe_t* pipe) { return uv_pipe_init(server.loop, pipe, 0); }),
        idle_(server.loop, server.handles, [this] { end(); }) {}

  bool accept_from(uv_stream_t* listener) {
    if (uv_accept(listener, stream()) != 0) return false;
    wait_for_line();
    return true;
  }
  [[nodiscard]] bool busy() const { return busy_; }
  void end() { server_.connections.erase(shared_from_this()); }

 private:
  struct Write {
    uv_write_t request{};
    std::string text;
    std::weak_ptr<ControlConnection> owner;
    bool last = false;
  };

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(pipe_.get()); }

  void wait_for_line() {
    idle_.start(server_.options.idle_timeout_ms);
    auto allocate = [](uv_handle_t*, std::size_t, uv_buf_t* out) {
      static std::array<char, 4'096> shared;  // used up before the callback returns, on the one loop thread
      *out = uv_buf_init(shared.data(), shared.size());
    };
    auto on_read = [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
      auto* pipe = reinterpret_cast<uv_pipe_t*>(stream);
      auto self = OwnedHandle<uv_pipe_t, ControlConnection*>::state_of(pipe)->shared_from_this();
      if (count < 0) return self->end();
      self->read_.append(buffer->base, static_cast<std::size_t>(count));
      self->take_line();
    };
    if (uv_read_start(stream(), allocate, on_read) != 0) end();
  }

  void take_line() {
    auto end_of_line = read_.find('\n');
    bool too_long =
        end_of_line == std::string::npos ? read_.size() > max_control_line_bytes : end_of_line > max_control_line_bytes;
    if (too_long) {
      auto limit = std::to_string(max_control_line_bytes);
      return answer(error_line({"too-long", "a line is at most " + limit + " bytes", "send one short command a line"}),
                    true);
    }
    if (end_of_line == std::string::npos) return;
    auto line = read_.substr(0, end_of_line);
    read_.erase(0, end_of_line + 1);
    busy_ = true;  // the command may be to stop: this connection then outlives close() until it is answered
    answer(answer_control_line(line, server_.handler), false);
  }

  void answer(std::string text, bool last) {
    busy_ = true;
    uv_read_stop(stream());
    idle_.start(server_.options.idle_timeout_ms);
    auto write = std::make_unique<Write>();
    write->text = std::move(text);
    write->owner = weak_from_this();
    write->last = last;
    write->request.data = write.get();
    auto buffer = uv_buf_init(write->text.data(), static_cast<unsigned>(write->text.size()));
    auto on_written = [](uv_write_t* request, int status) {
      std::unique_ptr<Write> done(static_cast<Write*>(request->data));
      if (auto self = done->owner.lock()) self->written(status == 0 && !done->last);
    };
    if (uv_write(&write->request, stream(), &buffer, 1, on_written) != 0) return end();
    (void)write.release();  // the callback's now
  }

  void written(bool go_on) {
    busy_ = false;
    if (!go_on || server_.closing) return end();
    wait_for_line();
    take_line();
  }

  ControlServer::Impl& server_;
  OwnedHandle<uv_pipe_t, ControlConnection*> pipe_;
  Timer idle_;
  std::string read_;
  bool busy_ = false;
};

Status ControlServer::Impl::listen() {
  listener = std::make_unique<OwnedHandle<uv_pipe_t, Impl*>>(
      handles, this, [this](uv_pipe_t* pipe) { return uv_pipe_init(loop, pipe, 0); });
  auto old_mask = umask(0177);  // from its first moment, only this user can connect
  int problem = uv_pipe_bind(listener->get(), options.socket.c_str());
  umask(old_mask);
  auto on_connection = [](uv_stream_t* stream, int status) {
    auto* pipe = reinterpret_cast<uv_pipe_t*>(stream);
    if (status == 0) OwnedHandle<uv_pipe_t, Impl*>::state_of(pipe)->on_connection();
  };
  if (problem == 0) problem = uv_listen(reinterpret_cast<uv_stream_t*>(listener->get()), 16, on_connection);
  if (problem == 0) return Ok{};
  return Error{"io", options.socket.string() + ": " + uv_strerror(problem), "check the folder of the control socket"};
}

void ControlServer::Impl::on_connection() {
  auto connection = std::make_shared<ControlConnection>(*this);
  if (!connection->accept_from(reinterpret_cast<uv_stream_t*>(listener->get()))) return;
  // Past the bound it is closed at once: accepting is what takes it off the backlog.
  if (connections.size() < max_control_connections) connections.insert(std::move(connection));
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(uv_loop_t& loop, ControlOptions options,
                                                            ControlHandler handler) {
  if (options.socket.native().size() > max_control_path_bytes) {
    return Error{"bad-path",
                 "the control socket's path has " + std::to_string(options.socket.native().size()) + " bytes, over " +
                     std::to_string(max_control_path_bytes) + ": " + options.socket.string(),
                 "choose a shorter folder, e.g. below /tmp or $XDG_RUNTIME_DIR"};
  }
  auto folder_mask = umask(0077);
  auto folder = prepare_folder(options.socket.parent_path());
  umask(folder_mask);
  if (!folder.ok()) return folder.error();
  if (auto stale = remove_stale(options.socket); !stale.ok()) return stale.error();
  auto impl = std::make_unique<Impl>();
  impl->loop = &loop;
  impl->options = std::move(options);
  impl->handler = std::move(handler);
  auto listening = impl->listen();
  if (!listening.ok()) return listening.error();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() = default;

void ControlServer::close(std::function<void()> closed) {
  impl_->closing = true;
  impl_->listener.reset();  // removes the socket
  for (auto it = impl_->connections.begin(); it != impl_->connections.end();) {
    it = (*it)->busy() ? std::next(it) : impl_->connections.erase(it);
  }
  impl_->handles->when_none(std::move(closed));
}

}  // namespace zell
