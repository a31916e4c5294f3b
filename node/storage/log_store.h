#pragma once
// The rules of a store, over any Tables.

#include <set>

#include "node/storage/store.h"
#include "node/storage/tables.h"

namespace zell {

/// Vote state before anything happened: view 0 from the empty log. A learner knows of no view's base.
[[nodiscard]] DurableState initial_state(Standing standing);

class LogStore final : public Store {
 public:
  LogStore(std::unique_ptr<Tables> tables, const Parameters& parameters);

  using Store::recover;
  [[nodiscard]] Result<Recovered> recover(const ReplayVisitor& visitor, const ReplayStart& start) override;
  [[nodiscard]] Status commit(std::span<const Delta> deltas) override;
  [[nodiscard]] Result<bool> keep_replay_point(const ReplayPoint& point) override;
  [[nodiscard]] Status maintain() override;
  [[nodiscard]] Result<LogRange> read_finalised(Index from, std::size_t max_bytes) override;
  [[nodiscard]] Result<LogRange> read_certified(Index from, std::size_t max_bytes) override;
  [[nodiscard]] Result<std::optional<Index>> find_request(const RequestId& id) override;
  [[nodiscard]] Result<std::vector<Hash>> read_leaves(Index first, Index last) override;
  [[nodiscard]] Result<std::vector<EvidencePtr>> read_evidence() override;
  [[nodiscard]] StoreIo io() const override { return tables_->io(); }

 private:
  /// The rows that a group of deltas changes, each once.
  struct Plan {
    const DurableState* state = nullptr;
    const std::vector<MessagePtr>* entry_proof = nullptr;
    BatchChanges batches;
    std::vector<const Certificate*> certificates;
    std::vector<std::pair<std::uint64_t, EvidencePtr>> evidence;
    MessagePtr conflict;
    [[nodiscard]] bool empty() const;
  };
  [[nodiscard]] Plan plan(std::span<const Delta> deltas);
  void plan_evidence(const EvidencePtr& evidence, Plan& plan);
  [[nodiscard]] Status write(const Plan& plan);
  [[nodiscard]] Status upkeep(bool only_if_overdue);
  [[nodiscard]] Error poison(const Error& cause);
  /// The end of a certified range after `from`: its certificate, or nullopt.
  [[nodiscard]] Result<std::optional<Certificate>> certified_end(Index from, std::size_t max_bytes);
  [[nodiscard]] Result<Hash> root_at(Index index);

  std::unique_ptr<Tables> tables_;
  Parameters parameters_;
  bool recovered_ = false;
  std::optional<Error> poison_;
  Branches branches_;        // ahead of the disk only inside commit(), and after a failed one
  Index final_;              // of the last durable commit: what reads go by
  std::set<Hash> evidence_;  // ids of what is stored: at most max_stored_evidence
};

}  // namespace zell
