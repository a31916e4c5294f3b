#pragma once
// One HTTP exchange as the routes see it: no socket, no library.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/http/body_stream.h"
#include "node/http/http_counters.h"
#include "node/http/node_api.h"

namespace zell {

struct HttpRequest {
  std::string method;  ///< as sent; HEAD is answered like GET by the server
  std::string path;    ///< without the query, percent-decoded
  std::vector<std::pair<std::string, std::string>> query;
  std::string content_type;  ///< lower case, without parameters
  std::string accept;
  std::string last_event_id;  ///< the header of that name, empty if there is none
  std::string body;           ///< at most HttpOptions::max_body_bytes
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<BodyStream> stream = nullptr;  ///< if set, the body comes from here
};

/// {"schema":1,"error":{"code","reason","hint"}}; with Retry-After, in whole seconds, when `retry_after` is above zero.
[[nodiscard]] HttpResponse error_response(unsigned status, const Error& error,
                                          std::chrono::milliseconds retry_after = {});
/// The status that belongs to an error code that the node gives.
[[nodiscard]] unsigned status_of(std::string_view code);

/// One request on its way to its one answer. Loop thread only.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  using Reply = std::function<void(HttpResponse)>;
  Exchange(NodeApi& node, const HttpCounters& counters, Reply reply)
      : node_(node), counters_(counters), reply_(std::move(reply)) {}

  /// Answers, unless it was answered or cancelled before.
  void answer(HttpResponse response) {
    if (!reply_) return;
    auto reply = std::move(reply_);
    reply_ = nullptr;
    reply(std::move(response));
  }
  /// The client is gone: whatever the node still does for it is given up.
  void cancel() {
    if (!reply_) return;
    reply_ = nullptr;
    if (call_ != 0) node_.cancel(call_);
  }
  /// False once it was answered or cancelled. The node may be used only while it is true.
  [[nodiscard]] bool open() const { return reply_ != nullptr; }
  void waits_for(CallId call) { call_ = call; }
  [[nodiscard]] NodeApi& node() { return node_; }
  /// Of the server. May be used while open() is true.
  [[nodiscard]] const HttpCounters& counters() const { return counters_; }

 private:
  NodeApi& node_;
  const HttpCounters& counters_;
  Reply reply_;
  CallId call_ = 0;
};
using ExchangePtr = std::shared_ptr<Exchange>;

/// Runs `work` off the loop, then `done` on it.
using Offload = std::function<void(std::function<void()> work, std::function<void()> done)>;

}  // namespace zell
