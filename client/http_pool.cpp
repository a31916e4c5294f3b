#include "client/http_pool.h"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "client/curl_call.h"

namespace zell {

namespace {

using Clock = HttpPool::Clock;

/// Open connections that wait for a next call, at most.
constexpr long kept_connections = 1'024;
/// One upload buffer, allocated once a handle: a call's body goes out in few writes.
constexpr long upload_buffer_bytes = 256 << 10;

struct Call {
  CurlCall curl;
  std::string body;
  HttpPool::Done done;
};

}  // namespace

struct HttpPool::Impl {
  CURLM* multi = curl_multi_init();
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<Call*> idle;
  std::optional<Clock::time_point> timer;  ///< libcurl's own

  Impl() {
    ZELL_CHECK(multi != nullptr && epoll >= 0);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kept_connections);
  }
  ~Impl() {
    for (const auto& call : calls) curl_multi_remove_handle(multi, call->curl.handle());
    calls.clear();
    curl_multi_cleanup(multi);
    ::close(epoll);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self_ptr, void* known) {
    auto* self = static_cast<Impl*>(self_ptr);
    if (what == CURL_POLL_REMOVE) {
      // The kernel forgets a socket that is closed already.
      ::epoll_ctl(self->epoll, EPOLL_CTL_DEL, socket, nullptr);
      curl_multi_assign(self->multi, socket, nullptr);
      return 0;
    }
    epoll_event event{};
    event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
    event.data.fd = socket;
    ZELL_CHECK(::epoll_ctl(self->epoll, known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) == 0);
    curl_multi_assign(self->multi, socket, self);
    return 0;
  }

  static int on_timer(CURLM*, long milliseconds, void* self_ptr) {
    auto* self = static_cast<Impl*>(self_ptr);
    self->timer.reset();
    if (milliseconds >= 0) self->timer = Clock::now() + std::chrono::milliseconds(milliseconds);
    return 0;
  }

  Call& idle_call() {
    if (idle.empty()) {
      calls.push_back(std::make_unique<Call>());
      idle.push_back(calls.back().get());
    }
    auto* call = idle.back();
    idle.pop_back();
    return *call;
  }

  void wait(Clock::time_point until) const {
    const auto left = std::max(Clock::duration(0), until - Clock::now());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
    // epoll_wait counts in milliseconds: too coarse for somebody who sends on time.
    pollfd entry{epoll, POLLIN, 0};
    ::ppoll(&entry, 1, &timeout, nullptr);
  }

  void act() {
    epoll_event events[64];
    const int count = ::epoll_wait(epoll, events, static_cast<int>(std::size(events)), 0);
    int running = 0;
    for (int k = 0; k < count; ++k) {
      const auto happened = events[k].events;
      const int mask = ((happened & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                       ((happened & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                       ((happened & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
      curl_multi_socket_action(multi, events[k].data.fd, mask, &running);
    }
    if (timer && *timer <= Clock::now()) {
      timer.reset();
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
  }

  void take_finished() {
    int left = 0;
    while (auto* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const auto code = message->data.result;
      char* owner = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      auto* call = reinterpret_cast<Call*>(owner);
      curl_multi_remove_handle(multi, call->curl.handle());
      auto reply = call->curl.finish(code);
      const auto done = std::move(call->done);
      call->done = nullptr;
      call->body.clear();
      idle.push_back(call);
      done(std::move(reply));
    }
  }
};

HttpPool::HttpPool() : impl_(std::make_unique<Impl>()) {}
HttpPool::~HttpPool() = default;

void HttpPool::post(const std::string& url, std::string body, const HttpCall& call, Done done) {
  auto& made = impl_->idle_call();
  made.body = std::move(body);
  made.done = std::move(done);
  const std::string_view bytes = made.body;
  made.curl.prepare(url, &bytes, call);
  curl_easy_setopt(made.curl.handle(), CURLOPT_PRIVATE, &made);
  curl_easy_setopt(made.curl.handle(), CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer_bytes);
  ZELL_CHECK(curl_multi_add_handle(impl_->multi, made.curl.handle()) == CURLM_OK);
}

void HttpPool::run(Clock::time_point until) {
  if (impl_->timer) until = std::min(until, *impl_->timer);
  impl_->wait(until);
  impl_->act();
  impl_->take_finished();
}

std::size_t HttpPool::under_way() const {
  return impl_->calls.size() - impl_->idle.size();
}

}  // namespace zell
