#include "node/runtime/node.h"

#include <thread>

#include "node/http/json.h"
#include "node/metrics/process_metrics.h"
#include "node/runtime/node_status.h"
#include "node/storage/store.h"

namespace zell {
namespace {

constexpr std::size_t remembered_requests = 16'384;  // as many as are forwarded and then proposed within a second
constexpr std::size_t client_jobs = 2 * max_checking_jobs;

std::size_t thread_count(const NodeConfig& config) {
  return config.verify_threads != 0 ? config.verify_threads : std::max(1u, std::thread::hardware_concurrency());
}

ReplicaOptions replica_options() {
  ReplicaOptions out;
  out.incarnation = static_cast<std::uint64_t>(unix_ms_now()) * 1'000;
  random_bytes(out.query_nonce.bytes);
  return out;
}

std::string lower_case(std::string text) {
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

Error with_address(Error error, const HostPort& where) {
  error.what += " (" + to_string(where) + ")";
  return error;
}

}  // namespace

Node::Node(uv_loop_t& loop, NodeSetup setup, Log& log, std::function<void()> stop_requested)
    : loop_(loop),
      setup_(std::move(setup)),
      log_(log),
      stop_requested_(std::move(stop_requested)),
      events_(log, setup_.genesis.genesis),
      peers_(setup_.genesis.genesis.size()),
      started_at_(Driver::now()) {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    peers_[i].node = NodeId{static_cast<std::uint16_t>(i)};
    peers_[i].name = setup_.genesis.genesis.members[i].name;
  }
}

Node::~Node() {
  ZELL_CHECK(!pool_ && !storage_ && !driver_);
}

Status Node::start() {
  auto self = find_self(setup_.config, setup_.genesis.genesis);
  if (!self.ok()) return self.error();
  self_ = *self;
  auto peers = peer_addresses(setup_.config, setup_.genesis);
  if (!peers.ok()) return peers.error();
  if (auto opened = open_core(); !opened.ok()) return opened;
  if (auto opened = open_doors(*peers); !opened.ok()) return opened;
  driver_->feed(Tick{});
  takes_part_ = true;
  auto core = driver_->replica().status();
  log_.write(LogLevel::info, "node", "started",
             {{"version", setup_.version},
              {"listen", to_string({setup_.config.listen.host, peer_port()})},
              {"api", to_string({setup_.config.api.host, api_port()})},
              {"view", core.view.value},
              {"finalised", core.finalised.index.value},
              {"standing", core.standing == Standing::learner ? "learner" : "member"},
              {"log_format", log_format_version}});
  return Ok{};
}

Status Node::open_core() {
  const auto& genesis = setup_.genesis.genesis;
  auto store = open_store(setup_.config.data_folder, genesis, self_);
  if (!store.ok()) return store.error();
  NonceWindows nonces;
  ProofIndex tree;
  Index replay_point;
  auto start = [&](const ReplayPoint& point) {
    if (replay_point > point.index) {
      log_.write(LogLevel::warn, "storage", "the replay point does not fit the log, which is read from its beginning",
                 {{"index", replay_point.value}});
    }
    nonces = NonceWindows(point.senders);
    tree = ProofIndex(point.blocks);
    replay_point = point.index;
  };
  auto replay = [&](const Batch& batch) {
    auto index = batch.header.first;
    for (const auto& request : *batch.requests) {
      // The store has checked the log's roots; a nonce that is there twice was never voted for by a correct quorum.
      if (index > replay_point && nonces.check(request->sender, request->nonce) == NonceVerdict::fresh)
        nonces.insert(request->sender, request->nonce);
      if (index.value > tree.size()) tree.append(request->leaf);
      index = index.next();
    }
    tree.forget_before(batch.header.end.index.value);
  };
  auto recovered = (*store)->recover(replay, start);
  if (!recovered.ok()) return recovered.error();
  auto final = recovered->fc ? recovered->fc->point.index : Index{};

  request_cache_ = make_request_cache(remembered_requests);
  verifier_ = std::make_unique<Verifier>(genesis, signatures_, request_cache_.get());
  // No peer and no client can fill the queue alone: each has a budget of its own, and these are all of them together.
  auto max_queued = genesis.size() * (inbound_frames_per_peer + 1) + client_jobs;
  pool_ = std::make_unique<WorkPool>(loop_, thread_count(setup_.config), max_queued);
  StorageLink::Handler handler;
  handler.committed = [this](std::uint64_t id) { driver_->committed(id); };
  handler.failed = [this](const Error& why) {
    storage_failure_ = why.code;
    driver_->commit_failed(why.what);
  };
  storage_ = std::make_unique<StorageLink>(loop_, std::move(*store), std::move(handler));
  make_driver(std::move(*recovered), std::move(nonces));
  make_api(std::move(tree), final);
  auto post = [this](auto work, auto done) { return storage_->read(std::move(work), std::move(done)); };
  replay_points_ = std::make_unique<ReplayPoints>(driver_->replica(), api_->tree(), std::move(post),
                                                  setup_.requests_between_replay_points, replay_point);
  return Ok{};
}

void Node::make_driver(Recovered recovered, NonceWindows nonces) {
  const auto& genesis = setup_.genesis.genesis;
  Driver::Outlets outlets;
  outlets.commit = [this](std::vector<StorageThread::Commit> commits) { storage_->commit(std::move(commits)); };
  outlets.connected = [this](NodeId node) { return transport_ && transport_->connected(node); };
  auto send = [this](NodeId to, Lane lane, FramePtr frame) {
    (void)transport_->send(to, lane, std::move(frame));  // dropped ones are counted there, and made good by the core
  };
  outlets.send = send;
  outlets.serve = [this](const ServeLog& what) { log_server_->serve(what); };
  outlets.check = [this](const CheckFinality& what) { check_finality(what.certificate); };
  outlets.event = [this](const Event& event) { on_event(event); };
  outlets.progress = [this](const ReplicaStatus& status) { api_->on_progress(status); };
  outlets.stored_final = [this](Index index) {
    api_->on_stored_final(index);
    if (!stopping_) replay_points_->on_stored_final(index);
  };
  Replica replica(genesis, self_, replica_options(), std::move(recovered), std::move(nonces));
  driver_ = std::make_unique<Driver>(loop_, handles_, *verifier_, self_, setup_.secret, signatures_, std::move(replica),
                                     std::move(outlets));

  counters_.start_in(driver_->replica().status().view);

  Inbound::Outlets inbound;
  inbound.deliver = [this](NodeId from, VerifiedMessage message) { driver_->feed(Received{from, std::move(message)}); };
  inbound.refuse = [this](NodeId from, const Error& why) {
    counters_.on_refused_message(why.code);
    events_.on_refused(from, why, Driver::now());
  };
  inbound.pause = [this](NodeId node) { transport_->pause_reading(node); };
  inbound.resume = [this](NodeId node) { transport_->resume_reading(node); };
  inbound_ = std::make_unique<Inbound>(*pool_, *verifier_, self_, std::move(inbound));

  LogServer::Outlets serving;
  serving.read = [this](auto work, auto done) { return storage_->read(std::move(work), std::move(done)); };
  serving.has_room = [this](NodeId node) {
    auto limit = TransportLimits{}.lane_bytes[static_cast<std::size_t>(Lane::bulk)];
    return transport_->queued_bytes(node, Lane::bulk) < limit / 2;
  };
  serving.send = send;
  serving.failed = [this](const Error& why) {
    log_.write(LogLevel::error, "storage", "the log could not be read for a peer", {{"why", why.what}});
  };
  log_server_ = std::make_unique<LogServer>(verifier_->domain().epoch, genesis.size(), std::move(serving));
}

void Node::make_api(ProofIndex tree, Index final) {
  auto post_read = [this](std::function<void(Store&)> work, std::function<void()> done) {
    return storage_->read(std::move(work), std::move(done));
  };
  Api::Parts parts{loop_,
                   handles_,
                   driver_->replica(),
                   *verifier_,
                   *pool_,
                   std::move(post_read),
                   [this](Input input) { driver_->feed(std::move(input)); },
                   [this] { return status(); },
                   [this] { return health(); },
                   [this](MetricsText& out) { write_metrics(out); }};
  api_ = std::make_unique<Api>(std::move(parts), std::move(tree), final);
}

Status Node::open_doors(const std::vector<std::optional<HostPort>>& peers) {
  if (auto opened = open_transport(peers); !opened.ok()) return with_address(opened.error(), setup_.config.listen);
  if (auto opened = open_http(); !opened.ok()) return with_address(opened.error(), setup_.config.api);
  return setup_.config.control_socket.empty() ? Status(Ok{}) : open_control();
}

Status Node::open_transport(const std::vector<std::optional<HostPort>>& peers) {
  std::map<NodeId, Endpoint> endpoints;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (peers[i]) endpoints[NodeId{static_cast<std::uint16_t>(i)}] = {peers[i]->host, peers[i]->port};
  }
  Endpoint listen{setup_.config.listen.host, setup_.config.listen.port};
  transport_.reset(new Transport(&loop_, setup_.genesis.genesis, self_, setup_.secret, signatures_, listen, endpoints,
                                 TransportLimits{}, *this));
  return transport_->start();
}

