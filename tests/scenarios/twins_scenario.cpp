#include "tests/scenarios/twins_scenario.h"

#include <algorithm>

#include "node/base/prng.h"
#include "tests/scenarios/names.h"
#include "tests/scenarios/watch.h"

namespace zell::scenarios {
namespace {

using simulation::Violation;
using std::chrono::milliseconds;

constexpr std::uint64_t divisions = 16;  // of 5 processes in two: the first is on side 0
constexpr std::uint64_t cuts = 3;
constexpr std::size_t enumerated_views = 3;

std::string_view to_string(Cut cut) {
  switch (cut) {
    case Cut::finals:
      return "FINALs";
    case Cut::lock_certificates:
      return "LCs";
    case Cut::finality_certificates:
      return "FCs";
  }
  return "?";
}

bool is_cut(Cut cut, const Message& message) {
  if (const auto* vote = std::get_if<Vote>(&message)) return cut == Cut::finals && vote->phase == Phase::final;
  const auto* news = std::get_if<CertificateMessage>(&message);
  if (!news) return false;
  return cut == (news->certificate.phase == Phase::lock ? Cut::lock_certificates : Cut::finality_certificates);
}

bool is_challenge(const Message& message) {
  return std::holds_alternative<Challenge>(message) || std::holds_alternative<ChallengeCertificate>(message);
}

class Player : public Observer {
 public:
  explicit Player(const TwinsScenario& scenario)
      : scenario_(scenario),
        cluster_(options(scenario)),
        watch_(cluster_.genesis(), {scenario.twins.begin(), scenario.twins.end()}),
        random_(scenario.seed) {
    cluster_.observe(watch_);
    cluster_.observe(*this);
  }
  void sent(const Process&, const Message&, bool, const std::vector<ProcessId>& to) override {
    outcome_.messages += to.size();
  }
  Cluster& cluster() { return cluster_; }
  TwinsOutcome play();

 private:
  static ClusterOptions options(const TwinsScenario& scenario) {
    ClusterOptions out;
    out.stakes.assign(scenario.members, 1);
    out.twins = scenario.twins;
    out.parameters.batches_in_flight = 4;
    out.parameters.batch_max_requests = 8;
    return out;
  }
  void play_term(std::size_t which);
  void submit_on_each_side(const TwinsScenario::Term& term, std::size_t count);
  void submit(ProcessId to);
  void change_view();
  void wake_twins();
  void join_all();
  void report_state(const std::string& what) const;
  [[nodiscard]] bool settled() const;

