#pragma once
// Rows, as dumb as they can be: what differs between a store in a file and one in memory. All rules are LogStore's.

#include <memory>
#include <string>

#include "node/base/result.h"
#include "node/storage/branches.h"
#include "node/storage/store.h"
#include "node/wire/delta.h"

namespace zell {

/// Reads rows one after the other; nullopt after the last. At most one cursor of a kind is open at a time, and none
/// across a write.
template <class Row>
class Cursor {
 public:
  virtual ~Cursor() = default;
  [[nodiscard]] virtual Result<std::optional<Row>> next() = 0;
};
template <class Row>
using CursorPtr = std::unique_ptr<Cursor<Row>>;

struct BatchRow {
  BatchKey key;
  BatchPtr batch;
};
struct BatchSize {
  BatchKey key;
  std::size_t request_bytes = 0;
};

/// The first 8 bytes of a request's id, big-endian: what batches are searched by.
[[nodiscard]] std::uint64_t id_prefix(const RequestId& id);

/// Not thread-safe. Codes: "io"; and "corrupt" where something is read.
class Tables {
 public:
  virtual ~Tables() = default;
  /// What messages call it, e.g. the file's path.
  [[nodiscard]] virtual const std::string& name() const = 0;

  // Writing, between begin and commit or rollback.
  [[nodiscard]] virtual Status begin() = 0;
  [[nodiscard]] virtual Status put_batch(BatchKey key, const BatchPtr& batch) = 0;  ///< adds or replaces
  [[nodiscard]] virtual Status erase_batch(BatchKey key) = 0;                       ///< a missing row is no error
  [[nodiscard]] virtual Status put_certificate(const Certificate& certificate) = 0;
  [[nodiscard]] virtual Status put_state(const DurableState& state) = 0;
  [[nodiscard]] virtual Status put_entry_proof(const std::vector<MessagePtr>& proof) = 0;
  [[nodiscard]] virtual Status put_evidence(std::uint64_t position, const EvidencePtr& evidence) = 0;
  [[nodiscard]] virtual Status put_conflict(const MessagePtr& conflict) = 0;
  [[nodiscard]] virtual Status put_replay_point(const ReplayPoint& point) = 0;
  /// Durable on return.
  [[nodiscard]] virtual Status commit() = 0;
  virtual void rollback() = 0;
  /// Upkeep between transactions, if there is enough of it to do: the second limit is higher.
  [[nodiscard]] virtual Status maintain(bool only_if_overdue) = 0;
  /// The store has failed: nothing more is written, not on closing either.
  virtual void abandon() = 0;
  /// Since it was opened.
  [[nodiscard]] virtual StoreIo io() const = 0;

  // Reading.
  /// The container's own soundness, as far as that can be told without reading rows. Takes as long as the log is.
  [[nodiscard]] virtual Status check() = 0;
  [[nodiscard]] virtual Result<DurableState> state() = 0;
  [[nodiscard]] virtual Result<std::vector<MessagePtr>> entry_proof() = 0;
  [[nodiscard]] virtual Result<std::vector<EvidencePtr>> evidence() = 0;  ///< in order of position
  [[nodiscard]] virtual Result<MessagePtr> conflict() = 0;                ///< null if there is none
  [[nodiscard]] virtual Result<ReplayPoint> replay_point() = 0;           ///< the empty log's if there is none
  [[nodiscard]] virtual Result<std::optional<Certificate>> newest_certificate() = 0;
  /// Ascending, both ends included.
  [[nodiscard]] virtual CursorPtr<BatchRow> batches(BatchKey from, BatchKey to) = 0;
  [[nodiscard]] virtual CursorPtr<BatchSize> batch_sizes(BatchKey from, BatchKey to) = 0;
  /// Batches to `to` that hold an id with this prefix, newest first.
  [[nodiscard]] virtual CursorPtr<BatchRow> batches_with_id(std::uint64_t prefix, BatchKey to) = 0;
  /// Ascending from `from`.
  [[nodiscard]] virtual CursorPtr<Certificate> certificates(Index from) = 0;
};

}  // namespace zell
