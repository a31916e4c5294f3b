#include "cluster/control_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>

#include "cluster/paths.h"
#include "cluster/unique_fd.h"

namespace zell {
namespace {

using Clock = std::chrono::steady_clock;

Error unreachable(const std::filesystem::path& socket, int error) {
  return {"unreachable", "no answer at " + socket.string() + ": " + std::generic_category().message(error),
          "zell cluster ls"};
}

/// Waits until the socket is ready for `events`; false when time is up.
bool wait_for(int fd, short events, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

Result<UniqueFd> connect_to(const std::filesystem::path& socket, std::chrono::milliseconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = socket.string();
  if (path.size() > max_socket_path_bytes)
    return Error{"path-too-long", "the path of a socket is too long: " + path, ""};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return unreachable(socket, errno);
  // Blocking, so that the kernel waits for a place while many connect at once; what follows is not.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const timeval limit{seconds.count(), static_cast<suseconds_t>((timeout - seconds).count() * 1'000)};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  int result = 0;
  do {
    result = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EAGAIN) return Error{"timeout", "too many connect to " + socket.string(), ""};
  if (result != 0 || ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return unreachable(socket, errno);
  return fd;
}

Status send_all(int fd, std::string_view text, Clock::time_point deadline) {
  while (!text.empty()) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EINTR) {
      if (!wait_for(fd, POLLOUT, deadline)) return Error{"timeout", "the question was not taken in time", ""};
    } else {
      return Error{"unreachable", "the other side hung up", ""};
    }
  }
  return Ok{};
}

}  // namespace

Result<std::string> ask(const std::filesystem::path& socket, std::string_view line, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  auto fd = connect_to(socket, timeout);
  if (!fd) return fd.error();
  if (auto sent = send_all(fd->get(), std::string(line) + "\n", deadline); !sent) return sent.error();
  std::string answer;
  while (answer.find('\n') == std::string::npos) {
    if (answer.size() > max_answer_bytes_per_line) return Error{"bad-answer", "the answer is over 64 KiB", ""};
    if (!wait_for(fd->get(), POLLIN, deadline))
      return Error{"timeout", "no answer in time from " + socket.string(), ""};
    char buffer[4096];
    const auto got = ::recv(fd->get(), buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) return Error{"unreachable", "it hung up without an answer: " + socket.string(), "zell cluster ls"};
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  answer.resize(answer.find('\n'));
  return answer;
}

bool is_answered(const std::filesystem::path& socket) {
  const auto path = socket.string();
  if (path.size() > max_socket_path_bytes) return true;  // not ours: we make none so long
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return true;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  return errno != ECONNREFUSED && errno != ENOENT;
}

Result<std::string> ask_node(const std::filesystem::path& socket, std::string_view command,
                             std::chrono::milliseconds timeout) {
  auto line = ask(socket, nlohmann::json{{"command", command}}.dump(), timeout);
  if (!line) return line;
  const auto answer = nlohmann::json::parse(*line, nullptr, false);
  try {
    if (answer.at("ok").get<bool>()) return line;
    const auto& error = answer.at("error");
    return Error{error.at("code").get<std::string>(), error.at("reason").get<std::string>(),
                 error.at("hint").get<std::string>()};
  } catch (const nlohmann::json::exception&) {
    return Error{"bad-answer", "the node's answer makes no sense", ""};
  }
}

}  // namespace zell
