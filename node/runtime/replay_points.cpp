#include "node/runtime/replay_points.h"

#include <algorithm>

namespace zell {

namespace {

/// It holds all senders and blocks anew each time: it is written so seldom that the disk has many times as much to do
/// with the log itself.
constexpr std::size_t bytes_for_a_request = 32;

std::size_t bytes_of(const ReplayPoint& point) {
  std::size_t out = point.blocks.size() * Hash::size;
  for (const auto& one : point.senders) out += PublicKey::size + 2 + 8 * one.nonces.size();
  return out;
}

}  // namespace

ReplayPoint ReplayPoints::make(Index index) const {
  return {index, tree_.blocks(index.value / ReplayPoint::block_leaves), replica_.finalised_nonces().all()};
}

void ReplayPoints::on_stored_final(Index index) {
  if (storing_) return;
  const auto final = replica_.status().finalised.index;
  if (!made_ && index.value >= last_.value + every_ && tree_.size() >= final.value) {
    made_ = std::make_shared<const ReplayPoint>(make(final));
  }
  if (!made_ || index < made_->index) return;
  // If it fails the store takes nothing more, and the next commit says so.
  auto work = [point = made_](Store& store) { (void)store.keep_replay_point(*point); };
  auto done = [this] {
    storing_ = false;
    last_ = made_->index;
    every_ = std::max<std::uint64_t>(every_, bytes_of(*made_) / bytes_for_a_request);
    made_.reset();
  };
  storing_ = post_(std::move(work), std::move(done)).ok();  // else too many reads wait: at the next one
}

}  // namespace zell
