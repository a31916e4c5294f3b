#include "tests/scenarios/stage.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace zell::scenarios {
namespace {

using std::chrono::milliseconds;

[[noreturn]] void wrong(const std::string& what) {
  throw std::runtime_error(what);
}

/// "500ms", "3s".
Duration duration(const std::string& text) {
  std::size_t digits = 0;
  auto count = static_cast<std::int64_t>(std::stoull(text, &digits));
  auto unit = text.substr(digits);
  if (unit == "ms") return milliseconds(count);
  if (unit == "s") return std::chrono::seconds(count);
  wrong("a time is like 500ms or 3s, not " + text);
}

void set_parameter(ClusterOptions& options, const std::string& name, const std::string& value) {
  auto number = [](const std::string& text) { return static_cast<std::uint32_t>(std::stoul(text)); };
  auto& p = options.parameters;
  const std::map<std::string, std::uint32_t*> known{
      {"view_timeout_ms", &p.view_timeout_ms},     {"view_timeout_cap_ms", &p.view_timeout_cap_ms},
      {"heartbeat_ms", &p.heartbeat_ms},           {"censorship_timeout_ms", &p.censorship_timeout_ms},
      {"batches_in_flight", &p.batches_in_flight}, {"batch_max_requests", &p.batch_max_requests},
      {"forward_quota", &p.forward_quota}};
  if (auto found = known.find(name); found != known.end()) {
    *found->second = number(value);
  } else if (name == "pool") {
    options.pool_max_requests = number(value);
  } else if (name == "stakes") {
    std::istringstream list(value);
    options.stakes.clear();
    for (std::string stake; std::getline(list, stake, ',');) options.stakes.push_back(number(stake));
  } else {
    wrong("no parameter " + name);
  }
}

Reason reason(const std::string& name) {
  for (auto value = 1; value <= 6; ++value) {
    auto candidate = static_cast<Reason>(value);
    if (to_string(candidate) == name) return candidate;
  }
  wrong("no reason " + name);
}

}  // namespace

// ---- Words

Words::Words(const std::string& line) {
  std::istringstream in(line);
  for (std::string word; in >> word;) words_.push_back(word);
}

const std::string& Words::peek() const {
  static const std::string none;
  return empty() ? none : words_[at_];
}

std::string Words::take() {
  if (empty()) wrong("the command ends too early");
  return words_[at_++];
}

bool Words::take_if(const std::string& word) {
  if (peek() != word) return false;
  ++at_;
  return true;
}

void Words::expect(const std::string& word) {
  if (!take_if(word)) wrong("expected " + word + " instead of '" + peek() + "'");
}

std::uint64_t Words::number(const std::string& prefix) {
  auto word = take();
  if (!word.starts_with(prefix)) wrong("expected " + prefix + "NUMBER instead of " + word);
  return std::stoull(word.substr(prefix.size()));
}

void Words::end() const {
  if (!empty()) wrong("what is '" + peek() + "'?");
}

// ---- Names in commands

ProcessId Stage::process(const std::string& name) const {
  if (!cluster_) wrong("first comes the command cluster");
  const auto& all = cluster_->processes();
  auto found = std::find_if(all.begin(), all.end(), [&](const Process& p) { return p.name == name; });
  if (found == all.end()) wrong("no node " + name);
  return static_cast<ProcessId>(found - all.begin());
}

std::vector<ProcessId> Stage::processes(Words& words) const {
  std::vector<ProcessId> out;
  while (words.peek().starts_with('n')) out.push_back(process(words.take()));
  return out;
}

/// [FROM|*] [TO|*] [KIND]
Cluster::Filter Stage::filter(Words& words) const {
  if (words.take_if("all")) return [](const Packet&) { return true; };
  auto node = [&]() -> std::optional<ProcessId> {
    if (words.empty() || words.take_if("*")) return std::nullopt;
    return process(words.take());
  };
  auto from = node(), to = node();
  std::string kind = words.empty() ? "" : words.take();
  return [=](const Packet& packet) {
    return (!from || packet.from == *from) && (!to || packet.to == *to) &&
           (kind.empty() || kind_of(*packet.message) == kind);
  };
}

