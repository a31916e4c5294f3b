#include "client/http.h"

#include <atomic>
#include <nlohmann/json.hpp>

#include "client/curl_call.h"

namespace zell {

struct HttpClient::Impl {
  CurlCall curl;
  CURLM* multi = curl_multi_init();
  std::atomic<bool> cancelled{false};

  Impl() { ZELL_CHECK(multi != nullptr); }
  ~Impl() { curl_multi_cleanup(multi); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<HttpReply> call(const std::string& url, const std::string_view* body, const HttpCall& call) {
    curl.prepare(url, body, call);
    const auto code = perform();
    if (cancelled) return Error{"cancelled", "the call to " + url + " was cancelled", ""};
    return curl.finish(code);
  }

  /// The multi interface, because its waiting can be ended from another thread.
  CURLcode perform() {
    ZELL_CHECK(curl_multi_add_handle(multi, curl.handle()) == CURLM_OK);
    auto result = CURLE_OK;
    int running = 1;
    while (running > 0 && !cancelled) {
      constexpr int poll_ms = 1'000;
      if (curl_multi_perform(multi, &running) != CURLM_OK) break;
      if (running > 0 && curl_multi_poll(multi, nullptr, 0, poll_ms, nullptr) != CURLM_OK) break;
    }
    if (running > 0) result = CURLE_ABORTED_BY_CALLBACK;
    int left = 0;
    while (auto* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) result = message->data.result;
    }
    curl_multi_remove_handle(multi, curl.handle());
    return result;
  }
};

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpReply> HttpClient::get(const std::string& url, const HttpCall& call) {
  return impl_->call(url, nullptr, call);
}

Result<HttpReply> HttpClient::post(const std::string& url, std::string_view body, const HttpCall& call) {
  return impl_->call(url, &body, call);
}

void HttpClient::cancel() {
  impl_->cancelled = true;
  curl_multi_wakeup(impl_->multi);
}

Result<HttpReply> expect_ok(Result<HttpReply> reply) {
  if (!reply || (reply->status >= 200 && reply->status < 300)) return reply;
  auto json = nlohmann::json::parse(reply->body, nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && json.contains("error") && json["error"].is_object()) {
    const auto& error = json["error"];
    auto text = [&](const char* key) {
      return error.contains(key) && error[key].is_string() ? error[key].get<std::string>() : std::string();
    };
    if (!text("code").empty()) return Error{text("code"), text("reason"), text("hint")};
  }
  return Error{"http-error", "the server answered with HTTP status " + std::to_string(reply->status),
               "is this the API address of a zell node?"};
}

Result<HttpReply> http_get(const std::string& url, std::chrono::milliseconds timeout) {
  HttpCall call;
  call.timeout = timeout;
  return HttpClient().get(url, call);
}

}  // namespace zell
