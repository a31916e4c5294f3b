#include "cluster/node_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>

#include "cluster/since.h"
#include "cluster/unique_fd.h"

namespace zell {
namespace {

Result<UniqueFd> open_log(const std::filesystem::path& log) {
  UniqueFd fd(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (fd.valid()) return fd;
  return Error{"io", "cannot write " + log.string() + ": " + std::generic_category().message(errno), ""};
}

}  // namespace

NodeProcess::NodeProcess(uv_loop_t& loop, ProcessReport report, NodeCommand command,
                         std::chrono::milliseconds stop_grace)
    : loop_(loop), report_(std::move(report)), command_(std::move(command)), stop_grace_(stop_grace) {
  ZELL_CHECK(uv_timer_init(&loop_, &grace_timer_) == 0);
  grace_timer_.data = this;
  enter(ProcessState::stopped);
}

Status NodeProcess::start() {
  ZELL_CHECK(!alive());
  auto log = open_log(command_.log);
  if (!log) return log.error();
  std::vector<char*> arguments;
  for (auto& argument : command_.arguments) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  uv_stdio_container_t stdio[lifeline_fd + 1];
  stdio[0].flags = UV_IGNORE;
  for (const int fd : {1, 2}) {
    stdio[fd].flags = UV_INHERIT_FD;
    stdio[fd].data.fd = log->get();
  }
  stdio[lifeline_fd].flags = UV_INHERIT_FD;
  stdio[lifeline_fd].data.fd = command_.lifeline;
  uv_process_options_t options{};
  options.file = arguments[0];
  options.args = arguments.data();
  options.exit_cb = on_exit;
  options.stdio = stdio;
  options.stdio_count = lifeline_fd + 1;
  process_.data = this;
  const int result = uv_spawn(&loop_, &process_, &options);
  if (result != 0) {
    // libuv initialises the handle also when the program can't be run; nothing was started.
    uv_close(reinterpret_cast<uv_handle_t*>(&process_), nullptr);
    report_.exit_code = 127;
    enter(ProcessState::exited);
    return Error{"spawn-failed", fmt::format("cannot run {}: {}", command_.arguments[0], uv_strerror(result)), ""};
  }
  reaped_ = false;
  report_.pid = process_.pid;
  report_.exit_code.reset();
  report_.signal.reset();
  enter(ProcessState::running);
  return Ok{};
}

void NodeProcess::kill() {
  ZELL_CHECK(alive());
  enter(ProcessState::stopping);
  send(SIGKILL);
}

void NodeProcess::stop() {
  ZELL_CHECK(alive());
  // A stopped process keeps SIGTERM pending until it goes on.
  send(SIGTERM);
  send(SIGCONT);
  enter(ProcessState::stopping);
  uv_timer_start(
      &grace_timer_, [](uv_timer_t* timer) { static_cast<NodeProcess*>(timer->data)->send(SIGKILL); },
      static_cast<std::uint64_t>(stop_grace_.count()), 0);
}

void NodeProcess::pause() {
  send(SIGSTOP);
  // Paused means paused: it takes a moment, the longer when it is in the middle of writing to the disk. Should it end
  // meanwhile, that is left for libuv to collect.
  siginfo_t ignored;
  while (!reaped_ && ::waitid(P_PID, static_cast<id_t>(process_.pid), &ignored, WSTOPPED | WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  enter(ProcessState::paused);
}

void NodeProcess::resume() {
  send(SIGCONT);
  enter(ProcessState::running);
}

void NodeProcess::when_gone(std::function<void()> done) {
  if (!alive()) return done();
  when_gone_.push_back(std::move(done));
}

void NodeProcess::close() {
  ZELL_CHECK(!alive());
  uv_close(reinterpret_cast<uv_handle_t*>(&grace_timer_), nullptr);
}

void NodeProcess::send(int signal) {
  // Once it is reaped, its pid may be somebody else's.
  if (!reaped_) uv_process_kill(&process_, signal);
}

void NodeProcess::on_exit(uv_process_t* handle, std::int64_t exit_code, int signal) {
  auto* self = static_cast<NodeProcess*>(handle->data);
  self->reaped_ = true;
  if (signal != 0) {
    self->report_.signal = signal;
  } else {
    self->report_.exit_code = static_cast<int>(exit_code);
  }
  // Closed first, so that whoever waits for the exit may start a new process in the same handle.
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { static_cast<NodeProcess*>(closed->data)->exited(); });
}

void NodeProcess::exited() {
  uv_timer_stop(&grace_timer_);
  const bool asked_to_stop = report_.state == ProcessState::stopping;
  report_.pid = 0;
  // One that is told to stop before it listens to SIGTERM ends by it.
  const bool in_good_order = report_.signal ? report_.signal == SIGTERM : report_.exit_code == 0;
  if (asked_to_stop && in_good_order) {
    enter(ProcessState::stopped);
  } else {
    enter(report_.signal ? ProcessState::killed : ProcessState::exited);
  }
  if (on_gone) on_gone(*this);
  auto waiting = std::exchange(when_gone_, {});
  for (auto& done : waiting) done();
}

void NodeProcess::enter(ProcessState state) {
  report_.state = state;
  report_.since_unix_ms = wall_clock_ms();
}

}  // namespace zell