/// USER/NONCE, USER/NONCE:PAYLOAD for another request with that nonce, USER/NONCE! for one that the user did not sign.
RequestPtr Stage::request(const std::string& name) {
  auto& known = requests_[name];
  if (known) return known;
  auto slash = name.find('/');
  if (slash == std::string::npos) wrong("a request is like alice/1, not " + name);
  auto colon = name.find(':');
  auto payload = colon == std::string::npos ? "" : name.substr(colon + 1);
  known = cluster_->request(name.substr(0, slash), std::stoull(name.substr(slash + 1)), payload);
  if (name.ends_with('!')) known = forger_.bad_request(*known);
  names_.name_request(known, name);
  watch_->submitted(known);
  return known;
}

/// [alice/1 bob/1]
Requests Stage::requests(Words& words) {
  Requests out;
  auto word = words.take();
  if (!word.starts_with('[')) wrong("expected [REQUEST...]");
  word.erase(0, 1);
  while (true) {
    bool last = word.ends_with(']');
    if (last) word.pop_back();
    if (!word.empty()) out.push_back(request(word));
    if (last) return out;
    word = words.take();
  }
}

/// -> NODE... or -> others
std::vector<ProcessId> Stage::recipients(Words& words, ProcessId from) const {
  words.expect("->");
  if (!words.take_if("others")) return processes(words);
  std::vector<ProcessId> out;
  for (ProcessId id = 0; id < cluster_->processes().size(); ++id) {
    if (id != from) out.push_back(id);
  }
  return out;
}

// ---- Commands

const std::map<std::string, Stage::Command>& Stage::commands() {
  static const std::map<std::string, Command> all{{"cluster", &Stage::cluster},     {"submit", &Stage::submit},
                                                  {"deliver", &Stage::deliver},     {"settle", &Stage::settle},
                                                  {"drop", &Stage::drop},           {"lose", &Stage::lose},
                                                  {"persist", &Stage::persist},     {"crash", &Stage::crash},
                                                  {"stop", &Stage::stop},           {"wipe", &Stage::wipe},
                                                  {"backup", &Stage::backup},       {"restore", &Stage::restore},
                                                  {"start", &Stage::start},         {"advance", &Stage::advance},
                                                  {"run", &Stage::run_for},         {"challenge", &Stage::challenge},
                                                  {"partition", &Stage::partition}, {"disconnect", &Stage::disconnect},
                                                  {"heal", &Stage::heal},           {"in-flight", &Stage::in_flight},
                                                  {"status", &Stage::status},       {"log", &Stage::log},
                                                  {"evidence", &Stage::evidence},   {"as", &Stage::as}};
  return all;
}

std::string Stage::run(const std::string& command) {
  Words words(command);
  trace_.set_quiet(words.take_if("quietly"));
  auto name = words.take();
  auto found = commands().find(name);
  if (found == commands().end()) wrong("no command " + name);
  if (name != "cluster" && !cluster_) wrong("first comes the command cluster");
  (this->*found->second)(words);
  words.end();
  return trace_.take();
}

void Stage::finish() const {
  if (watch_) watch_->check_all_finality_certificates();
}

void Stage::cluster(Words& words) {
  if (cluster_) wrong("one cluster a script");
  ClusterOptions options;
  options.stakes.assign(words.number(), 1);
  options.parameters.batches_in_flight = 4;
  options.parameters.batch_max_requests = 8;
  options.parameters.forward_quota = 16;
  while (!words.empty()) {
    auto word = words.take();
    auto equals = word.find('=');
    if (equals == std::string::npos) wrong("expected PARAMETER=VALUE instead of " + word);
    set_parameter(options, word.substr(0, equals), word.substr(equals + 1));
  }
  cluster_ = std::make_unique<Cluster>(options);
  watch_ = std::make_unique<Watch>(cluster_->genesis(), std::set<NodeId>{});
  trace_.set_cluster(cluster_.get());
  forger_.set_cluster(cluster_.get());
  for (Observer* observer :
       {static_cast<Observer*>(&trace_), static_cast<Observer*>(&forger_), static_cast<Observer*>(watch_.get())}) {
    cluster_->observe(*observer);
  }
  trace_.set_quiet(true);  // who says what on connecting is shown where it matters
  cluster_->begin();
  cluster_->settle();
}

