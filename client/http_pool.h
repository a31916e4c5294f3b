#pragma once
// Many HTTP calls at once, on one thread: what is posted is under way, and answered by callbacks while the caller
// waits.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "client/http.h"

namespace zell {

/// Keeps connections for later calls and opens as many as there are calls under way at once: whoever posts bounds them.
/// One thread. Codes of answers: HttpClient's, but for "cancelled".
class HttpPool {
 public:
  using Clock = std::chrono::steady_clock;
  using Done = std::function<void(Result<HttpReply>)>;

  HttpPool();
  /// Calls under way are dropped without an answer.
  ~HttpPool();
  HttpPool(const HttpPool&) = delete;
  HttpPool& operator=(const HttpPool&) = delete;

  /// Never blocks. `done` is called by run() or not at all.
  void post(const std::string& url, std::string body, const HttpCall& call, Done done);
  /// Waits until something can be done, or a signal came, or `until`; does all that can be done, and returns.
  void run(Clock::time_point until);
  [[nodiscard]] std::size_t under_way() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zell
