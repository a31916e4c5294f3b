#include "node/runtime/replay_points.h"

#include <algorithm>

namespace zell {

namespace {

/// It holds all senders and blocks anew each time: it is written so seldom that the disk has many times as much to do
/// with the log itself.
constexpr std::size_t bytes_for_a_request = 32;

}  // namespace

bool ReplayPoints::is_due(Index index) const {
  const auto& nonces = replica_.nonces();
  const auto bytes = tree_.size() / ReplayPoint::block_leaves * Hash::size + nonces.senders() * (PublicKey::size + 2) +
                     nonces.count() * 8;
  if (nonces.senders() > max_replay_point_senders || bytes > max_replay_point_bytes) return false;
  return index.value >= last_.value + std::max<std::uint64_t>(every_, bytes / bytes_for_a_request);
}

void ReplayPoints::on_stored_final(Index index) {
  if (storing_) return;
  const auto final = replica_.status().finalised.index;
  if (!made_ && is_due(index) && tree_.size() >= final.value) {
    made_ = std::make_shared<Made>(
        Made{final, tree_.blocks(final.value / ReplayPoint::block_leaves), replica_.finalised_nonces()});
  }
  if (!made_ || index < made_->index) return;
  // If it fails the store takes nothing more, and the next commit says so.
  auto work = [made = made_](Store& store) {
    const ReplayPoint point{made->index, std::move(made->blocks), std::move(made->nonces).all()};
    (void)store.keep_replay_point(point);
  };
  auto done = [this] {
    storing_ = false;
    last_ = made_->index;
    made_.reset();
  };
  storing_ = post_(std::move(work), std::move(done)).ok();  // else too many reads wait: at the next one
}

}  // namespace zell
