#pragma once
// Which nodes are meant: n2, leader, followers, followers:2, random:1, f, f+1, all, and lists of these.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/prng.h"
#include "node/base/result.h"

namespace zell {

/// One node as a selector sees it, in genesis order.
struct Candidate {
  std::string name;
  bool eligible =
      true;  ///< the action could do something to it: a kill, to one that runs; a start, to one that does not
  bool leader = false;
};

/// The positions of the nodes meant by `text`, in genesis order, each once. An explicit name and `all` mean every node;
/// the others choose among the eligible ones: `followers`, `f` and `f+1` in genesis order, the leader last.
/// `faults` is the f of the cluster. Codes: "bad-selector" (not understood; the hint is the nearest one),
/// "nothing-selected" (understood, but there is no such node now: no leader, fewer followers than asked for).
[[nodiscard]] Result<std::vector<std::size_t>> resolve_selector(std::string_view text,
                                                                const std::vector<Candidate>& nodes, std::size_t faults,
                                                                Prng& random);

}  // namespace zell
