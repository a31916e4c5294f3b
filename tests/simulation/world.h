#pragma once
// One simulated run: real cores, a simulated network, clock and disk, clients, and at most one faulty node. Everything
// comes from one seed; the same seed gives the same trace, bit for bit.

#include <functional>
#include <memory>
#include <queue>
#include <string>

#include "node/base/prng.h"
#include "node/consensus/replica.h"
#include "node/storage/store.h"
#include "tests/simulation/checks.h"

namespace zell::simulation {

enum class Fault : std::uint8_t { none, equivocate, hide_lock, censor, invalid_proposal, mute, double_vote };
inline constexpr std::size_t fault_count = 7;
[[nodiscard]] std::string_view to_string(Fault fault);

/// How hostile the world is; drawn from the seed by Plan::from.
struct Plan {
  std::uint64_t seed = 0;
  std::size_t nodes = 4;
  std::vector<std::uint64_t> stakes;
  std::uint32_t loss = 0, duplicate = 0;      ///< per million messages
  Duration delay_min{200}, delay_max{2'000};  ///< of a message
  std::uint32_t spike = 0;                    ///< per million messages: 50 times the delay
  Duration disk_min{100}, disk_max{1'000};    ///< of a commit
  Duration crash_every{0}, partition_every{0}, pause_every{0}, manual_every{0};  ///< mean gaps; 0: never
  bool wipe = false;                                                             ///< one crash also wipes the disk
  Fault fault = Fault::none;
  NodeId faulty{};
  std::size_t requests = 60;
  Duration chaos{6'000'000};         ///< then everything heals
  Duration heal_limit{120'000'000};  ///< by then all requests are final and all logs agree
  bool real_signatures = false;
  bool say_messages = false;  ///< also log each message that arrives

  [[nodiscard]] static Plan from(std::uint64_t seed);
  [[nodiscard]] std::string text() const;
};

struct Outcome {
  Hash trace;  ///< of every input of every node, in order
  std::uint64_t steps = 0, messages = 0;
  std::uint64_t view_changes = 0;  ///< highest view reached
  bool crossed_with_lock = false;  ///< a NewView's base was a lock that was not yet final anywhere
  bool lock_overridden = false;    ///< a node held a higher lock than the base that it followed
  std::uint64_t crashes = 0, lost_commits = 0, evidence = 0, relayed = 0, rejoined = 0;
  std::string violation;  ///< empty if none
};

/// Runs one plan. `log` (may be empty) gets a line for each noteworthy step.
[[nodiscard]] Outcome run(const Plan& plan, const std::function<void(const std::string&)>& log = {});

}  // namespace zell::simulation