Status Node::open_http() {
  HttpOptions options;
  options.address = setup_.config.api.host == "localhost" ? "127.0.0.1" : setup_.config.api.host;
  options.port = setup_.config.api.port;
  // Clients name it by what it listens on, or by what the genesis file says.
  if (!is_loopback(options.address)) options.allowed_hosts.push_back(lower_case(options.address));
  auto label = parse_api_url(setup_.genesis.endpoints[self_.value].api);
  if (label.ok() && !is_loopback(label->host)) options.allowed_hosts.push_back(lower_case(label->host));
  auto server = HttpServer::start(&loop_, *api_, std::move(options));
  if (!server.ok()) return server.error();
  http_ = std::move(*server);
  return Ok{};
}

Status Node::open_control() {
  ControlOptions options;
  options.socket = setup_.config.control_socket;
  auto server =
      ControlServer::start(loop_, std::move(options), [this](std::string_view command) { return on_command(command); });
  if (!server.ok()) return server.error();
  control_ = std::move(*server);
  return Ok{};
}

void Node::set_peer(NodeId node, const HostPort& where) {
  transport_->set_peer(node, {where.host, where.port});
}

bool Node::challenge() {
  const auto before = driver_->replica().status().view;
  driver_->feed(ChallengeNow{});
  const auto core = driver_->replica().status();
  return core.challenging.has_value() || core.view > before;  // it may have been the one that was missing
}

