#pragma once
// A node's HTTP server over a FakeNode, on a loop thread of its own.

#include <uv.h>

#include <future>
#include <mutex>
#include <thread>

#include "node/base/check.h"
#include "node/http/server.h"
#include "tests/support/fake_node.h"

namespace zell::testing {

class HttpFixture {
 public:
  explicit HttpFixture(Chain chain = Chain(), HttpOptions options = {}) {
    uv_loop_init(&loop_);
    uv_async_init(&loop_, &async_, [](uv_async_t* async) { static_cast<HttpFixture*>(async->data)->drain(); });
    async_.data = this;
    node_ = std::make_unique<FakeNode>(&loop_, std::move(chain));
    auto server = HttpServer::start(&loop_, *node_, std::move(options));
    ZELL_CHECK(server.ok());
    server_ = std::move(*server);
    thread_ = std::thread([this] { uv_run(&loop_, UV_RUN_DEFAULT); });
  }
  ~HttpFixture() {
    on_loop([this](FakeNode&) {
      server_.reset();
      node_.reset();
      uv_close(reinterpret_cast<uv_handle_t*>(&async_), nullptr);
    });
    thread_.join();
    ZELL_CHECK(uv_loop_close(&loop_) == 0);
  }

  /// Runs `action` on the loop thread and waits for it.
  void on_loop(std::function<void(FakeNode&)> action) {
    std::promise<void> done;
    {
      std::lock_guard lock(mutex_);
      actions_.push_back([&] {
        action(*node_);
        done.set_value();
      });
    }
    uv_async_send(&async_);
    done.get_future().wait();
  }
  /// Asks on the loop thread until it is true, at most for 10 s.
  bool eventually(std::function<bool(FakeNode&, HttpServer&)> condition) {
    for (int i = 0; i < 1'000; ++i) {
      bool holds = false;
      on_loop([&](FakeNode& node) { holds = condition(node, *server_); });
      if (holds) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  std::size_t connections() {
    std::size_t out = 0;
    on_loop([&](FakeNode&) { out = server_->connections(); });
    return out;
  }
  /// Stops the server alone: the node goes on.
  void stop_server() {
    on_loop([this](FakeNode&) { server_.reset(); });
  }
  std::uint16_t port() const { return server_->port(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }

 private:
  void drain() {
    std::vector<std::function<void()>> actions;
    {
      std::lock_guard lock(mutex_);
      actions.swap(actions_);
    }
    for (auto& action : actions) action();
  }

  uv_loop_t loop_{};
  uv_async_t async_{};
  std::unique_ptr<FakeNode> node_;
  std::unique_ptr<HttpServer> server_;
  std::mutex mutex_;
  std::vector<std::function<void()>> actions_;
  std::thread thread_;
};

}  // namespace zell::testing