/// NODE REQUEST..., or USER/FIRST..LAST for many of one user.
void Stage::submit(Words& words) {
  auto to = process(words.take());
  while (!words.empty()) {
    auto name = words.take();
    auto dots = name.find("..");
    if (dots == std::string::npos) {
      cluster_->submit(to, request(name));
      continue;
    }
    auto slash = name.find('/');
    auto last = std::stoull(name.substr(dots + 2));
    for (auto nonce = std::stoull(name.substr(slash + 1)); nonce <= last; ++nonce) {
      cluster_->submit(to, request(name.substr(0, slash + 1) + std::to_string(nonce)));
    }
  }
}

void Stage::deliver(Words& words) {
  if (cluster_->deliver(filter(words)) == 0) trace_.say("nothing to deliver");
}

void Stage::settle(Words&) {
  cluster_->settle();
}

void Stage::drop(Words& words) {
  if (cluster_->drop(filter(words)) == 0) trace_.say("nothing to drop");
}

void Stage::lose(Words& words) {
  if (words.take_if("nothing")) {
    losses_.clear();
  } else {
    losses_.push_back(filter(words));
  }
  cluster_->lose([this](const Packet& packet) {
    return std::any_of(losses_.begin(), losses_.end(), [&](const auto& loss) { return loss(packet); });
  });
}

void Stage::persist(Words& words) {
  auto node = process(words.take());
  if (words.take_if("on")) return cluster_->set_disk(node, true);
  if (words.take_if("off")) return cluster_->set_disk(node, false);
  words.expect("fails");
  cluster_->fail_disk(node, "no space left on the disk");
}

void Stage::stop(Words& words) {
  for (auto id : processes(words)) cluster_->stop(id);
}

void Stage::crash(Words& words) {
  for (auto id : processes(words)) cluster_->crash(id);
}

void Stage::wipe(Words& words) {
  cluster_->lose_disk(process(words.take()));
}

void Stage::backup(Words& words) {
  auto id = process(words.take());
  backups_[id] = cluster_->processes()[id].journal.size();
}

void Stage::restore(Words& words) {
  auto id = process(words.take());
  watch_->distrust(cluster_->processes()[id].member);
  cluster_->restore_disk(id, backups_.at(id));
}

void Stage::start(Words& words) {
  for (auto id : processes(words)) cluster_->start(id);
}

void Stage::advance(Words& words) {
  cluster_->advance(duration(words.take()));
}

void Stage::run_for(Words& words) {
  cluster_->run(duration(words.take()));
}

void Stage::challenge(Words& words) {
  for (auto id : processes(words)) cluster_->challenge(id);
}

void Stage::partition(Words& words) {
  std::vector<int> side(cluster_->processes().size(), 0);
  int current = 1;
  while (!words.empty()) {
    if (words.take_if("|")) {
      ++current;
      continue;
    }
    side[process(words.take())] = current;
  }
  cluster_->rewire([side](ProcessId a, ProcessId b) { return side[a] == side[b]; });
}

void Stage::disconnect(Words& words) {
  auto one = process(words.take()), other = process(words.take());
  cluster_->rewire([=, this](ProcessId a, ProcessId b) {
    return cluster_->connected(a, b) && !(a == std::min(one, other) && b == std::max(one, other));
  });
}

void Stage::heal(Words&) {
  cluster_->rewire([](ProcessId, ProcessId) { return true; });
}

void Stage::in_flight(Words&) {
  for (const auto& packet : cluster_->in_flight()) {
    trace_.say(cluster_->processes()[packet.from].name + " -> " + cluster_->processes()[packet.to].name + ": " +
               names_.message(*packet.message));
  }
}