Result<std::string> Node::on_command(std::string_view command) {
  if (command == "status") return dump(json_of(status(), setup_.genesis.genesis));
  if (command == "challenge") {
    if (!challenge())
      return Error{
          "cannot-challenge",
          "this node can't challenge now: it is a learner, behind, between views, or not connected to enough others",
          "zell status"};
    auto core = driver_->replica().status();
    return dump({{"view", core.view.value}, {"leader", setup_.genesis.genesis.members[core.leader.value].name}});
  }
  if (command == "stop") {
    stop_requested_();
    return std::string("{}");
  }
  constexpr std::string_view log_level = "log-level ";
  if (command.starts_with(log_level)) return set_log_level(command.substr(log_level.size()));
  return Error{"bad-command", "there is no such command", "challenge, log-level LEVEL, status or stop"};
}

Result<std::string> Node::set_log_level(std::string_view word) {
  const auto level = log_level_from(word);
  if (!level) return Error{"bad-value", "no such log level", "debug, info, warn or error"};
  const auto before = log_.level();
  const auto tell = [&] {
    log_.write(LogLevel::info, "log", "level set", {{"from", to_string(before)}, {"to", to_string(*level)}});
  };
  const bool quieter = *level > before;  // told while it still can be
  if (quieter) tell();
  log_.set_level(*level);
  if (!quieter) tell();
  return dump({{"level", to_string(*level)}, {"before", to_string(before)}});
}

void Node::on_frame(NodeId from, Bytes frame_body) {
  inbound_->on_frame(from, std::move(frame_body));
}

void Node::on_peer_up(NodeId node) {
  auto& peer = peers_[node.value];
  peer.up = true;
  peer.since_unix_ms = unix_ms_now();
  peer.why_down.clear();
  log_.write(LogLevel::info, "peers", "connected", {{"peer", peer.name}});
  inbound_->on_peer_up(node);
  driver_->feed(PeerUp{node});
}

