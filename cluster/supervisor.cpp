#include "cluster/supervisor.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <uv.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "cluster/cluster_file.h"
#include "cluster/node_process.h"
#include "cluster/since.h"
#include "cluster/supervisor_lock.h"
#include "cluster/supervisor_socket.h"

namespace zell {
namespace {

constexpr std::chrono::seconds folder_check_period{1};

/// To supervisor.log, which is this process's stderr.
template <class... Args>
void note(fmt::format_string<Args...> format, Args&&... args) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  fmt::print(stderr, "{:%Y-%m-%d %H:%M:%S} {}\n", fmt::gmtime(now), fmt::format(format, std::forward<Args>(args)...));
}

class Supervisor {
 public:
  Supervisor(const SupervisorOptions& options, ClusterFile file, SupervisorLock lock)
      : options_(options), file_(std::move(file)), lock_(std::move(lock)) {}
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  [[nodiscard]] Status start(const Environment& environment);
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }
  /// The cluster's folder is not where it was, so it must not be touched any more.
  [[nodiscard]] bool folder_lost() const { return folder_lost_; }
  [[nodiscard]] SupervisorAnswer answer(std::vector<std::string> changed) const;

 private:
  using Reply = std::function<void(const Result<SupervisorAnswer>&)>;

  [[nodiscard]] Status make_nodes(const Environment& environment);
  void watch_signals();
  void watch_owner();
  void watch_folder();
  void check_folder();
  void handle(const SupervisorRequest& request, Reply reply);
  void act(SupervisorCommand command, std::vector<NodeProcess*> nodes, Reply reply);
  [[nodiscard]] static bool applies(SupervisorCommand command, const NodeProcess& node);
  void apply(SupervisorCommand command, NodeProcess& node, std::function<void()> done);
  void go_down(std::function<void()> done);
  void close_all();
  void note_exit(const NodeProcess& node);

  const SupervisorOptions& options_;
  ClusterFile file_;
  SupervisorLock lock_;
  uv_loop_t loop_{};
  bool loop_made_ = false;
  UniqueFd lifeline_read_, lifeline_write_;
  std::vector<std::unique_ptr<NodeProcess>> nodes_;
  std::unique_ptr<SupervisorSocket> control_;
  uv_signal_t signals_[2]{};
  std::unique_ptr<uv_poll_t> owner_;
  uv_timer_t folder_timer_{};
  bool folder_lost_ = false;
  bool going_down_ = false;
  std::vector<std::function<void()>> when_down_;
};

Status Supervisor::start(const Environment& environment) {
  ZELL_CHECK(uv_loop_init(&loop_) == 0);
  loop_made_ = true;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{"io", "no pipe: " + std::generic_category().message(errno), ""};
  lifeline_read_.reset(ends[0]);
  lifeline_write_.reset(ends[1]);
  watch_signals();
  if (auto made = make_nodes(environment); !made) return made;
  const ClusterPaths paths{options_.root};
  auto socket = make_socket_path(environment, paths.socket_stem(file_.name) + ".sock");
  if (!socket) return socket.error();
  auto control =
      SupervisorSocket::listen(loop_, *socket, [this](const std::string& line, SupervisorSocket::Reply reply) {
        const auto answer_with = [reply](const Result<SupervisorAnswer>& result) { reply(encode_answer(result)); };
        auto request = decode_request(line);
        if (!request) return answer_with(request.error());
        handle(*request, answer_with);
      });
  if (!control) return control.error();
  control_ = std::move(*control);
  watch_owner();
  watch_folder();
  // All at once: they find each other while they start.
  for (auto& node : nodes_) {
    if (auto started = node->start(); !started) return started;
    note("{} started, pid {}", node->report().name, node->report().pid);
  }
  return lock_.publish({::getpid(), *socket, wall_clock_ms()});
}

Status Supervisor::make_nodes(const Environment& environment) {
  const ClusterPaths paths{options_.root};
  for (const auto& node : file_.nodes) {
    auto socket = make_socket_path(environment, paths.socket_stem(file_.name) + "-" + node.name + ".sock");
    if (!socket) return socket.error();
    NodeCommand command{options_.node_command, paths.node_log(node.name), lifeline_read_.get()};
    for (auto argument : {std::string("--config"), paths.node_config(node.name).string(),
                          std::string("--control-socket"), socket->string(), std::string("--lifeline"),
                          std::to_string(lifeline_fd), std::string("--parent"), std::to_string(::getpid())}) {
      command.arguments.push_back(std::move(argument));
    }
    ProcessReport report;
    report.name = node.name;
    report.control_socket = *socket;
    nodes_.push_back(std::make_unique<NodeProcess>(loop_, std::move(report), std::move(command), options_.stop_grace));
    nodes_.back()->on_gone = [this](const NodeProcess& gone) { note_exit(gone); };
  }
  return Ok{};
}

