#pragma once
// HTTP by hand over a socket: says exactly the bytes that a test wants said.

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

#include "node/base/check.h"

namespace zell::testing {

struct RawResponse {
  int status = 0;  ///< 0: the connection was closed without an answer
  std::string head, body;
  [[nodiscard]] bool has_header(std::string_view line) const { return head.find(line) != std::string::npos; }
};

class RawConnection {
 public:
  /// `receive_buffer`, if not 0: how much the kernel takes in for a client that doesn't read, about.
  explicit RawConnection(std::uint16_t port, int receive_buffer = 0)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), port_(port) {
    if (receive_buffer != 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ZELL_CHECK(connect(fd_, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  }
  ~RawConnection() { close(); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// False if the peer has closed.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// One answer by its Content-Length; at most 20 s.
  RawResponse hear(bool head_only = false) {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    RawResponse out;
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!more(until)) return out;
    }
    out.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    out.status = std::stoi(out.head.substr(9, 3));
    auto at = out.head.find("Content-Length: ");
    std::size_t length = at == std::string::npos || head_only ? 0 : std::stoul(out.head.substr(at + 16));
    while (buffer_.size() < length) {
      if (!more(until)) break;
    }
    out.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return out;
  }
  /// The next chunk of an answer in chunks, after its head; empty once it has ended, see whole(). At most
  /// 20 s.
  std::string hear_chunk() {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::size_t end;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (!more(until)) return "";
    }
    auto length = std::stoul(buffer_, nullptr, 16);
    while (buffer_.size() < end + 2 + length + 2) {
      if (!more(until)) return "";
    }
    auto out = buffer_.substr(end + 2, length);
    buffer_.erase(0, end + 2 + length + 2);
    if (length == 0) whole_ = true;
    return out;
  }
  /// The last chunk came: the answer was not cut.
  [[nodiscard]] bool whole() const { return whole_; }
  /// All that comes until the peer closes; at most 20 s.
  std::string hear_rest() {
    (void)closed_by_peer();
    return std::move(buffer_);
  }
  /// Bytes that are there, at most `room`; 0: the peer has closed, or 20 s are over.
  std::size_t sip(std::size_t room) {
    std::string bytes(room, 0);
    pollfd ask{fd_, POLLIN, 0};
    if (poll(&ask, 1, 20'000) <= 0) return 0;
    auto got = recv(fd_, bytes.data(), room, 0);
    return got <= 0 ? 0 : static_cast<std::size_t>(got);
  }
  /// True once the peer has closed; waits at most 20 s.
  bool closed_by_peer() {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (more(until)) {
    }
    return !timed_out_;
  }

  RawResponse get(const std::string& target, const std::string& headers = "") {
    say("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n" + headers + "\r\n");
    return hear();
  }
  RawResponse post(const std::string& target, const std::string& body, const std::string& type = "application/json") {
    say("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type +
        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return hear();
  }

 private:
  bool more(std::chrono::steady_clock::time_point until) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd ask{fd_, POLLIN, 0};
    if (left <= 0 || poll(&ask, 1, static_cast<int>(left)) <= 0) {
      timed_out_ = true;
      return false;
    }
    char bytes[16384];
    auto got = recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  int fd_;
  std::uint16_t port_;
  std::string buffer_;
  bool timed_out_ = false, whole_ = false;
};

}  // namespace zell::testing
