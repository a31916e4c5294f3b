#include "client/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

namespace zell {

namespace {

void init_curl_once() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  ZELL_CHECK(result == CURLE_OK);
}

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

void add_header(HeaderList& list, const std::string& line) {
  auto* head = curl_slist_append(list.get(), line.c_str());
  ZELL_CHECK(head != nullptr);
  (void)list.release();
  list.reset(head);
}

/// Where libcurl writes a body, up to its limit.
struct Sink {
  std::string body;
  std::size_t limit = 0;
  bool overflowed = false;

  static std::size_t write(char* data, std::size_t size, std::size_t count, void* self_ptr) {
    auto* self = static_cast<Sink*>(self_ptr);
    if (self->body.size() + size * count > self->limit) {
      self->overflowed = true;
      return 0;
    }
    self->body.append(data, size * count);
    return size * count;
  }
};

Error error_of(CURLcode code, const std::string& url, const char* detail, std::size_t limit, bool overflowed) {
  std::string why = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  if (overflowed) return {"too-large", url + " answers with more than " + std::to_string(limit) + " bytes", ""};
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {"timed-out", url + ": " + why, "the outcome is unknown: ask again"};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {"bad-url", url + ": " + why, "write it as http://127.0.0.1:7101"};
    default:
      return {"unreachable", url + ": " + why, "is the node running?"};
  }
}

}  // namespace

struct HttpClient::Impl {
  std::unique_ptr<CURL, EasyDeleter> easy;
  std::unique_ptr<CURLM, MultiDeleter> multi;
  std::atomic<bool> cancelled{false};

  Impl() {
    init_curl_once();
    easy.reset(curl_easy_init());
    multi.reset(curl_multi_init());
    ZELL_CHECK(easy && multi);
  }

  Result<HttpReply> call(const std::string& url, const std::string_view* body, const HttpCall& call) {
    Sink sink{{}, call.max_reply_bytes, false};
    char detail[CURL_ERROR_SIZE] = "";
    auto* curl = easy.get();
    curl_easy_reset(curl);
    set_common(url, call, sink, detail);
    HeaderList headers;
    add_header(headers, "Accept: " + call.accept);
    if (body) {
      add_header(headers, "Content-Type: " + call.content_type);
      add_header(headers, "Expect:");  // no round trip before the body
      curl_easy_setopt(curl, CURLOPT_POST, 1L);
      // Its size goes with it.
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data());  // NOLINT(bugprone-suspicious-stringview-data-usage)
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    auto code = perform();
    if (cancelled) return Error{"cancelled", "the call to " + url + " was cancelled", ""};
    if (code != CURLE_OK) return error_of(code, url, detail, sink.limit, sink.overflowed);
    return reply_of(std::move(sink.body));
  }

  void set_common(const std::string& url, const HttpCall& call, Sink& sink, char* detail) {
    auto* curl = easy.get();
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    // A proxy from the environment has no business between this and a node on loopback.
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, call.timeout.count())));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Sink::write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  }

  /// The multi interface, because its waiting can be ended from another thread.
  CURLcode perform() {
    ZELL_CHECK(curl_multi_add_handle(multi.get(), easy.get()) == CURLM_OK);
    auto result = CURLE_OK;
    int running = 1;
    while (running > 0 && !cancelled) {
      constexpr int poll_ms = 1'000;
      if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
      if (running > 0 && curl_multi_poll(multi.get(), nullptr, 0, poll_ms, nullptr) != CURLM_OK) break;
    }
    if (running > 0) result = CURLE_ABORTED_BY_CALLBACK;
    int left = 0;
    while (auto* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg == CURLMSG_DONE) result = message->data.result;
    }
    curl_multi_remove_handle(multi.get(), easy.get());
    return result;
  }

  HttpReply reply_of(std::string body) const {
    HttpReply reply;
    reply.body = std::move(body);
    const char* type = nullptr;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &reply.status);
    curl_easy_getinfo(easy.get(), CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(easy.get(), CURLINFO_RETRY_AFTER, &retry_after);
    if (type) reply.content_type = type;
    reply.retry_after = std::chrono::seconds(retry_after);
    return reply;
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
  curl_multi_wakeup(impl_->multi.get());
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