  const TwinsScenario& scenario_;
  Cluster cluster_;
  Watch watch_;
  Prng random_;
  TwinsOutcome outcome_;
  std::vector<RequestPtr> owed_;  // taken in by honest members
  std::uint64_t next_nonce_ = 1;
};

void Player::submit(ProcessId to) {
  auto request = cluster_.request("user", next_nonce_++, "");
  watch_.submitted(request);
  if (watch_.honest(cluster_.processes()[to].member)) owed_.push_back(request);
  cluster_.submit(to, request);
}

/// On each side to the leader's process, or to the first one if the leader is not there.
void Player::submit_on_each_side(const TwinsScenario::Term& term, std::size_t count) {
  const auto& all = cluster_.processes();
  for (int side = 0; side <= *std::max_element(term.side.begin(), term.side.end()); ++side) {
    std::optional<ProcessId> to;
    for (ProcessId id = 0; id < all.size(); ++id) {
      if (term.side[id] != side) continue;
      if (!to || all[id].replica->status().leader == all[id].member) to = id;
    }
    for (std::size_t i = 0; to && i < count; ++i) submit(*to);
  }
}

/// Learners, once they have met what their twin signed: but a faulty member does not care.
void Player::wake_twins() {
  for (ProcessId id = 0; id < cluster_.processes().size(); ++id) {
    const auto& process = cluster_.processes()[id];
    if (watch_.honest(process.member)) continue;
    if (process.replica->status().standing == Standing::learner) cluster_.ignore_forgetting(id);
  }
}

void Player::play_term(std::size_t which) {
  const auto& term = scenario_.terms[which];
  auto lost = [this](const Packet&) { return random_.chance(scenario_.loss); };
  cluster_.lose(lost);
  cluster_.rewire([&term](ProcessId a, ProcessId b) { return term.side[a] == term.side[b]; });
  wake_twins();
  cluster_.run(milliseconds(60));  // long enough to fetch what is missing
  if (term.whole_batch_first) {
    submit_on_each_side(term, 1);
    cluster_.run(milliseconds(5));
  }
  // The last batches are cut off on their way. Earlier views leave longer logs, so that length and view disagree.
  cluster_.lose([lost, cut = term.cut](const Packet& packet) { return is_cut(cut, *packet.message) || lost(packet); });
  submit_on_each_side(term, 2 * (scenario_.terms.size() - which) - 1);
  cluster_.run(milliseconds(5));
}

/// Everyone who may challenges its leader; only challenges get through, to everyone. Then all connections are made
/// anew.
void Player::change_view() {
  cluster_.lose([](const Packet& packet) { return !is_challenge(*packet.message); });
  cluster_.rewire([](ProcessId, ProcessId) { return true; });
  for (ProcessId id = 0; id < cluster_.processes().size(); ++id) cluster_.challenge(id);
  cluster_.settle();
  cluster_.rewire([](ProcessId, ProcessId) { return false; });
}

bool Player::settled() const {
  for (const auto& request : owed_) {
    if (!watch_.is_final(request->id)) return false;
  }
  for (const auto& process : cluster_.processes()) {
    if (watch_.honest(process.member) && watch_.final_of(process.member) != watch_.highest_final()) return false;
  }
  return true;
}

void Player::join_all() {
  constexpr auto step = milliseconds(250);
  constexpr auto limit = std::chrono::seconds(300);
  cluster_.lose(nullptr);
  cluster_.rewire([](ProcessId, ProcessId) { return true; });
  wake_twins();
  for (ProcessId id = 0; id < cluster_.processes().size(); ++id) {
    if (watch_.honest(cluster_.processes()[id].member)) submit(id);
  }
  for (Duration waited{0}; !settled(); waited += step) {
    if (waited > limit) report_state("no progress though all are connected");
    cluster_.run(step);
  }
  watch_.check_all_finality_certificates();
}

void Player::report_state(const std::string& what) const {
  std::string where;
  for (const auto& process : cluster_.processes()) {
    auto status = process.replica->status();
    where += "; " + process.name + " " + view_name(status.view) + (status.active ? "" : " (moving)") + " final " +
             std::to_string(status.finalised.index.value) + "/" + std::to_string(status.sequenced.index.value);
  }
  throw Violation(what + where);
}

TwinsOutcome Player::play() {
  try {
    cluster_.begin();
    for (std::size_t term = 0; term < scenario_.terms.size(); ++term) {
      play_term(term);
      if (term + 1 < scenario_.terms.size()) change_view();
    }
    outcome_.crossed_with_a_lock = watch_.crossed_with_a_lock();
    for (std::size_t view = 0; view < scenario_.terms.size(); ++view) {
      outcome_.finalised_in.push_back(watch_.finalised_in({view}));
    }
    join_all();
  } catch (const std::exception& error) {
    outcome_.violation = error.what();
  }
  for (const auto& process : cluster_.processes()) {
    outcome_.views = std::max(outcome_.views, process.durable_state.view.value);
  }
  outcome_.two_locks_at_one_index = watch_.two_locks_at_one_index();
  outcome_.lock_outranked_base = watch_.some_lock_outranked_base();
  outcome_.evidence = watch_.found_evidence();
  outcome_.final_requests = watch_.highest_final().value;
  return outcome_;
}

}  // namespace

std::string TwinsScenario::text() const {
  std::string out = std::to_string(members) + " members, twins:";
  for (auto twin : twins) out += " " + node_name(twin);
  for (std::size_t view = 0; view < terms.size(); ++view) {
    out += "; " + view_name({view}) + " ";
    for (auto side : terms[view].side) out += std::to_string(side);
    out += (terms[view].whole_batch_first ? " a whole batch, then" : "") + std::string(" without ") +
           std::string(to_string(terms[view].cut));
  }
  return out + (loss > 0 ? "; loses " + std::to_string(loss / 10'000) + " %" : "");
}

std::uint64_t enumerated_count() {
  return 4 * cuts * 2 * divisions * divisions * divisions;
}

TwinsScenario enumerated(std::uint64_t which) {
  TwinsScenario out;
  auto take = [&which](std::uint64_t choices) {
    auto choice = which % choices;
    which /= choices;
    return choice;
  };
  for (std::size_t view = 0; view < enumerated_views; ++view) {
    auto division = take(divisions);
    TwinsScenario::Term term;
    term.side.push_back(0);
    for (int process = 0; process < 4; ++process) term.side.push_back(static_cast<int>(division >> process & 1));
    out.terms.push_back(std::move(term));
  }
  auto first_cut = take(cuts);
  bool whole_batch_first = take(2) == 0;
  for (std::size_t view = 0; view < enumerated_views; ++view) {
    out.terms[view].whole_batch_first = whole_batch_first;
    out.terms[view].cut = static_cast<Cut>((first_cut + view) % cuts);
  }
  out.twins.push_back({static_cast<std::uint16_t>(take(4))});
  return out;
}

TwinsScenario drawn(std::uint64_t seed) {
  Prng random(seed);
  TwinsScenario out;
  out.seed = seed;
  out.members = random.chance(700'000) ? 7 : 4;
  std::size_t twins = out.members == 7 ? 2 : 1;
  while (out.twins.size() < twins) {
    NodeId twin{static_cast<std::uint16_t>(random.below(out.members))};
    if (std::find(out.twins.begin(), out.twins.end(), twin) == out.twins.end()) out.twins.push_back(twin);
  }
  out.loss = random.chance(500'000) ? 0 : static_cast<std::uint32_t>(10'000 * random.below(25));
  out.terms.resize(3 + random.below(4));
  for (auto& term : out.terms) {
    term.cut = static_cast<Cut>(random.below(cuts));
    term.whole_batch_first = random.chance(500'000);
    auto sides = 2 + random.below(2);
    for (std::size_t process = 0; process < out.members + twins; ++process) {
      // One side is the larger, or no side would ever hold a quorum.
      bool large = random.chance(600'000);
      term.side.push_back(large ? 0 : static_cast<int>(random.below(sides)));
    }
  }
  return out;
}

TwinsOutcome play(const TwinsScenario& scenario, Observer* also,
                  const std::function<void(const Cluster&)>& on_cluster) {
  Player player(scenario);
  if (on_cluster) on_cluster(player.cluster());
  if (also) player.cluster().observe(*also);
  return player.play();
}

}  // namespace zell::scenarios
