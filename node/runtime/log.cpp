#include "node/runtime/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <optional>

namespace zell {
namespace {

constexpr std::size_t max_file_bytes = 64u << 20;
constexpr std::size_t old_files = 2;
constexpr std::size_t max_waiting_lines = 8'192;
constexpr std::size_t max_value_bytes = 1'024;

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

std::string_view name_of(LogLevel level) {
  constexpr std::string_view names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
  return names[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> level_from(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warn") return LogLevel::warn;
  if (text == "error") return LogLevel::error;
  return std::nullopt;
}

}  // namespace

std::string log_value(std::string_view text) {
  bool cut = text.size() > max_value_bytes;
  if (cut) text = text.substr(0, max_value_bytes);
  auto plain = [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '='; };
  if (!text.empty() && !cut && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append("\\x").append({digits[byte >> 4], digits[byte & 15]});
    } else {
      out.push_back(c);
    }
  }
  return out + (cut ? "...\"" : "\"");
}

struct Log::Impl {
  std::string node;
  LogLevel level{};
  // Destroyed from the last: the thread writes what waits and ends, while all that it uses is still there.
  spdlog::sink_ptr sink;
  std::shared_ptr<spdlog::async_logger> logger;
  std::shared_ptr<spdlog::details::thread_pool> thread;
};

Result<std::unique_ptr<Log>> Log::open(const std::filesystem::path& file, std::string_view level,
                                       std::string_view node) {
  auto threshold = level_from(level);
  if (!threshold)
    return Error{"bad-value", "no log level \"" + std::string(level) + "\"", "debug, info, warn or error"};
  auto impl = std::make_unique<Impl>();
  impl->node = node;
  impl->level = *threshold;
  try {
    auto& sink = impl->sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), max_file_bytes, old_files);
    }
    impl->thread = std::make_shared<spdlog::details::thread_pool>(max_waiting_lines, 1);
    impl->logger = std::make_shared<spdlog::async_logger>("zell", sink, impl->thread,
                                                          spdlog::async_overflow_policy::overrun_oldest);
    impl->logger->set_formatter(
        std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
  } catch (const spdlog::spdlog_ex& problem) {
    return Error{"io", "can't write the log: " + std::string(problem.what()), "check the path of the log file"};
  }
  impl->logger->set_level(to_spdlog(*threshold));
  impl->logger->flush_on(to_spdlog(*threshold));
  return std::unique_ptr<Log>(new Log(std::move(impl)));
}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() = default;

bool Log::enabled(LogLevel level) const {
  return level >= impl_->level;
}

void Log::write(LogLevel level, std::string_view component, std::string_view message,
                std::initializer_list<LogField> fields) {
  if (!enabled(level)) return;
  std::string line;
  line.append(name_of(level)).append(" ").append(impl_->node).append(" ").append(component).append(" ");
  line.append(message);
  for (const auto& field : fields) line.append(" ").append(field.key).append("=").append(log_value(field.value));
  impl_->logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace zell
