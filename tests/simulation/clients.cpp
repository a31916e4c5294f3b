#include "tests/simulation/clients.h"

#include "node/wire/request_codec.h"
#include "tests/simulation/world_impl.h"

namespace zell::simulation {

using std::chrono::milliseconds;

void World::schedule_requests() {
  auto add = [this](Duration low, Duration high) {
    auto i = requests_.size();
    Bytes payload{static_cast<std::uint8_t>(i)};
    requests_.push_back(sign_request(verifier_.domain(), scheme(), user_key(plan_.seed, i % user_count), "default",
                                     1 + i, std::span(&payload, 1)));
    checks_.submitted(requests_.back());
    auto delay = between(client_random_, low, high);
    last_submission_ = std::max(last_submission_, now() + delay);
    at(delay, [this, i] { submit(i); });
  };
  for (std::size_t i = 0; i < plan_.requests; ++i) add(milliseconds(1), plan_.chaos);
  if (!plan_.watch_patience) return;
  auto settled = plan_.chaos + 3 * milliseconds(genesis_.parameters.view_timeout_cap_ms);
  for (std::size_t i = 0; i < 10; ++i) add(settled, settled + milliseconds(4'000));
}

void World::submit(std::size_t which) {
  const auto& request = requests_[which];
  if (checks_.is_final(request->id)) return;
  auto& host = hosts_[client_random_.below(plan_.nodes)];
  answer_.reset();
  if (honest(host.id) && host.replica && !host.paused) step(host, Submit{request});
  // What is initialised lives in memory: a client submits again until it is final. But once nothing crashes any more,
  // it is enough that one correct node took it in.
  if (healed_ && answer_ && *answer_ != RequestState::refused)
    return happened("requests left to the node that took them in");
  at(milliseconds(700), [this, which] { submit(which); });
}

}  // namespace zell::simulation