void Node::on_peer_down(NodeId node, bool refused) {
  auto& peer = peers_[node.value];
  peer.why_down = refused ? "connection refused: nothing listens there" : "connection lost";
  if (peer.up) {
    peer.since_unix_ms = unix_ms_now();
    log_.write(LogLevel::warn, "peers", "disconnected", {{"peer", peer.name}, {"why", peer.why_down}});
  }
  peer.up = false;
  driver_->feed(PeerDown{node, refused});
}

void Node::on_refused(std::string what) {
  log_.write(LogLevel::warn, "peers", "connection refused", {{"why", what}});
}

void Node::on_event(const Event& event) {
  counters_.on_event(event);
  if (const auto* changed = std::get_if<ViewChanged>(&event)) {
    view_causes_.on_changed(changed->view, driver_->replica().challenges());
    counters_.on_view_changed(*changed, view_causes_.of(changed->view));
  }
  events_.on_event(event, Driver::now());
  api_->on_event(event);
}

void Node::check_finality(const Certificate& older) {
  auto done = [this, older](Result<ConsistencyProof> proof) {
    if (!proof.ok()) {
      log_.write(LogLevel::warn, "node", "an older finality certificate could not be compared with the log",
                 {{"index", older.point.index.value}, {"why", proof.error().what}});
      return;
    }
    if (!proof->certificate || proof->first.root == older.point.root) return;
    Conflict found{older, *proof->certificate, proof->first.root, std::move(proof->path)};
    driver_->feed(Received{self_, verifier_->own(std::move(found))});
  };
  api_->prove_consistency(older.point.index, {}, std::move(done));
}

NodeStatus Node::status() const {
  ProcessFacts facts{self_,  setup_.version,   started_at_,  Driver::now(),
                     peers_, storage_failure_, log_.level(), view_causes_.of(driver_->replica().status().view)};
  return make_status(setup_.genesis.genesis, verifier_->domain(), driver_->replica().status(), std::move(facts));
}

Health Node::health() const {
  MemberSet connected;
  connected.set(self_.value);
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (peers_[i].up) connected.set(i);
  }
  return make_health(setup_.genesis.genesis, driver_->replica().status(), connected);
}

void Node::write_metrics(MetricsText& out) const {
  const auto now = status();
  const auto core = driver_->replica().status();
  write_node_facts(out, {now, core, health(), setup_.genesis.genesis, transport_->stats(), storage_->counts(),
                         signatures_, pool_->in_flight()});
  counters_.write(out);
  write_process_metrics(out);
}

std::function<void()> Node::one_closed(void (Node::*next)()) {
  ++closing_;
  return [this, next] {
    if (--closing_ == 0) (this->*next)();
  };
}

void Node::stop(std::function<void()> stopped) {
  ZELL_CHECK(!std::exchange(stopping_, true));
  stopped_ = std::move(stopped);
  log_.write(LogLevel::info, "node", "stopping");
  http_.reset();
  if (api_) api_->stop();
  if (takes_part_) driver_->feed(Closing{});
  if (driver_) driver_->stop();
  auto all_started = one_closed(&Node::close_network);
  if (control_) control_->close(one_closed(&Node::close_network));
  // What was decided is written, and what waited for that still goes out: peers count on it.
  if (storage_) storage_->close(one_closed(&Node::close_network));
  all_started();
}

void Node::close_network() {
  auto all_started = one_closed(&Node::close_handles);
  if (transport_) transport_->close(one_closed(&Node::close_handles));
  if (pool_) pool_->close(one_closed(&Node::close_handles));
  all_started();
}

void Node::close_handles() {
  control_.reset();
  inbound_.reset();
  log_server_.reset();
  transport_.reset();
  replay_points_.reset();
  api_.reset();
  driver_.reset();
  storage_.reset();
  pool_.reset();
  handles_->when_none([this] {
    log_.write(LogLevel::info, "node", "stopped");
    auto done = std::move(stopped_);
    done();
  });
}

}  // namespace zell