void Supervisor::watch_signals() {
  int position = 0;
  for (const int number : {SIGTERM, SIGINT}) {
    auto& handle = signals_[position++];
    ZELL_CHECK(uv_signal_init(&loop_, &handle) == 0);
    handle.data = this;
    ZELL_CHECK(uv_signal_start(
                   &handle, [](uv_signal_t* signal, int) { static_cast<Supervisor*>(signal->data)->go_down({}); },
                   number) == 0);
  }
}

void Supervisor::watch_owner() {
  if (options_.owner_fd < 0) return;
  owner_ = std::make_unique<uv_poll_t>();
  ZELL_CHECK(uv_poll_init(&loop_, owner_.get(), options_.owner_fd) == 0);
  owner_->data = this;
  // Nothing is ever written to it, so whatever happens is its end.
  uv_poll_start(owner_.get(), UV_READABLE | UV_DISCONNECT, [](uv_poll_t* poll, int, int) {
    uv_poll_stop(poll);
    static_cast<Supervisor*>(poll->data)->go_down({});
  });
}

/// Somebody may remove the folder of a cluster that runs, or move it away: its nodes would go on with files that have
/// no name, and `zell` would not know of them.
void Supervisor::watch_folder() {
  ZELL_CHECK(uv_timer_init(&loop_, &folder_timer_) == 0);
  folder_timer_.data = this;
  const auto period = static_cast<std::uint64_t>(std::chrono::milliseconds(folder_check_period).count());
  uv_timer_start(
      &folder_timer_, [](uv_timer_t* timer) { static_cast<Supervisor*>(timer->data)->check_folder(); }, period, period);
}

void Supervisor::check_folder() {
  const ClusterPaths paths{options_.root};
  if (going_down_ || !lock_.lost(paths.supervisor_lock())) return;
  note("{} is gone: it was removed, moved or replaced under the running cluster", paths.supervisor_lock().string());
  folder_lost_ = true;
  go_down({});
}

SupervisorAnswer Supervisor::answer(std::vector<std::string> changed) const {
  SupervisorAnswer out;
  out.pid = ::getpid();
  out.changed = std::move(changed);
  for (const auto& node : nodes_) out.nodes.push_back(node->report());
  return out;
}

void Supervisor::handle(const SupervisorRequest& request, Reply reply) {
  if (request.command == SupervisorCommand::status) return reply(answer({}));
  if (request.command == SupervisorCommand::down) {
    return go_down([this, reply] { reply(answer({})); });
  }
  if (going_down_) return reply(Error{"busy", "the cluster is going down", "zell cluster ls"});
  std::vector<NodeProcess*> chosen;
  for (const auto& name : request.nodes) {
    const auto found =
        std::find_if(nodes_.begin(), nodes_.end(), [&](auto& node) { return node->report().name == name; });
    if (found == nodes_.end()) return reply(Error{"no-such-node", "no node is called '" + name + "'", "zell status"});
    if ((*found)->report().state == ProcessState::stopping) {
      return reply(Error{"busy", name + " is stopping", "try again"});
    }
    chosen.push_back(found->get());
  }
  act(request.command, std::move(chosen), std::move(reply));
}

bool Supervisor::applies(SupervisorCommand command, const NodeProcess& node) {
  switch (command) {
    case SupervisorCommand::start:
      return !node.alive();
    case SupervisorCommand::restart:
      return true;
    case SupervisorCommand::pause:
      return node.report().state == ProcessState::running;
    case SupervisorCommand::resume:
      return node.report().state == ProcessState::paused;
    default:
      return node.alive();
  }
}

void Supervisor::act(SupervisorCommand command, std::vector<NodeProcess*> nodes, Reply reply) {
  struct Job {
    std::size_t left = 1;  // one for this function itself, so that the reply comes after all are under way
    std::vector<std::string> changed;
    Reply reply;
  };
  auto job = std::make_shared<Job>();
  job->reply = std::move(reply);
  const auto one_done = [this, job] {
    if (--job->left == 0) job->reply(answer(job->changed));
  };
  for (auto* node : nodes) {
    if (!applies(command, *node)) continue;
    job->changed.push_back(node->report().name);
    ++job->left;
    note("{} {}", to_string(command), node->report().name);
    apply(command, *node, one_done);
  }
  one_done();
}