void Stage::say_status(const Process& process) {
  if (!process.replica) return trace_.say(process.name + " is down");
  auto status = process.replica->status();
  auto line = process.name + ": " + view_name(status.view) + (status.active ? "" : " not active") + ", log " +
              names_.point(status.sequenced) + ", locked " + names_.point(status.locked) + ", final " +
              names_.point(status.finalised);
  const auto& lc = process.durable_state.highest_lc;
  line += ", highest LC " + (lc ? names_.lock(lc->lock()) : "none");
  if (status.known_final > status.finalised.index) {
    line += ", behind FC " + std::to_string(status.known_final.value);
  }
  if (status.pool_requests > 0) line += ", holds " + std::to_string(status.pool_requests);
  if (status.challenging) line += ", challenging: " + std::string(to_string(*status.challenging));
  if (status.standing == Standing::learner) line += ", learner";
  if (status.standing == Standing::rejoined) line += ", rejoined";
  if (!status.stopped_code.empty()) line += ", stopped: " + status.stopped_code;
  line += ", timeout " + std::to_string(std::chrono::duration_cast<milliseconds>(status.view_timeout).count()) + " ms";
  trace_.say(line);
}

void Stage::status(Words& words) {
  auto chosen = processes(words);
  for (ProcessId id = 0; id < cluster_->processes().size(); ++id) {
    if (chosen.empty() || std::find(chosen.begin(), chosen.end(), id) != chosen.end()) {
      say_status(cluster_->processes()[id]);
    }
  }
}

void Stage::log(Words& words) {
  const auto& process_ = cluster_->processes()[process(words.take())];
  Requests all;
  auto range = process_.store->read_finalised({1}, 1 << 20);
  if (!range.ok()) wrong(range.error().what);
  for (const auto& batch : range->batches) all.insert(all.end(), batch->requests->begin(), batch->requests->end());
  trace_.say(process_.name + " has on its disk as final:" + names_.requests(all));
}

void Stage::evidence(Words& words) {
  const auto& process_ = cluster_->processes()[process(words.take())];
  auto stored = process_.store->read_evidence();
  if (!stored.ok()) wrong(stored.error().what);
  for (const auto& one : *stored) {
    auto guilty = cluster_->verifier().check_evidence(*one);
    trace_.say(process_.name + " has stored against " + (guilty.ok() ? node_name(*guilty) : "nobody") + ": " +
               names_.evidence(*one));
  }
  if (stored->empty()) trace_.say(process_.name + " has stored none");
}

void Stage::as(Words& words) {
  auto from = process(words.take());
  NodeId member = cluster_->processes()[from].member;
  watch_->distrust(member);
  auto what = words.take();
  auto view = [&] { return View{words.number("v")}; };
  auto phase = [&](const std::string& lock, const std::string& final) {
    if (words.take_if(lock)) return Phase::lock;
    words.expect(final);
    return Phase::final;
  };
  auto send = [&](const Message& message) { cluster_->inject(from, message, recipients(words, from)); };
  if (what == "propose") {
    auto in = view();
    words.expect("after");
    auto parent = names_.find_point(words.take());
    auto batch = requests(words);
    auto shown = words.take_if("showing") ? requests(words) : batch;
    send(forger_.proposal(member, in, parent, batch, shown));
  } else if (what == "vote") {
    auto kind = phase("LOCK", "FINAL");
    auto in = view();
    send(forger_.vote(member, kind, in, names_.find_point(words.take())));
  } else if (what == "certify") {
    auto kind = phase("LC", "FC");
    auto in = view();
    send(forger_.certificate(member, kind, in, names_.find_point(words.take())));
  } else if (what == "report-nothing") {
    send(forger_.empty_report(member, view()));
  } else if (what == "new-view") {
    auto in = view();
    words.expect("of");
    std::vector<NodeId> of;
    for (auto id : processes(words)) of.push_back(cluster_->processes()[id].member);
    bool without_base = words.take_if("without-base");
    send(forger_.new_view(member, in, of, without_base));
  } else if (what == "challenge") {
    auto in = view();
    send(forger_.challenge(member, in, reason(words.take())));
  } else if (what == "replay") {
    auto kind = words.take();
    words.expect("of");
    send(forger_.replay(cluster_->processes()[process(words.take())].member, kind));
  } else {
    wrong("a faulty node cannot " + what);
  }
}

}  // namespace zell::scenarios
