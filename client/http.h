#pragma once
// HTTP to a node, by libcurl: one call at a time, blocking, with a deadline and cancellable from another thread.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "node/base/result.h"

namespace zell {

struct HttpReply {
  long status = 0;  ///< 100..599: any answer is a reply, also an error's
  std::string content_type;
  std::string body;
  std::chrono::seconds retry_after{};  ///< 0: not said
};

struct HttpCall {
  std::chrono::milliseconds timeout{10'000};  ///< for all of it
  std::string accept = "application/json";
  std::string content_type = "application/json";  ///< of the body, if there is one
  std::size_t max_reply_bytes = 32 << 20;
};

/// Keeps its connections for the next call. One thread at a time, but for cancel().
/// Codes of all calls: "unreachable" (no such host, refused, reset), "timed-out", "cancelled", "too-large", "bad-url".
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  [[nodiscard]] Result<HttpReply> get(const std::string& url, const HttpCall& call = {});
  [[nodiscard]] Result<HttpReply> post(const std::string& url, std::string_view body, const HttpCall& call = {});
  /// Ends the running call, and every later one, with "cancelled". Any thread; also from a signal's handling thread.
  void cancel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The reply if its status is 2xx; otherwise the Error in its JSON body, or code "http-error" if there is none.
[[nodiscard]] Result<HttpReply> expect_ok(Result<HttpReply> reply);

/// One call on a client of its own. Any thread.
[[nodiscard]] Result<HttpReply> http_get(const std::string& url, std::chrono::milliseconds timeout);

}  // namespace zell
