#pragma once
// How hostile a run is: everything that is drawn before it starts.

#include <string>
#include <string_view>
#include <vector>

#include "node/types/ids.h"

namespace zell::simulation {

enum class Fault : std::uint8_t {
  none,
  equivocate,        ///< as leader shows some nodes another log, or another NewView
  hide_lock,         ///< reports no lock though it holds one
  censor,            ///< as leader leaves out one user's requests
  invalid_proposal,  ///< as leader proposes requests that nobody may accept
  mute,              ///< as leader says nothing
  double_vote,       ///< votes for two roots at once
  slow,              ///< as leader speaks just before the others lose patience
};
inline constexpr std::size_t fault_count = 8;
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
  bool calm = false;                 ///< nothing is ever wrong: no view may change
  bool watch_patience = false;       ///< goes on long after healing: no honest leader may be challenged
  bool real_signatures = false;
  bool check_signatures = true;  ///< look at each signature that leaves a node; off: only at what comes of it
  bool say_messages = false;     ///< also log each message that arrives

  [[nodiscard]] static Plan from(std::uint64_t seed);
  [[nodiscard]] std::string text() const;
  /// Whether messages and disks alone never make an honest leader look slow.
  [[nodiscard]] bool is_timely() const;
};

}  // namespace zell::simulation
