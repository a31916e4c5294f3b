#include "node/runtime/run_node.h"

#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <csignal>
#include <string_view>

#include "node/runtime/node.h"

namespace zell {
namespace {

/// SIGTERM and SIGINT as calls on the loop.
class StopSignals {
 public:
  StopSignals(uv_loop_t& loop, const HandleCountPtr& handles, const std::function<void()>& on_signal)
      : term_(handles, on_signal, [&](uv_signal_t* handle) { return uv_signal_init(&loop, handle); }),
        interrupt_(handles, on_signal, [&](uv_signal_t* handle) { return uv_signal_init(&loop, handle); }) {
    auto fire = [](uv_signal_t* handle, int) { Handle::state_of(handle)(); };
    ZELL_CHECK(uv_signal_start(term_.get(), fire, SIGTERM) == 0);
    ZELL_CHECK(uv_signal_start(interrupt_.get(), fire, SIGINT) == 0);
  }

 private:
  using Handle = OwnedHandle<uv_signal_t, std::function<void()>>;
  Handle term_, interrupt_;
};

void tell_ready(int fd) {
  if (fd < 0) return;
  constexpr std::string_view line = "ready\n";
  // Six bytes fit any pipe; whoever asked may be gone, and then nobody wants to know.
  while (write(fd, line.data(), line.size()) < 0 && errno == EINTR) {
  }
  close(fd);
}

/// One node on a loop of its own.
class NodeProcess {
 public:
  NodeProcess(uv_loop_t& loop, NodeSetup setup, Log& log)
      : node_(loop, std::move(setup), log, [this] { stop(); }),
        signals_(std::in_place, loop, handles_, [this] { stop(); }) {}

  Status run(uv_loop_t& loop, int ready_fd) {
    auto started = node_.start();
    if (started.ok()) {
      tell_ready(ready_fd);
    } else {
      stop();
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    return started;
  }

 private:
  void stop() {
    // A second signal changes nothing: what is being written must be written. SIGKILL is always there.
    if (!node_.stopping()) node_.stop([this] { signals_.reset(); });
  }

  HandleCountPtr handles_ = std::make_shared<HandleCount>();
  Node node_;
  std::optional<StopSignals> signals_;
};

}  // namespace

Status run_node(const NodeConfig& config, const GenesisFile& genesis, const SecretKey& secret,
                const RunOptions& options) {
  auto log = Log::open(config.log_file, config.log_level, config.name);
  if (!log.ok()) return log.error();
  std::signal(SIGPIPE, SIG_IGN);  // a peer or client that went away is an error of one write, not of the process
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not become longer: the node says that its disk is full
  uv_loop_t loop;
  ZELL_CHECK(uv_loop_init(&loop) == 0);
  auto result = [&] {
    NodeProcess process(loop, {config, genesis, secret, options.version}, **log);
    return process.run(loop, options.ready_fd);
  }();
  if (!result.ok()) {
    const auto& error = result.error();
    (*log)->write(LogLevel::error, "node", "could not start",
                  {{"code", error.code}, {"why", error.what}, {"try", error.hint}});
  }
  ZELL_CHECK(uv_loop_close(&loop) == 0);
  return result;
}

}  // namespace zell
