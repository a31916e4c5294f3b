#pragma once
// The store's interface. One caller thread at a time (the storage thread); nothing here is thread-safe.

#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "node/base/result.h"
#include "node/wire/codec.h"
#include "node/wire/delta.h"

namespace zell {

/// One finalised batch's requests while the store is opened: (batch). Called in log order.
using ReplayVisitor = std::function<void(const Batch&)>;
/// From where the visitor is called: the batches that hold what follows the point's whole blocks, so the first may
/// begin below. Called again, and all visits before are void, if what is stored does not fit the point.
using ReplayStart = std::function<void(const ReplayPoint&)>;

struct LogRange {
  std::vector<BatchPtr> batches;  ///< contiguous, the first contains or follows `from`
  std::optional<Certificate> fc;  ///< the lowest stored FC at or above the last batch's end
};

/// What a store has had its disk do.
struct StoreIo {
  std::uint64_t bytes_written = 0;  ///< handed to the operating system: log, database and upkeep
  std::uint64_t syncs = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  /// Reads and checks once, before the first commit: everything, or, if `start` is given, what follows the replay point
  /// (FORMAT.md, "What is checked when a node starts"). Codes: "corrupt", "io".
  [[nodiscard]] virtual Result<Recovered> recover(const ReplayVisitor& visitor, const ReplayStart& start) = 0;
  [[nodiscard]] Result<Recovered> recover(const ReplayVisitor& visitor) { return recover(visitor, nullptr); }

  /// Applies all deltas, in order, in one durable transaction: on return they are on disk, or none is.
  /// After an error the store refuses all further commits (code "io" or "disk-full"): what failed may or may not be
  /// there.
  [[nodiscard]] virtual Status commit(std::span<const Delta> deltas) = 0;
  /// Replaces the stored one, durably. False: not yet, since no stored certificate reaches it. After an error the store
  /// refuses all further commits.
  [[nodiscard]] virtual Result<bool> keep_replay_point(const ReplayPoint& point) = 0;
  /// Upkeep that commits put off (a checkpoint), if there is enough of it: call it after commits were reported. After
  /// an error the store refuses all further commits.
  [[nodiscard]] virtual Status maintain() = 0;

  /// Finalised batches from the one that contains `from` (>= 1), at most `max_bytes` of them but at least one.
  [[nodiscard]] virtual Result<LogRange> read_finalised(Index from, std::size_t max_bytes) = 0;
  /// Finalised batches after `from`, ending exactly at a stored FC: the last FC within `max_bytes`, or the first one.
  /// Empty if nothing after `from` is final here.
  [[nodiscard]] virtual Result<LogRange> read_certified(Index from, std::size_t max_bytes) = 0;
  /// The finalised index of a request id; nullopt if there is none.
  [[nodiscard]] virtual Result<std::optional<Index>> find_request(const RequestId& id) = 0;
  /// The leaf hashes of finalised requests first..last (both included), for proofs.
  [[nodiscard]] virtual Result<std::vector<Hash>> read_leaves(Index first, Index last) = 0;
  [[nodiscard]] virtual Result<std::vector<EvidencePtr>> read_evidence() = 0;
  /// Since it was opened; zeros without a disk.
  [[nodiscard]] virtual StoreIo io() const = 0;
};

/// Less is written twice in the time that a second sync takes.
inline constexpr std::size_t default_large_batch_bytes = 64u << 10;

/// How a store works on its disk; the default is what a node uses, anything else is for tests.
struct StoreOptions {
  std::string vfs;               ///< a registered SQLite VFS; empty: the system's
  bool synchronous_full = true;  ///< false loses commits when power fails
  /// Of a batch of so many bytes the requests go into node.bodies.
  std::size_t large_batch_bytes = default_large_batch_bytes;
};

/// Makes the folder and the vote state of a new member: once, together with the cluster. Code "exists" if one is there.
[[nodiscard]] Status create_store(const std::filesystem::path& folder, const Genesis& genesis, NodeId self,
                                  const StoreOptions& options = {});
/// Opens FOLDER/node.db and holds its lock file until destroyed. A folder without vote state (wiped) is opened as a
/// learner's, newly made: state.standing == learner. Codes: "locked" (another process has it), "foreign" (another
/// cluster's or node's), "newer-schema", "older-schema", "corrupt", "disk-full", "io".
[[nodiscard]] Result<std::unique_ptr<Store>> open_store(const std::filesystem::path& folder, const Genesis& genesis,
                                                        NodeId self, const StoreOptions& options = {});
/// For tests and the simulator: nothing on disk.
[[nodiscard]] std::unique_ptr<Store> make_memory_store(const Genesis& genesis, Standing standing);

}  // namespace zell
