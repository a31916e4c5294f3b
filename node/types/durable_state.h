#pragma once
// What a node must never forget: the state behind its votes. One value, stored whole.

#include <optional>

#include "node/types/vote.h"

namespace zell {

/// A member votes. A learner lost its vote state: it follows, and signs nothing but Hello. A rejoined node votes again,
/// but reports no lock before it holds a certificate of view >= rejoin_view.
enum class Standing : std::uint8_t { member = 1, learner = 2, rejoined = 3 };

struct DurableState {
  Epoch epoch;
  Standing standing = Standing::member;
  View view;
  bool active = true;                     ///< the base of `view` is known
  LogPoint base;                          ///< of `view`; meaningful when active
  View rejoin_view;                       ///< meaningful when standing == rejoined
  std::optional<LogPoint> last_lock;      ///< highest LOCK signed in `view`
  std::optional<LogPoint> last_final;     ///< highest FINAL signed in `view`
  std::optional<Certificate> highest_lc;  ///< the highest LC (or FC) ever held in this epoch, its bodies stored here
  LogPoint tip;  ///< end of this node's log: its batches are stored, and lead back to the finalised prefix

  friend bool operator==(const DurableState&, const DurableState&) = default;
};

}  // namespace zell