void Supervisor::apply(SupervisorCommand command, NodeProcess& node, std::function<void()> done) {
  const auto start = [this, &node] {
    if (going_down_) return;
    // A failure shows in the node's report: exited, 127.
    if (auto started = node.start(); !started) note("{}: {}", node.report().name, started.error().what);
  };
  switch (command) {
    case SupervisorCommand::kill:
      node.kill();
      return node.when_gone(std::move(done));
    case SupervisorCommand::stop:
      node.stop();
      return node.when_gone(std::move(done));
    case SupervisorCommand::restart:
      if (node.alive()) node.stop();
      return node.when_gone([start, done = std::move(done)] {
        start();
        done();
      });
    case SupervisorCommand::start:
      start();
      return done();
    case SupervisorCommand::pause:
      node.pause();
      return done();
    case SupervisorCommand::resume:
      node.resume();
      return done();
    case SupervisorCommand::status:
    case SupervisorCommand::down:
      break;
  }
  ZELL_CHECK(false);
}

void Supervisor::go_down(std::function<void()> done) {
  if (done) when_down_.push_back(std::move(done));
  if (going_down_) return;
  going_down_ = true;
  note("going down");
  auto left = std::make_shared<std::size_t>(1);
  const auto one_gone = [this, left] {
    if (--*left != 0) return;
    note("all nodes are down");
    for (auto& waiting : when_down_) waiting();
    close_all();
  };
  for (auto& node : nodes_) {
    ++*left;
    if (node->alive() && node->report().state != ProcessState::stopping) node->stop();
    node->when_gone(one_gone);
  }
  one_gone();
}

void Supervisor::note_exit(const NodeProcess& node) {
  const auto& report = node.report();
  if (report.signal) {
    note("{} was killed by signal {}", report.name, *report.signal);
  } else {
    note("{} exited with code {}", report.name, report.exit_code.value_or(0));
  }
}

void Supervisor::close_all() {
  uv_close(reinterpret_cast<uv_handle_t*>(&folder_timer_), nullptr);
  if (control_) control_->close();
  for (auto& node : nodes_) node->close();
  for (auto& signal : signals_) uv_close(reinterpret_cast<uv_handle_t*>(&signal), nullptr);
  if (owner_) uv_close(reinterpret_cast<uv_handle_t*>(owner_.get()), nullptr);
  lock_.withdraw();
}

Supervisor::~Supervisor() {
  if (!loop_made_) return;
  // After run(), the loop is empty. After a failed start(), nodes may have been spawned: the process ends now, and the
  // lifeline and the parent-death signal end them.
  if (uv_loop_close(&loop_) != 0) note("ended before all was closed");
}

void remove_ephemeral(const SupervisorOptions& options) {
  std::error_code error;
  std::filesystem::remove_all(options.root, error);
  if (error) note("cannot remove {}: {}", options.root.string(), error.message());
}

void tell_ready(int fd, const Result<SupervisorAnswer>& answer) {
  if (fd < 0) return;
  const auto line = encode_answer(answer) + "\n";
  // Whoever started us may have gone; the cluster runs all the same.
  if (::write(fd, line.data(), line.size()) < 0) note("nobody waited for the start");
  ::close(fd);
}

Status run(const SupervisorOptions& options, const Environment& environment, bool& ephemeral) {
  const ClusterPaths paths{options.root};
  auto file = read_cluster_file(paths.cluster_file());
  if (!file) return file.error();
  auto lock = SupervisorLock::take(paths.supervisor_lock());
  if (!lock) return lock.error();
  ephemeral = file->ephemeral;
  Supervisor supervisor(options, std::move(*file), std::move(*lock));
  if (auto started = supervisor.start(environment); !started) return started;
  tell_ready(options.ready_fd, supervisor.answer({}));
  supervisor.run();
  ephemeral = ephemeral && !supervisor.folder_lost();
  return Ok{};
}

}  // namespace

Status run_supervisor(const SupervisorOptions& options, const Environment& environment) {
  std::signal(SIGPIPE, SIG_IGN);
  bool ephemeral = false;
  auto result = run(options, environment, ephemeral);
  if (!result) {
    note("cannot run: {}", result.error().what);
    tell_ready(options.ready_fd, result.error());
  } else if (ephemeral) {
    remove_ephemeral(options);
  }
  return result;
}

}  // namespace zell
