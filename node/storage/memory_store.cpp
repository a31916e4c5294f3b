#include "node/storage/log_store.h"

namespace zell {

namespace {

/// Walks one map's rows; nothing is written while a cursor is open.
template <class Row, class Iterator, class Make>
class MapCursor : public Cursor<Row> {
 public:
  MapCursor(Iterator from, Iterator end, Make make) : at_(from), end_(end), make_(make) {}
  Result<std::optional<Row>> next() override {
    for (; at_ != end_;) {
      std::optional<Row> row = make_(*at_++);
      if (row) return row;
    }
    return std::optional<Row>{};
  }

 private:
  Iterator at_, end_;
  Make make_;
};

template <class Row, class Iterator, class Make>
CursorPtr<Row> walk(Iterator from, Iterator end, Make make) {
  return std::make_unique<MapCursor<Row, Iterator, Make>>(from, end, make);
}

bool holds_prefix(const Batch& batch, std::uint64_t prefix) {
  for (const auto& request : *batch.requests) {
    if (id_prefix(request->id) == prefix) return true;
  }
  return false;
}

class MemoryTables final : public Tables {
 public:
  explicit MemoryTables(DurableState state) : state_(std::move(state)) {}

  const std::string& name() const override { return name_; }
  Status begin() override { return Ok{}; }
  Status put_batch(BatchKey key, const BatchPtr& batch) override {
    batches_[key] = batch;
    return Ok{};
  }
  Status erase_batch(BatchKey key) override {
    batches_.erase(key);
    return Ok{};
  }
  Status put_certificate(const Certificate& certificate) override {
    certificates_[certificate.point.index] = certificate;
    return Ok{};
  }
  Status put_state(const DurableState& state) override {
    state_ = state;
    return Ok{};
  }
  Status put_entry_proof(const std::vector<MessagePtr>& proof) override {
    entry_proof_ = proof;
    return Ok{};
  }
  Status put_evidence(std::uint64_t, const EvidencePtr& evidence) override {
    evidence_.push_back(evidence);
    return Ok{};
  }
  Status put_conflict(const MessagePtr& conflict) override {
    conflict_ = conflict;
    return Ok{};
  }
  Status put_replay_point(const ReplayPoint& point) override {
    replay_point_ = point;
    return Ok{};
  }
  Status commit() override { return Ok{}; }
  void rollback() override {}
  Status maintain(bool) override { return Ok{}; }
  void abandon() override {}
  StoreIo io() const override { return {}; }

  Status check() override { return Ok{}; }
  Result<DurableState> state() override { return state_; }
  Result<std::vector<MessagePtr>> entry_proof() override { return entry_proof_; }
  Result<std::vector<EvidencePtr>> evidence() override { return evidence_; }
  Result<MessagePtr> conflict() override { return conflict_; }
  Result<ReplayPoint> replay_point() override { return replay_point_; }
  Result<std::optional<Certificate>> newest_certificate() override {
    if (certificates_.empty()) return std::optional<Certificate>{};
    return std::optional(certificates_.rbegin()->second);
  }
  CursorPtr<BatchRow> batches(BatchKey from, BatchKey to) override {
    return walk<BatchRow>(batches_.lower_bound(from), batches_.upper_bound(to),
                          [](const auto& row) { return std::optional(BatchRow{row.first, row.second}); });
  }
  CursorPtr<BatchSize> batch_sizes(BatchKey from, BatchKey to) override {
    return walk<BatchSize>(batches_.lower_bound(from), batches_.upper_bound(to), [](const auto& row) {
      return std::optional(BatchSize{row.first, row.second->request_bytes});
    });
  }
  CursorPtr<BatchRow> batches_with_id(std::uint64_t prefix, BatchKey to) override {
    return walk<BatchRow>(
        std::make_reverse_iterator(batches_.upper_bound(to)), batches_.rend(), [prefix](const auto& row) {
          return holds_prefix(*row.second, prefix) ? std::optional(BatchRow{row.first, row.second}) : std::nullopt;
        });
  }
  CursorPtr<Certificate> certificates(Index from) override {
    return walk<Certificate>(certificates_.lower_bound(from), certificates_.end(),
                             [](const auto& row) { return std::optional(row.second); });
  }

 private:
  std::string name_ = "memory";
  std::map<BatchKey, BatchPtr> batches_;
  std::map<Index, Certificate> certificates_;
  DurableState state_;
  std::vector<MessagePtr> entry_proof_;
  std::vector<EvidencePtr> evidence_;
  MessagePtr conflict_;
  ReplayPoint replay_point_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store(const Genesis& genesis, Standing standing) {
  return std::make_unique<LogStore>(std::make_unique<MemoryTables>(initial_state(standing)), genesis.parameters);
}

}  // namespace zell
