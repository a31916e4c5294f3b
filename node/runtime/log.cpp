#include "node/runtime/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

namespace zell {
namespace {

constexpr std::size_t max_waiting_lines = 8'192;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

/// Keeps stdout and stderr at the log file when that is begun anew. Called by whoever opens the file: the log's thread,
/// but for the first time.
class StandardOutputs {
 public:
  void opened(int fd) {
    struct stat now{};
    if (::fstat(fd, &now) != 0) return;
    (void)::fchmod(fd, 0600);  // lines are for this user alone; a folder that can't do that is its owner's choice
    for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
      struct stat old{};
      const bool ours =
          before_ && ::fstat(standard, &old) == 0 && old.st_dev == before_->st_dev && old.st_ino == before_->st_ino;
      if (ours) (void)::dup2(fd, standard);  // it fails for a closed fd only, and both are open
    }
    before_ = now;
  }

 private:
  std::optional<struct stat> before_;
};

spdlog::sink_ptr make_sink(const std::filesystem::path& file, const LogLimits& limits) {
  if (file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto outputs = std::make_shared<StandardOutputs>();
  spdlog::file_event_handlers handlers;
  handlers.after_open = [outputs](const std::string&, std::FILE* opened) { outputs->opened(::fileno(opened)); };
  return std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), limits.file_bytes, limits.files - 1,
                                                                false, handlers);
}

}  // namespace

struct Log::Impl {
  std::string node;
  std::atomic<LogLevel> level{};
  std::atomic<std::size_t> told_lost{0};
  // Destroyed from the last: the thread writes what waits and ends, while all that it uses is still there.
  spdlog::sink_ptr sink;
  std::shared_ptr<spdlog::async_logger> logger;
  std::shared_ptr<spdlog::details::thread_pool> thread;
};

Result<std::unique_ptr<Log>> Log::open(const std::filesystem::path& file, std::string_view level, std::string_view node,
                                       LogLimits limits) {
  const auto threshold = log_level_from(level);
  if (!threshold)
    return Error{"bad-value", "no log level \"" + std::string(level) + "\"", "debug, info, warn or error"};
  auto impl = std::make_unique<Impl>();
  impl->node = node;
  try {
    impl->sink = make_sink(file, limits);
    impl->thread = std::make_shared<spdlog::details::thread_pool>(max_waiting_lines, 1);
    impl->logger = std::make_shared<spdlog::async_logger>("zell", impl->sink, impl->thread,
                                                          spdlog::async_overflow_policy::overrun_oldest);
    impl->logger->set_formatter(
        std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
  } catch (const spdlog::spdlog_ex& problem) {
    return Error{"io", "can't write the log: " + std::string(problem.what()), "check the path of the log file"};
  }
  std::unique_ptr<Log> out(new Log(std::move(impl)));
  out->set_level(*threshold);
  return out;
}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() = default;

LogLevel Log::level() const {
  return impl_->level.load(std::memory_order_relaxed);
}

void Log::set_level(LogLevel level) {
  impl_->level = level;
  impl_->logger->set_level(to_spdlog(level));
  impl_->logger->flush_on(to_spdlog(level));
}

void Log::write(LogLevel level, std::string_view component, std::string_view message,
                std::initializer_list<LogField> fields) {
  if (!enabled(level)) return;
  auto line = format_log_text(level, impl_->node, component, message);
  for (const auto& field : fields) line += format_log_field(field.key, field.value);
  impl_->logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  tell_lost();
}

void Log::tell_lost() {
  // Once half of the places are free again: before that, this line would only drive out another.
  const auto lost = impl_->thread->overrun_counter();
  auto told = impl_->told_lost.load();
  if (lost <= told || impl_->thread->queue_size() > max_waiting_lines / 2) return;
  if (!impl_->told_lost.compare_exchange_strong(told, lost)) return;
  const auto line = format_log_text(LogLevel::warn, impl_->node, "log", "lines were lost: they came too fast") +
                    format_log_field("count", std::to_string(lost - told));
  impl_->logger->log(spdlog::level::err, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace zell
