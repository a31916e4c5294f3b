#include "client/curl_call.h"

#include <algorithm>

namespace zell {

namespace {

void init_curl_once() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  ZELL_CHECK(result == CURLE_OK);
}

void add_header(curl_slist*& list, const std::string& line) {
  auto* head = curl_slist_append(list, line.c_str());
  ZELL_CHECK(head != nullptr);
  list = head;
}

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

std::size_t CurlCall::Sink::write(char* data, std::size_t size, std::size_t count, void* self_ptr) {
  auto* self = static_cast<Sink*>(self_ptr);
  if (self->body.size() + size * count > self->limit) {
    self->overflowed = true;
    return 0;
  }
  self->body.append(data, size * count);
  return size * count;
}

CurlCall::CurlCall() {
  init_curl_once();
  easy_ = curl_easy_init();
  ZELL_CHECK(easy_ != nullptr);
}

CurlCall::~CurlCall() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void CurlCall::set_headers(const HttpCall& call, bool has_body) {
  curl_slist_free_all(headers_);
  headers_ = nullptr;
  add_header(headers_, "Accept: " + call.accept);
  if (has_body) {
    add_header(headers_, "Content-Type: " + call.content_type);
    add_header(headers_, "Expect:");  // no round trip before the body
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
}

void CurlCall::prepare(const std::string& url, const std::string_view* body, const HttpCall& call) {
  curl_easy_reset(easy_);
  url_ = url;
  sink_ = {{}, call.max_reply_bytes, false};
  detail_[0] = '\0';
  curl_easy_setopt(easy_, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  // A proxy from the environment has no business between this and a node on loopback.
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, call.timeout.count())));
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, detail_);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Sink::write);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &sink_);
  if (body) {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    // Its size goes with it.
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body->data());  // NOLINT(bugprone-suspicious-stringview-data-usage)
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
  }
  set_headers(call, body != nullptr);
}

Result<HttpReply> CurlCall::finish(CURLcode code) {
  if (code != CURLE_OK) return error_of(code, url_, detail_, sink_.limit, sink_.overflowed);
  HttpReply reply;
  reply.body = std::move(sink_.body);
  const char* type = nullptr;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &reply.status);
  curl_easy_getinfo(easy_, CURLINFO_CONTENT_TYPE, &type);
  curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &retry_after);
  if (type) reply.content_type = type;
  reply.retry_after = std::chrono::seconds(retry_after);
  return reply;
}

}  // namespace zell
