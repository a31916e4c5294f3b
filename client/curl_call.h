#pragma once
// One HTTP call as libcurl sees it: shared by HttpClient and HttpPool, and by nothing else.

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>

#include "client/http.h"

namespace zell {

/// An easy handle with what its current call needs to stay where it is. Used again, it keeps nothing of the last call.
class CurlCall {
 public:
  CurlCall();
  ~CurlCall();
  CurlCall(const CurlCall&) = delete;
  CurlCall& operator=(const CurlCall&) = delete;

  /// `body` null: a GET. It must stay until the call is over.
  void prepare(const std::string& url, const std::string_view* body, const HttpCall& call);
  /// What came of it. Codes: HttpClient's, but for "cancelled".
  [[nodiscard]] Result<HttpReply> finish(CURLcode code);
  [[nodiscard]] CURL* handle() const { return easy_; }

 private:
  /// Where libcurl writes a body, up to its limit.
  struct Sink {
    std::string body;
    std::size_t limit = 0;
    bool overflowed = false;
    static std::size_t write(char* data, std::size_t size, std::size_t count, void* self_ptr);
  };
  void set_headers(const HttpCall& call, bool has_body);

  CURL* easy_;
  curl_slist* headers_ = nullptr;
  std::string url_;
  Sink sink_;
  char detail_[CURL_ERROR_SIZE] = "";
};

}  // namespace zell
