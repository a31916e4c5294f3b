#pragma once
// Keeps a start short: now and then stores what the log amounts to, so that what is below need not be read again.

#include "node/consensus/replica.h"
#include "node/runtime/proof_index.h"
#include "node/runtime/store_reads.h"

namespace zell {

/// A start reads some 200,000 requests a second.
inline constexpr std::uint64_t requests_between_replay_points = 100'000;
/// Copying more would keep the loop busy for a tenth of a second, and storing it the disk: then a start reads the log
/// from the last point that was small enough.
inline constexpr std::size_t max_replay_point_senders = 200'000;
inline constexpr std::size_t max_replay_point_bytes = 64 << 20;

/// Loop thread only. What it is given outlives it.
class ReplayPoints {
 public:
  /// `last`: up to where the stored one reaches; `every`: requests between two, at least.
  ReplayPoints(const Replica& replica, const ProofIndex& tree, StoreReads::Post post, std::uint64_t every, Index last)
      : replica_(replica), tree_(tree), post_(std::move(post)), every_(every), last_(last) {}

  /// The log is final, and its certificate stored, up to here.
  void on_stored_final(Index index);

 private:
  struct Made {
    Index index;
    std::vector<Hash> blocks;
    NonceWindows nonces;
  };
  [[nodiscard]] bool is_due(Index index) const;

  const Replica& replica_;
  const ProofIndex& tree_;
  StoreReads::Post post_;
  std::uint64_t every_;
  Index last_;
  std::shared_ptr<Made> made_;  ///< stored as soon as a certificate that reaches it is; then the storage thread's
  bool storing_ = false;
};

}  // namespace zell
