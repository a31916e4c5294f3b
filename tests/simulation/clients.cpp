#include "tests/simulation/clients.h"

#include "node/wire/request_codec.h"
#include "tests/simulation/world_impl.h"

namespace zell::simulation {

using std::chrono::milliseconds;

void World::schedule_requests() {
  for (std::size_t i = 0; i < plan_.requests; ++i) {
    add_request(i % user_count, between(client_random_, milliseconds(1), plan_.chaos));
  }
  if (plan_.watch_patience) {
    auto settled = plan_.chaos + 3 * milliseconds(genesis_.parameters.view_timeout_cap_ms);
    for (std::size_t i = 0; i < 10; ++i) {
      add_request(i % user_count, between(client_random_, settled, settled + milliseconds(4'000)));
    }
  }
  planned_ = requests_.size();
  if (plan_.steady) at(plan_.chaos, [this] { keep_asking(); });
}

void World::add_request(std::size_t user, Duration delay) {
  auto i = requests_.size();
  Bytes payload{static_cast<std::uint8_t>(i)};
  requests_.push_back(
      sign_request(verifier_.domain(), scheme(), user_key(plan_.seed, user), "default", 1 + i, std::span(&payload, 1)));
  checks_.submitted(requests_.back());
  last_submission_ = std::max(last_submission_, now() + delay);
  at(delay, [this, i] { submit(i); });
}

/// A leader that leaves one user's requests out looks busy as long as others go on.
void World::keep_asking() {
  if (first_unfinal_ >= planned_) return;
  auto user = client_random_.below(user_count - 1);
  add_request(user < censored_user ? user : user + 1, Duration{0});
  at(between(client_random_, milliseconds(10), milliseconds(60)), [this] { keep_asking(); });
}

void World::submit(std::size_t which) {
  const auto& request = requests_[which];
  if (checks_.is_final(request->id)) return;
  auto& host = hosts_[client_random_.below(plan_.nodes)];
  answer_.reset();
  if (honest(host.id) && host.replica && !host.paused) step(host, Submit{{request}});
  // What is initialised lives in memory: a client submits again until it is final. But once nothing crashes any more,
  // it is enough that one correct node took it in.
  if (healed_ && answer_ && *answer_ != RequestState::refused)
    return happened("requests left to the node that took them in");
  at(milliseconds(700), [this, which] { submit(which); });
}

}  // namespace zell::simulation
