#pragma once
// Scenarios in the style of Twins (Bano et al.): some members run twice with one key, so that they equivocate, vote
// twice and forget, and all that in honest code; in each view the processes are divided in some way.

#include <optional>
#include <string>
#include <vector>

#include "tests/scenarios/cluster.h"

namespace zell::scenarios {

/// What is lost of the last batches of a view, so that views end with locks that only some hold.
enum class Cut : std::uint8_t { finals, lock_certificates, finality_certificates };

struct TwinsScenario {
  std::size_t members = 4;
  std::vector<NodeId> twins;
  struct Term {
    std::vector<int> side;          ///< of each process; only those of one side reach each other
    bool whole_batch_first = true;  ///< a batch that nothing is lost of, before those that are cut off
    Cut cut{};
  };
  std::vector<Term> terms;  ///< one a view
  std::uint64_t seed = 0;
  std::uint32_t loss = 0;  ///< per million messages, while divided

  [[nodiscard]] std::string text() const;
};

/// How many there are of 4 members with one twin (each in turn), every division in two in each of 3 views, each way to
/// cut the views off, and with and without a whole batch before that.
[[nodiscard]] std::uint64_t enumerated_count();
/// REQUIRES: which < enumerated_count().
[[nodiscard]] TwinsScenario enumerated(std::uint64_t which);
/// 4 members with one twin, or 7 with two; 3 to 6 views, divisions in two or three, messages lost.
[[nodiscard]] TwinsScenario drawn(std::uint64_t seed);

struct TwinsOutcome {
  std::string violation;  ///< empty if none
  bool two_locks_at_one_index = false, crossed_with_a_lock = false, lock_outranked_base = false, evidence = false;
  std::vector<bool> finalised_in;  ///< each view of the scenario
  std::uint64_t views = 0, messages = 0, final_requests = 0;
};

/// Rules are checked after every step; once all are connected, what honest members took in becomes final everywhere.
[[nodiscard]] TwinsOutcome play(const TwinsScenario& scenario, Observer* also = nullptr,
                                const std::function<void(const Cluster&)>& on_cluster = {});

}  // namespace zell::scenarios
