#pragma once
// Whole nodes on one loop: real store, transport and HTTP server, ports of the system's choice.

#include <fstream>
#include <memory>
#include <optional>
#include <vector>

#include "node/runtime/node.h"
#include "node/wire/request_codec.h"
#include "tests/unit/runtime/loop_fixture.h"

namespace zell {

class TestCluster {
 public:
  explicit TestCluster(std::size_t size, std::uint64_t first_stake = 1) {
    genesis_.genesis.cluster_name = "test";
    for (std::size_t i = 0; i < size; ++i) {
      auto name = "n" + std::to_string(i + 1);
      secrets_.push_back(dev_secret_key(1, name));
      auto key = secp256k1_scheme().public_key(secrets_.back());
      genesis_.genesis.members.push_back({name, *key, i == 0 ? first_stake : 1});
      genesis_.endpoints.push_back({"127.0.0.1:1", ""});  // told once it is known: set_peer
    }
    for (std::size_t i = 0; i < size; ++i) {
      REQUIRE(create_store(folder_of(i), genesis_.genesis, NodeId{static_cast<std::uint16_t>(i)}).ok());
    }
    nodes_.resize(size);
    logs_.resize(size);
  }
  ~TestCluster() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) stop(i);
  }

  [[nodiscard]] std::filesystem::path folder_of(std::size_t i) const {
    return folder_.path() / ("n" + std::to_string(i + 1));
  }
  [[nodiscard]] NodeSetup setup_of(std::size_t i) {
    NodeSetup out;
    out.config.name = "n" + std::to_string(i + 1);
    out.config.data_folder = folder_of(i);
    out.config.listen = {"127.0.0.1", 0};
    out.config.api = {"127.0.0.1", 0};
    out.config.control_socket = folder_.path() / (out.config.name + ".sock");
    out.config.verify_threads = 1;
    out.genesis = genesis_;
    out.secret = secrets_[i];
    out.version = "test";
    return out;
  }
  Status try_start(std::size_t i) { return try_start(i, setup_of(i)); }
  Status try_start(std::size_t i, NodeSetup setup) {
    auto log = Log::open(folder_.path() / (setup.config.name + ".log"), "debug", setup.config.name);
    REQUIRE(log.ok());
    logs_[i] = std::move(*log);
    nodes_[i] = std::make_unique<Node>(loop_, std::move(setup), *logs_[i], [this, i] { stop_asked_ = i; });
    auto started = nodes_[i]->start();
    if (!started.ok()) {
      stop(i);
      return started;
    }
    // The member of the higher id dials: each learns where the lower ones listen now.
    for (std::size_t j = 0; j < nodes_.size(); ++j) {
      if (!nodes_[j] || j == i) continue;
      tell(std::max(i, j), std::min(i, j));
    }
    return started;
  }
  void start(std::size_t i) {
    auto started = try_start(i);
    if (!started.ok()) FAIL(started.error().code + ": " + started.error().what);
  }
  void start_all() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) start(i);
  }
  void stop(std::size_t i) {
    if (!nodes_[i]) return;
    bool stopped = false;
    nodes_[i]->stop([&] { stopped = true; });
    REQUIRE(loop_.run_until([&] { return stopped; }));
    nodes_[i].reset();
    logs_[i].reset();
  }

  [[nodiscard]] RequestPtr request(std::uint64_t nonce, std::string_view payload, std::string_view user = "alice") {
    Bytes bytes(payload.begin(), payload.end());
    return sign_request(domain(), secp256k1_scheme(), dev_secret_key(1, user), "default", nonce,
                        std::vector<Bytes>{bytes});
  }
  SubmitReply submit(std::size_t i, Requests requests, RequestState wait = RequestState::finalised,
                     std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    std::optional<SubmitReply> reply;
    api(i).submit({std::move(requests), wait, timeout}, [&](SubmitReply got) { reply = std::move(got); });
    REQUIRE(loop_.run_until([&] { return reply.has_value(); }));
    return *reply;
  }
  /// Calls `call` with a callback, and runs the loop until that was called.
  template <class T, class Call>
  Result<T> ask(Call call) {
    std::optional<Result<T>> reply;
    call([&](Result<T> got) { reply.emplace(std::move(got)); });
    REQUIRE(loop_.run_until([&] { return reply.has_value(); }));
    return *reply;
  }
  Result<LogPage> read(std::size_t i, const LogQuery& query) {
    return ask<LogPage>([&](auto done) { api(i).read_log(query, done); });
  }
  Result<RequestReport> lookup(std::size_t i, const RequestId& id, RequestState wait = RequestState::unknown,
                               std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return ask<RequestReport>([&](auto done) { api(i).lookup(id, wait, timeout, done); });
  }

  [[nodiscard]] Node& node(std::size_t i) { return *nodes_[i]; }
  [[nodiscard]] NodeApi& api(std::size_t i) { return nodes_[i]->api(); }
  [[nodiscard]] TestLoop& loop() { return loop_; }
  [[nodiscard]] const Genesis& genesis() const { return genesis_.genesis; }
  [[nodiscard]] GenesisFile& genesis_file() { return genesis_; }
  [[nodiscard]] SigningDomain domain() const { return SigningDomain::of(genesis_.genesis); }
  [[nodiscard]] std::optional<std::size_t> stop_asked() const { return stop_asked_; }
  [[nodiscard]] std::string log_of(std::size_t i) const {
    std::ifstream in(folder_.path() / ("n" + std::to_string(i + 1) + ".log"));
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  void tell(std::size_t dialler, std::size_t other) {
    nodes_[dialler]->set_peer(NodeId{static_cast<std::uint16_t>(other)}, {"127.0.0.1", nodes_[other]->peer_port()});
  }

  TestFolder folder_;
  TestLoop loop_;
  GenesisFile genesis_;
  std::vector<SecretKey> secrets_;
  std::vector<std::unique_ptr<Log>> logs_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::optional<std::size_t> stop_asked_;
};

}  // namespace zell
