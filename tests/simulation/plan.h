#pragma once
// How hostile a run is: everything that is drawn before it starts.

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/types/ids.h"

namespace zell::simulation {

/// What a lying node may do. Each liar does any number of them, now and then.
enum class Behaviour : std::uint8_t {
  equivocate,        ///< as leader shows some nodes another log, or another NewView
  bad_bodies,        ///< as leader sends bodies that are not those of the root that it signs
  invalid_proposal,  ///< as leader proposes requests that nobody may accept
  oversize,          ///< as leader proposes more than a batch may hold; forwards more than a Forward may
  mute,              ///< as leader says nothing
  slow,              ///< as leader speaks just before the others lose patience
  starve,            ///< as leader says nothing to as many nodes as may be faulty
  unfed,             ///< as leader sends those nothing but heartbeats
  ignore,            ///< as leader hears neither requests nor questions of those
  show_one,          ///< as leader shows a certificate to one node, then falls silent
  censor,            ///< leaves out one user's requests
  lie_height,        ///< as leader claims a log that it does not have
  double_lock,       ///< LOCKs two roots at once
  double_final,      ///< FINALs two roots at once
  early_final,       ///< FINAL on a proposal without its LC
  hide_lock,         ///< reports no lock though it holds one
  bad_new_view,      ///< NewViews with too little stake, doubled signers, a lower base
  false_challenge,   ///< challenges every leader
  hoard_challenges,  ///< keeps what others said against a leader, and brings it up later
  forge,             ///< certificates with wrong, borrowed, doubled or too few signatures
  foreign,           ///< what was signed, by all, in another cluster
  malleate,          ///< a high s, a flipped v
  replay,            ///< says again what was said long ago, to anyone
  flood,             ///< says everything many times
  far_future,        ///< speaks of views and indexes far ahead
  bad_chunks,        ///< garbage and endless catch-up, and logs cut in other places
  withhold,          ///< answers no Fetch
  mutate,            ///< changes any one field of any message, and signs it again where it can
  twins,             ///< runs twice with one key
};
inline constexpr std::size_t behaviour_count = 29;
using Behaviours = std::bitset<behaviour_count>;
[[nodiscard]] std::string_view to_string(Behaviour behaviour);

struct LiarPlan {
  NodeId node;
  Behaviours behaviours;
};

struct Plan {
  std::uint64_t seed = 0;
  std::size_t nodes = 4;
  std::vector<std::uint64_t> stakes;
  // ---- the network
  Duration delay_min{200}, delay_max{2'000};  ///< of a message
  bool ordered = false;                       ///< a link delivers in the order of sending
  std::uint32_t loss = 0, duplicate = 0;      ///< per million messages
  std::uint32_t spike = 0;                    ///< per million messages: 50 times the delay
  Duration partition_every{0};                ///< mean gaps, here and below; 0: never
  Duration one_way_every{0};                  ///< some directed links lose everything, and nobody is told
  Duration clog_every{0};                     ///< links stop, and go on one by one in any order
  Duration reset_every{0};                    ///< a connection is cut with what is in flight
  // ---- the machines
  Duration disk_min{100}, disk_max{1'000};  ///< of a commit
  Duration slow_disk_every{0};              ///< one node's disk is 30 times slower for a while
  Duration disk_error_every{0};             ///< a commit fails; the node is restarted later
  Duration crash_every{0};
  Duration cut_short_every{0};  ///< a crash between any two effects of a step
  Duration pause_every{0};
  Duration clock_jump_every{0};
  bool real_disks = false;      ///< stores are SQLite, on disks that tear and reorder what they had not synced
  Duration power_cut_every{0};  ///< in the middle of a write; with real disks only
  std::uint32_t drift = 0;      ///< each node's clock runs at most this much wrong, in millionths
  // ---- nodes that forget: they count among the faulty until they have noticed and rejoined
  std::optional<NodeId> wiped;     ///< loses its disk once
  std::optional<NodeId> restored;  ///< is restarted once from an old copy of its disk
  std::optional<NodeId> rotted;    ///< bits of its disk flip once; with real disks only
  // ---- nodes that lie
  std::vector<LiarPlan> liars;
  bool collude = false;  ///< they know each other's keys, and lie by one plan
  // ---- work and time
  Duration manual_every{0};  ///< operators challenge the leader
  std::size_t requests = 20;
  Duration chaos{2'500'000};         ///< then everything heals; the liars go on
  Duration heal_limit{120'000'000};  ///< by then all requests are final and all logs agree
  bool calm = false;                 ///< nothing but cut connections is ever wrong: no view may change
  bool steady = false;               ///< other users go on after healing until what was asked before is final
  bool watch_patience = false;       ///< goes on long after healing: no honest leader may be challenged
  bool real_signatures = false;      ///< and every message is encoded and decoded
  bool verify_honest = true;         ///< what honest nodes send is checked too, not only what liars send
  // ---- how it is watched; not part of the run
  bool check_signatures = true;  ///< look at each signature that leaves a node; off: only at what comes of it

  /// Each run draws its own mix of faults and lies: one mix misses bugs.
  [[nodiscard]] static Plan from(std::uint64_t seed);
  /// Whether messages and disks alone never make an honest leader look slow.
  [[nodiscard]] bool is_timely() const;
  /// Whether the liars and forgetful nodes together stay under a third of the stake.
  [[nodiscard]] bool is_tolerable() const;
  [[nodiscard]] bool honest(NodeId node) const;  ///< runs the real core unaltered
  [[nodiscard]] bool is_forgetful(NodeId node) const { return wiped == node || restored == node || rotted == node; }
  /// Honest, and remembers what it signed.
  [[nodiscard]] bool accountable(NodeId node) const { return honest(node) && restored != node && rotted != node; }
  [[nodiscard]] Behaviours behaviours_of(NodeId node) const;
};

}  // namespace zell::simulation
